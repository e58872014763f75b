"""X-Botsieve-Ask: under overload nginx asks about the part that the service wants, and does with the rest what its backup does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import Answer, ask
from tests.servers import PLAIN_APP, Site, wait_until

BOT = "User-Agent: acme-bot/1"
# One in a hundred is asked about: of twenty requests four in five times none is.
FEW = "X-Want: ask=1"
APP = b"app GET"


@pytest.fixture
def edge(folder: Path, service: StandIn) -> Iterator[Site]:
    with lasting(folder / "site", service) as site:
        yield site


def lasting(folder: Path, service: StandIn, *arguments: str, locations: str | None = None, app: str = PLAIN_APP) -> Site:
    """A tenth of a second is too short for a test of anything but it: here it is a minute."""
    folder.mkdir()
    site = Site(folder, service.socket, arguments=arguments, patient=True, locations=locations, app=app)
    asking = site.includes / "lua" / "resty" / "botsieve" / "asking.lua"
    if "--no-lua" not in arguments:
        site.kill()
        asking.write_text(asking.read_text().replace("FOR_MS = 100", "FOR_MS = 60000"))
        site.begin()
    wait_until(lambda: get(site).status == 200, what="a verdict")
    return site


def get(edge: Site, *lines: str, path: str = "/") -> Answer:
    return ask(edge.http_port, path, *lines)


def asked(service: StandIn) -> int:
    return sum(seen["target"] == "/v1/check/nginx" for seen in service.seen())


def verdicts(edge: Site, path: str, count: int) -> list[str]:
    """What the log says of the requests for `path`, when it says it of so many."""

    def lines() -> list[str]:
        return [line for line in edge.access_log.read_text().splitlines() if f'"uri":"{path}' in line]

    wait_until(lambda: len(lines()) >= count, what="the lines of the log")
    return [line.split('"verdict":"')[1].split('"')[0] for line in lines()]


def unasked(edge: Site, service: StandIn, *lines: str, path: str = "/unasked") -> Answer:
    """The answer to a request that the service was not asked about."""
    while True:
        before = asked(service)
        answer = get(edge, FEW, *lines, path=path)
        if asked(service) == before:
            return answer


def test_it_asks_about_that_part(edge: Site, service: StandIn) -> None:
    """Of 400 about 80: all get the application, the rest as `unjudged`; each of those is counted, and told with a question."""
    assert get(edge, "X-Want: ask=20").status == 200
    before = asked(service)
    for number in range(400):
        answer = get(edge, "X-Want: ask=20", path=f"/part/{number}")
        assert (answer.status, answer.body) == (200, b"app GET /part/%d\n" % number)
    now_asked = asked(service) - before
    assert 40 <= now_asked <= 130
    said = verdicts(edge, "/part/", 400)
    assert (said.count("allow"), said.count("unjudged")) == (now_asked, 400 - now_asked)
    more = 0
    while asked(service) == before + now_asked:
        get(edge, "X-Want: ask=100", path="/more")
        more += 1
    assert service.last()["x-botsieve-unjudged"][0].partition("+")[2] == str(400 - now_asked + more - 1)
    before = asked(service)
    for _ in range(20):
        get(edge)
    assert asked(service) == before + 20


@pytest.mark.parametrize("said", ["0", "101", "999", "1000", "-5", "5.0", "5 5", "1e1", "0x5", "5;", "five", "", "block"])
def test_what_is_no_part(edge: Site, service: StandIn, said: str) -> None:
    """Anything but a whole number from 1 to 100 was not said: the service is asked about everything."""
    get(edge, f"X-Want: ask={said}")
    before = asked(service)
    for _ in range(20):
        assert get(edge, f"X-Want: ask={said}").status == 200
    assert asked(service) == before + 20


def test_a_client_cannot_say_it(edge: Site, service: StandIn) -> None:
    """In no spelling: neither for itself nor for others."""
    lines = ("X-Botsieve-Ask: 1", "X_Botsieve_Ask: 1", "X-Botsieve-On-Late: block", "X_Botsieve_On_Late: block")
    before = asked(service)
    for _ in range(20):
        assert get(edge, *lines).status == 200
    assert asked(service) == before + 20
    assert not {"x-botsieve-ask", "x-botsieve-on-late", "x_botsieve_ask", "x_botsieve_on_late"} & set(service.last())


def test_the_held_are_refused_without_asking(edge: Site, service: StandIn) -> None:
    """By the small page and not counted; another client of the same address passes."""
    assert get(edge, BOT, "X-Want: hold").status == 403
    get(edge, FEW)
    pages = len(service.seen()) - asked(service)
    held = unasked(edge, service, BOT, path="/held")
    assert (held.status, b"Please retry" in held.body) == (403, True)
    assert unasked(edge, service, "User-Agent: acme-bot/2", path="/other").body.startswith(APP)
    assert len(service.seen()) - asked(service) == pages
    assert "block" in verdicts(edge, "/held", 1)


def test_closed(folder: Path, service: StandIn) -> None:
    """--closed: who is not asked about is refused with a small page, as when nobody judges."""
    with lasting(folder / "closed", service, "--closed") as site:
        get(site, FEW)
        answer = unasked(site, service)
        assert (answer.status, b"Please retry" in answer.body) == (403, True)


def test_on_late_block(edge: Site, service: StandIn) -> None:
    """The service refuses whom it has no time for, and says so: nginx does the same with whom it does not ask about."""
    get(edge, "X-Want: askblock=1")
    refused = 0
    for _ in range(60):
        before = asked(service)
        answer = get(edge, "X-Want: askblock=1", path="/late")
        if asked(service) == before:
            assert answer.status == 403
            refused += 1
    assert refused >= 40
    said = verdicts(edge, "/late", 60)
    assert said.count("unjudged") == refused


def test_the_application_is_told(folder: Path, service: StandIn) -> None:
    """protect-app.conf: it hears `unjudged`, whatever the client says."""
    app = 'return 200 "heard $http_x_botsieve_verdict";'
    with lasting(folder / "app", service, locations="location / { PROTECT_APP TO_APP }", app=app) as site:
        get(site, FEW)
        assert unasked(site, service, "X-Botsieve-Verdict: allow").body == b"heard unjudged"


def test_a_redirect_inside_nginx_changes_nothing(folder: Path, service: StandIn) -> None:
    """Asked about once, asked about again; spared once, spared again and counted once."""
    locations = "location /a { PROTECT error_page 404 = /b; try_files /none /b; } location / { PROTECT TO_APP }"
    with lasting(folder / "twice", service, locations=locations) as site:
        get(site, "X-Want: ask=50")
        for _ in range(60):
            before = asked(service)
            assert get(site, "X-Want: ask=50", path="/a").status == 200
            assert asked(service) - before in (0, 2)
        said = verdicts(site, "/a", 60)
        assert set(said) == {"allow", "unjudged"}
        while get(site, "X-Want: ask=100", path="/end") and service.last()["x-botsieve-uri"] != ["/end"]:
            pass
        ends = verdicts(site, "/end", 1).count("unjudged")
        assert service.last()["x-botsieve-unjudged"] == [f"0+{said.count('unjudged') + ends}"]


def test_without_lua_everything_is_asked(folder: Path, service: StandIn) -> None:
    """As before: nobody keeps what was said."""
    with lasting(folder / "plain", service, "--no-lua") as site:
        before = asked(service)
        for _ in range(20):
            assert get(site, FEW).status == 200
        assert asked(service) == before + 20


@pytest.mark.realtime
def test_it_is_forgotten(folder: Path, service: StandIn) -> None:
    """A tenth of a second after it was said last, whether the service is there or not."""
    (folder / "site").mkdir()
    with Site(folder / "site", service.socket, patient=True) as site:
        wait_until(lambda: get(site).status == 200, what="a verdict")
        for _ in range(20):
            before = asked(service)
            get(site, FEW)
            time.sleep(0.15)
            assert asked(service) == before + 1
