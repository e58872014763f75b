"""`GET` and `POST /.botsieve/e`, and `b.js`: the pages' script and the whole service, over the HTTP edges."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.transports.forward import ForwardEdge
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request

from tests.transports.edge_harness import PERSON, Service, ask, at, by, check
from tests.transports.wire import Reply
from tests.unit.challenge import hands

SCRIPT = PERSON | {"Accept": "*/*", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
# `b` is at work: ten requests of grace, ten of unsafe.
CONFIG = """
policies:
  - name: shop
    mode: {mode}
    detectors: {{human.interaction: {{action: block, grace: 10, unsafe: 10, safe: 40}}}}
edges:
  nginx: {{listen: "127.0.0.1:1", trusted: [127.0.0.0/8], deadline_ms: 1000}}
  forward: {{listen: "127.0.0.1:2", trusted: [127.0.0.0/8], deadline_ms: 1000}}
  grpc: {{listen: null}}
web: {{listen: null}}
"""


class Shop:
    """A service, its nginx edge, and one browser without cookies."""

    def __init__(self, folder: Path, mode: str = "enforce") -> None:
        self.whole = Service(folder, CONFIG.format(mode=mode))
        self.whole.engine.attacks.collector_injected = True
        self.edge = NginxEdge(self.whole.service, self.whole.settings("nginx"), "/.botsieve/")
        self._pages = 0

    def page(self) -> Reply:
        self._pages += 1
        self.whole.now += 5.0
        return ask(self.edge, check(f"/page{self._pages}", Time=str(self.whole.now), Request_Id=f"r{self._pages}"))

    def call(self, method: str = "GET", body: bytes = b"", referer: str = "https://shop.example/page", **headers: str) -> Reply:
        asked = check("/.botsieve/e", SCRIPT | {"Referer": referer} | headers, Method=method)
        return ask(self.edge, at("/.botsieve/e", asked, method=method, body=body))

    def token(self) -> str:
        reply = self.call()
        assert reply.status == 200
        return reply.body.decode()

    def report(self, entries: hands.Entries, number: int = 0, token: str = "") -> Reply:
        body = hands.body(token or self.token(), entries, number)
        self.whole.now += 20.0
        return self.call("POST", body)

    def reports(self) -> dict[str, int]:
        return {finding: count for finding, count in self.whole.journal.metrics.reports.items() if count}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def verdicts(shop: Shop, pages: int) -> list[str]:
    return [shop.page().verdict for _ in range(pages)]


def test_without_a_hand_the_grace_runs_out(shop: Shop) -> None:
    """Ten requests pass, the eleventh does not."""
    assert verdicts(shop, 11) == ["allow"] * 10 + ["block"]


@pytest.mark.parametrize("hand", ["mouse", "keys", "finger", "a screen reader's click"])
def test_a_person_stays_safe(shop: Shop, hand: str) -> None:
    """A regular report, of any modality, is followed by the safe interval."""
    assert verdicts(shop, 9) == ["allow"] * 9
    reply = shop.report(hands.REGULAR[hand])
    assert (reply.status, reply.body) == (204, b"")
    assert verdicts(shop, 50) == ["allow"] * 50
    assert shop.reports() == {"regular": 1}


@pytest.mark.parametrize("rule", ["untrusted", "input_without_key", "scroll_without_cause", "press_dwell"])
def test_a_driver_gains_nothing(shop: Shop, rule: str) -> None:
    """An irregular report is answered alike, and the grace runs out."""
    assert verdicts(shop, 9) == ["allow"] * 9
    assert shop.report(hands.IRREGULAR[rule]).status == 204
    assert verdicts(shop, 3) == ["allow", "block", "block"]
    assert shop.reports() == {"irregular": 1}


def test_a_report_that_shows_nothing_changes_nothing(shop: Shop) -> None:
    """A focus alone."""
    assert verdicts(shop, 9) == ["allow"] * 9
    assert shop.report([[11, 10, 0]]).status == 204
    assert verdicts(shop, 2) == ["allow", "block"]
    assert shop.reports() == {"none": 1}


def test_a_report_is_not_repeated(shop: Shop) -> None:
    """The same bytes once more, after the safe interval: 409, and nobody is safe by it."""
    token = shop.token()
    assert shop.report(hands.REGULAR["mouse"], token=token).status == 204
    assert shop.report(hands.REGULAR["mouse"], token=token).status == 409
    assert shop.reports() == {"regular": 1, "refused": 1}


def test_a_hand_makes_a_network_of_people(shop: Shop) -> None:
    """The address counts among the people of its network."""
    shop.page()
    shop.report(hands.REGULAR["mouse"])
    world = shop.whole.engine.world
    seen = check("/", SCRIPT)
    name = world.hasher.key(world.site("shop").tag + shop.edge.observe(at("/.botsieve/e", seen)).network)
    group = world.networks.get(name)
    assert group is not None
    assert not isinstance(group, bytes)
    assert len(group.people.seen) == 1


def test_another_site_reports_nothing(shop: Shop) -> None:
    """Neither a token nor a report for a page of somebody else."""
    body = hands.body(shop.token(), hands.REGULAR["mouse"])
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert shop.call(**foreign).status == 403
    assert shop.call("POST", body, **foreign).status == 403


def test_methods(shop: Shop) -> None:
    """GET, HEAD and POST; anything else is 405."""
    assert shop.call("HEAD").status == 200
    assert shop.call("PUT").status == 405


def test_the_script(shop: Shop) -> None:
    """One name for what is switched on; a cache may keep it for minutes; nothing of one visitor is in it."""
    reply = ask(shop.edge, at("/.botsieve/b.js", check("/.botsieve/b.js", SCRIPT)))
    assert (reply.status, reply.one("Content-Type")) == (200, "text/javascript; charset=utf-8")
    assert reply.one("Cache-Control") == "public, max-age=300"
    assert b"pointermove" in reply.body
    assert reply.all("Set-Cookie") == []
    shop.whole.desk.human.enabled = False
    assert ask(shop.edge, at("/.botsieve/b.js", check("/.botsieve/b.js", SCRIPT))).body == b""
    assert shop.call().status == 404


def test_other_gateways_have_it_too(shop: Shop) -> None:
    """The forward-auth edge serves the same paths."""
    edge = ForwardEdge(shop.whole.service, shop.whole.settings("forward"), "/.botsieve/")
    headers = {name.lower().encode(): value.encode() for name, value in SCRIPT.items()}
    headers |= {b"x-forwarded-for": b"203.0.113.9", b"host": b"shop.example", b"x-forwarded-proto": b"https"}

    def asked(method: str, body: bytes = b"") -> Reply:
        return ask(edge, by("127.0.0.1", Request(method, b"/.botsieve/e", headers, body, b"")))

    token = asked("GET")
    assert token.status == 200
    assert asked("POST", hands.body(token.body.decode(), hands.REGULAR["keys"])).status == 204


def test_pages_that_never_answer_are_told(tmp_path: Path) -> None:
    """Mode `monitor`: after 30 injections without a reply the attack "Bot activity detected" [S2-65]."""
    shop = Shop(tmp_path, mode="monitor")
    for _ in range(31):
        reply = shop.page()
    found = shop.whole.journal.find(reply.one("X-Botsieve-Id"))
    assert found is not None
    kinds = {signal.get("attack_type") for signal in found["signals"]}
    assert "Bot activity detected" in kinds


def test_pages_that_answer_are_not(tmp_path: Path) -> None:
    """One reply for three pages is enough."""
    shop = Shop(tmp_path, mode="monitor")
    for number in range(40):
        reply = shop.page()
        if number % 3 == 0:
            shop.token()
    found = shop.whole.journal.find(reply.one("X-Botsieve-Id"))
    assert found is not None
    assert "Bot activity detected" not in {signal.get("attack_type") for signal in found["signals"]}
