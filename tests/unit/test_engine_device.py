"""The engine and the reports of pages: what a fault, a deletion or a suspicious browser leads to."""

from __future__ import annotations

from typing import Any

from botsieve.challenge.browser_facts import COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS, Fact
from botsieve.challenge.device import Device, Devices
from botsieve.detectors.settings import THRESHOLDS, SessionResets, SuspiciousBrowser
from botsieve.observation import Observation
from botsieve.policy import Allowlist, Rulebook
from botsieve.ranges import RangeSet

from tests.unit.rig import KEYS, START_S, Rig, enforcing, request

DEVICES = Devices(KEYS, 7200)
BLOCKING = {
    **THRESHOLDS,
    "browser.suspicious": SuspiciousBrowser(action="block"),
    "sessions.resets": SessionResets(action="block"),
}
ONE = Device(b"device-1", int(START_S) - 400, int(START_S), b"aaaa", True)
TWO = Device(b"device-2", int(START_S) - 400, int(START_S), b"bbbb", True)
NEW = Device(b"device-3", int(START_S), int(START_S), b"cccc")


def rig(**options: Any) -> Rig:
    made = Rig(enforcing(thresholds=BLOCKING), cookies=True, **options)
    made.engine.devices = DEVICES
    return made


def with_device(device: Device, *more: bytes) -> dict[bytes, bytes]:
    text = DEVICES.text_of(request(), device).encode()
    return {b"cookie": b"; ".join([b"__Host-botsieve_d=" + text, *more]), b"sec-fetch-site": b"same-origin"}


def told(at: Rig, fact: Fact, device: Device | None, *, is_new: bool = False, at_s: float = 1.0, **facts: Any) -> None:
    at.engine.browser_told(request("/page", **facts), (fact,), device, START_S + at_s, is_new=is_new)


def test_a_listed_extension_blocks_its_device_and_nobody_else() -> None:
    """Under the name of F5; the neighbour with the same browser is let through; after 1800 s it is over."""
    at = rig()
    told(at, Fact(SUSPICIOUS, device=ONE.id, detail="Scraper", is_listed=True), ONE)
    blocked = at.ask("/a", plus=with_device(ONE), at_s=2)
    assert (blocked.verdict, blocked.rule) == ("block", "prevention")
    violation = blocked.violations[0]
    assert (violation.attack_type, violation.subject, violation.detail) == ("Suspicious Clients", "device", "Scraper")
    assert at.ask("/a", plus=with_device(TWO), at_s=3).verdict == "allow"
    assert at.ask("/a", at_s=4).verdict == "allow"
    later = Device(ONE.id, ONE.born_s, int(START_S) + 1700, b"dddd", True)
    assert at.ask("/a", plus=with_device(later), at_s=1802).verdict == "allow"


def test_two_neighbours_with_an_extension_do_not_lock_out_a_third() -> None:
    """Behind one address with one User-Agent: who comes for the first time meets a challenge at most."""
    at = rig()
    for number, device in enumerate((ONE, TWO)):
        told(at, Fact(SUSPICIOUS, device=device.id, detail="Scraper", is_listed=True), device, is_new=True, at_s=number)
    assert at.ask("/a", plus=with_device(TWO), at_s=3).verdict == "block"
    at.ask("/b", at_s=4)
    assert at.ask("/c", at_s=5).verdict == "challenge"


def test_marks_alone_are_challenged() -> None:
    """Whatever `action` says."""
    at = rig()
    told(at, Fact(SUSPICIOUS, device=ONE.id, detail="webdriver+debugger", points=100), ONE)
    assert at.ask("/a", plus=with_device(ONE), at_s=2).verdict == "challenge"


def test_faults_of_a_device() -> None:
    """Three in 25 s are none yet, the fourth is an attack."""
    at = rig()
    fault = Fact(INTEGRITY_FAULT, "device", ONE.id, detail="bad_mac")
    for number in range(3):
        told(at, fault, ONE, at_s=number)
    assert at.ask("/a", plus=with_device(ONE), at_s=4).verdict == "allow"
    told(at, fault, ONE, at_s=5)
    blocked = at.ask("/a", plus=with_device(ONE), at_s=6)
    assert blocked.verdict == "block"
    assert blocked.violations[0].attack_type == "Session Resets by Persistent Client Identification"


def test_deletions_by_fingerprint_without_any_device() -> None:
    """Two in 4 s are none yet; the third asks whoever comes without an id for a challenge at most."""
    at = rig()
    deleted = Fact(COOKIE_DELETED, "fingerprint", b"", b"browser1")
    for number in range(2):
        told(at, deleted, NEW, is_new=True, at_s=number)
    assert at.ask("/a", at_s=2).verdict == "allow"
    told(at, deleted, NEW, is_new=True, at_s=3)
    assert at.ask("/b", at_s=4).verdict == "challenge"


def test_who_throws_every_id_away_is_the_one_that_it_was_given() -> None:
    """Known by its fingerprint: asked under its new id too, which carried it past; another device of the address is not."""
    at = rig()
    deleted = Fact(COOKIE_DELETED, "fingerprint", b"", b"browser1")
    for number in range(3):
        told(at, deleted, NEW, is_new=True, at_s=number)
    assert at.ask("/a", plus=with_device(NEW), at_s=4).verdict == "challenge"
    assert at.ask("/b", plus=with_device(TWO), at_s=5).verdict == "allow"


def test_who_is_always_let_through_is_not_accused() -> None:
    """A report from an address on the list leaves nothing behind."""
    book = Rulebook(policies=(enforcing(thresholds=BLOCKING),), allow=Allowlist(networks=RangeSet.parse(("203.0.113.7",))))
    at = rig(book=book)
    told(at, Fact(SUSPICIOUS, device=ONE.id, detail="Scraper", is_listed=True), ONE)
    assert len(at.engine.attacks.preventions) == 0


def test_the_report_belongs_to_the_policy_of_its_page() -> None:
    """What one policy ignores is nothing, whatever another would do."""
    ignoring = enforcing(name="quiet", hosts=("quiet.example",))
    at = Rig(ignoring, enforcing(name="loud", thresholds=BLOCKING), cookies=True)
    at.engine.devices = DEVICES
    told(at, Fact(SUSPICIOUS, device=ONE.id, detail="Scraper", is_listed=True), ONE, host=b"quiet.example")
    assert len(at.engine.attacks.preventions) == 0


def test_human_reports_go_to_the_device() -> None:
    """What the collector shows counts for the device that carried it."""
    at = rig()
    o: Observation = request("/page", plus=with_device(ONE))
    site, sender = at.engine._sender(o, START_S)
    assert sender.key == at.engine.attacks.name(site, None, b"", ONE.id)[1]
