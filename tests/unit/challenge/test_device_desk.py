"""Reports at the desk: ids are renewed, faults and deletions are told once, and nothing a client sends does harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botsieve.challenge.browser_facts import COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS
from botsieve.challenge.device_desk import REPORTS_PER_MIN, REPORTS_PER_S, DeviceDesk, Heard
from botsieve.challenge.device_script import Wanted
from botsieve.challenge.extensions import parse_probe
from botsieve.challenge.session import Session
from botsieve.detectors.catalogue import Catalogue
from botsieve.state.hashing import Hasher
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.challenge.builders import CHROME, KEYS, NOW_S, cookie_of, post

PRINT = "0123456789abcdef" * 2


def desk(**wanted: Any) -> DeviceDesk:
    made = DeviceDesk(KEYS, Hasher(b"secret"), Catalogue.builtin())
    made.apply(Wanted(**{"copies": True, **wanted}), KEYS, 7200)
    return made


class Browser:
    """A browser that keeps what it is given, until the test takes it away."""

    def __init__(self, at: DeviceDesk, number: int = 1, address: str = "203.0.113.7") -> None:
        self.at, self.number, self.address = at, number, address
        self.cookie = b""
        self.told: dict[str, Any] = {}
        self.count = 0
        self.test_cookie = True

    def report(self, at_s: float = 0.0, session: Session | None = None, **facts: Any) -> Heard:
        self.count += 1
        cookies = [part for part in (self.cookie, b"botsieve_t=1" if self.test_cookie else b"") if part]
        o = post(address=self.address, headers={b"cookie": b"; ".join(cookies)}, uri=b"/.botsieve/d")
        random12 = b"".join(number.to_bytes(4, "big") for number in (self.number, self.count, self.count))
        heard = self.at.hear(o, json.dumps({**self.told, **facts}).encode(), NOW_S + at_s, random12, session)
        if heard.answer.status == 200:
            self.cookie = cookie_of(heard.answer)
            self.told["local"] = self.told["indexed"] = json.loads(heard.answer.body)["id"]
        return heard


def kinds(heard: Heard) -> list[tuple[str, str]]:
    return [(fact.kind, fact.detail) for fact in heard.facts]


def test_a_normal_visit_has_no_facts() -> None:
    """Ten pages: the same device, a new text each time."""
    someone = Browser(desk())
    first = someone.report()
    assert first.answer.header("Set-Cookie").startswith("__Host-botsieve_d=")
    assert first.answer.header("Cache-Control") == "no-store"
    texts = set()
    for page in range(10):
        heard = someone.report(page * 3.0)
        assert (heard.facts, heard.is_new) == ((), False)
        assert heard.device is not None
        assert first.device is not None
        assert heard.device.id == first.device.id
        texts.add(heard.answer.body)
    assert len(texts) == 10


def test_deleted_cookies_are_told_and_healed() -> None:
    """The id comes back from storage, as one fact each time."""
    someone = Browser(desk())
    someone.report()
    for at_s in (1.0, 2.0, 3.0):
        someone.cookie = b""
        heard = someone.report(at_s)
        assert kinds(heard) == [(COOKIE_DELETED, "device")]
        assert heard.device is not None
        assert heard.facts[0].device == heard.device.id
        assert someone.cookie


def test_tabs_that_report_together_count_once() -> None:
    """Cookies deleted, five tabs restored with the same storage: one deletion."""
    someone = Browser(desk())
    someone.report()
    stored = dict(someone.told)
    heard = []
    for tab in range(5):
        someone.cookie, someone.told = b"", dict(stored)
        heard.append(someone.report(1.0 + tab / 10))
    assert [kinds(one) for one in heard] == [[(COOKIE_DELETED, "device")], [], [], [], []]


def test_a_copy_that_is_used_again_and_again_is_a_fault() -> None:
    """A snapshot of one browser's storage in many: once a deletion, later a copied id."""
    at = desk()
    someone = Browser(at)
    someone.report()
    stored = dict(someone.told)
    found = []
    for context in range(6):
        copy = Browser(at, number=2 + context)
        copy.told = dict(stored)
        found.append(kinds(copy.report(10.0 * context)))
    deleted, copied = [(COOKIE_DELETED, "device")], [(INTEGRITY_FAULT, "copied")]
    assert found == [deleted, [], [], [], copied, copied]


def test_tampering_is_told() -> None:
    """A changed copy, then somebody else's id: a fault each, and the browser is healed."""
    at = desk()
    someone, other = Browser(at), Browser(at, number=2)
    someone.report(-3600.0)
    other.report()
    someone.report()
    someone.told["local"] = "x" + someone.told["local"][1:]
    heard = someone.report(1.0)
    assert kinds(heard) == [(INTEGRITY_FAULT, "bad_mac")]
    assert kinds(someone.report(2.0)) == []
    someone.told["local"] = other.told["local"]
    assert kinds(someone.report(3.0)) == [(INTEGRITY_FAULT, "mismatch")]


def test_the_same_report_again_says_nothing_new() -> None:
    """Sent again, a report that shows a fault counts once in five seconds, whoever sends it."""
    at = desk()
    someone = Browser(at)
    someone.report()
    cookie, told = someone.cookie, {**someone.told, "local": "garbage"}
    counted = 0
    for at_s in range(10):
        someone.cookie, someone.told = cookie, dict(told)
        counted += len(someone.report(float(at_s)).facts)
    assert counted == 2


def test_what_ran_out_and_what_was_cleared_is_a_new_device() -> None:
    """Everything gone, or older than 120 minutes: no fact."""
    someone = Browser(desk())
    first = someone.report().device
    someone.cookie, someone.told = b"", {}
    heard = someone.report(10.0)
    assert heard.facts == ()
    second = heard.device
    heard = someone.report(10.0 + 7200.0)
    assert heard.facts == ()
    assert first is not None
    assert second is not None
    assert heard.device is not None
    assert len({first.id, second.id, heard.device.id}) == 3


def test_a_fault_without_any_device_names_none() -> None:
    """All three are garbage: the id that it gets now is not yet anybody's."""
    someone = Browser(desk())
    someone.told = {"local": "garbage", "indexed": "garbage"}
    heard = someone.report()
    assert kinds(heard) == [(INTEGRITY_FAULT, "bad_mac")]
    assert heard.facts[0].device == b""


def test_who_sends_no_cookies_is_left_alone() -> None:
    """Page after page, never a deletion."""
    someone = Browser(desk())
    someone.test_cookie = False
    for page in range(6):
        someone.cookie = b""
        assert someone.report(float(page)).facts == ()


def test_deletion_by_fingerprint() -> None:
    """Everything cleared, the same browser in the same network: told by fingerprint, of no device."""
    someone = Browser(desk(fingerprint=True))
    someone.report(fingerprint=PRINT)
    for at_s in (1.0, 2.0):
        someone.cookie, someone.told = b"", {}
        heard = someone.report(at_s, fingerprint=PRINT)
        assert kinds(heard) == [(COOKIE_DELETED, "fingerprint")]
        assert heard.facts[0].device == b""
        assert len(heard.facts[0].browser) == 8
    someone.cookie, someone.told = b"", {}
    assert someone.report(3.0, fingerprint=PRINT[::-1]).facts == ()


def test_fingerprint_without_device_ids_goes_by_session() -> None:
    """No id is given out; a session that began just now in a known browser is a deletion."""
    at = desk(copies=False, fingerprint=True)
    someone = Browser(at)
    heard = someone.report(session=Session(b"session1", int(NOW_S)), fingerprint=PRINT)
    assert (heard.answer.status, heard.answer.header("Set-Cookie"), heard.facts) == (204, "", ())
    heard = someone.report(9.0, session=Session(b"session2", int(NOW_S) + 8), fingerprint=PRINT)
    assert kinds(heard) == [(COOKIE_DELETED, "fingerprint")]
    assert someone.report(9.5, fingerprint=PRINT).facts == (), "without a session there is nothing to go by"
    assert at.browsers.of(b"ssession2")[0] != b""


def test_marks_and_listed_extensions() -> None:
    """Two marks are a fact; an extension of the list is one alone; one that is not listed is none."""
    probe = parse_probe("Scraper = global scraper")
    someone = Browser(desk(marks=True, probes=(probe,)))
    said = {"agent": CHROME.decode(), "platform": "Linux x86_64"}
    assert someone.report(**said, marks=["webdriver"], extensions=["Other"]).facts == ()
    found = someone.report(**said, marks=["webdriver", "debugger"]).facts
    assert [(fact.kind, fact.detail, fact.points, fact.is_listed) for fact in found] == [
        (SUSPICIOUS, "webdriver+debugger", 100, False)
    ]
    found = someone.report(**said, extensions=["Scraper"]).facts
    assert [(fact.detail, fact.points, fact.is_listed) for fact in found] == [("Scraper", 0, True)]


def test_what_is_off_is_not_looked_at() -> None:
    """Marks and fingerprints that nobody asked for say nothing."""
    someone = Browser(desk())
    assert someone.report(fingerprint=PRINT, marks=["webdriver", "debugger"], extensions=["Scraper"]).facts == ()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {b"sec-fetch-site": b"cross-site"}, b"{}"),
        (403, {b"sec-fetch-site": b"", b"origin": b"https://evil.example"}, b"{}"),
        (413, {}, b"{}" + b" " * 4096),
        (415, {b"content-type": b"text/plain"}, b"{}"),
        (400, {}, b"[]"),
        (400, {}, b"\xff"),
    ],
)
def test_refusals(status: int, headers: dict[bytes, bytes], body: bytes) -> None:
    """No other site's page, no large, no odd body: no id, no fact."""
    heard = desk().hear(post(headers=headers, uri=b"/.botsieve/d"), body, NOW_S, bytes(12), None)
    assert (heard.answer.status, heard.facts, heard.device) == (status, (), None)
    assert heard.answer.header("Set-Cookie") == ""


def test_reports_of_one_prefix_are_bounded() -> None:
    """After so many in a minute nothing is read; another network is not concerned, nor the next minutes."""
    at = desk()
    for number in range(REPORTS_PER_MIN):
        sent_s = NOW_S + number / REPORTS_PER_MIN * 10
        assert at.hear(post(uri=b"/.botsieve/d"), b"{}", sent_s, number.to_bytes(12, "big"), None).answer.status == 200
    refused = at.hear(post(uri=b"/.botsieve/d"), b"{}", NOW_S, bytes(12), None).answer
    assert (refused.status, refused.header("Retry-After")) == (429, "60")
    assert at.hear(post(uri=b"/.botsieve/d", address="198.51.100.7"), b"{}", NOW_S, bytes(12), None).answer.status == 200
    assert at.hear(post(uri=b"/.botsieve/d"), b"{}", NOW_S + 120, bytes(12), None).answer.status == 200


def test_reports_of_all_together_are_bounded() -> None:
    """From a thousand networks at once: so many a second are read, the next second begins anew."""
    at = desk()
    statuses = []
    for number in range(REPORTS_PER_S + 10):
        o = post(uri=b"/.botsieve/d", address=f"10.{number // 250}.{number % 250}.7")
        statuses.append(at.hear(o, b"{}", NOW_S, number.to_bytes(12, "big"), None).answer.status)
    assert statuses == [200] * REPORTS_PER_S + [429] * 10
    assert at.hear(post(uri=b"/.botsieve/d"), b"{}", NOW_S + 1, bytes(12), None).answer.status == 200


@settings(max_examples=60)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_nothing_raises(body: bytes, cookie: bytes) -> None:
    """Any body, any cookie."""
    at = desk(fingerprint=True, marks=True)
    o = post(headers={b"cookie": b"__Host-botsieve_d=" + cookie.replace(b";", b"")}, uri=b"/.botsieve/d")
    assert at.hear(o, body, NOW_S, bytes(12), None).answer.status in (200, 400)
