"""botsieve.attacks.openings: which rate is an attack, who is answered for it, and who passes [S2-35..S2-44]"""

from __future__ import annotations

import random

import msgspec
import pytest
from botsieve.attacks.openings import limit_of
from botsieve.attacks.types import SESSION_OPENING
from botsieve.challenge.device import Devices
from botsieve.decision import Decision
from botsieve.detectors.settings import SessionOpening
from botsieve.observation import SEES_ALL_HEADERS, pack_address
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation
from botsieve.values import replace

from tests.unit.attacks.openers import Visitors, agent_of, cookie_of, policy_of
from tests.unit.rig import CALL, KEYS, PAGE, START_S, TOOL


def told(found: list[Decision]) -> int:
    """How many of them are part of the attack of an address."""
    return sum(any(violation.subject == "address" for violation in decision.violations) for decision in found)


@pytest.mark.parametrize(
    ("usual", "limit"), [(None, 50), (0.01, 25), (4.1, 25), (4.4, 26.4), (5, 30), (8, 48), (9, 50), (100, 50)]
)
def test_the_logic(usual: float | None, limit: float) -> None:
    """The minimum AND (six times the usual OR what is reached); what is not known is not compared [S2-43]."""
    assert limit_of(usual, SessionOpening()) == limit


def test_fifty_a_second_are_reached() -> None:
    """500 within ten seconds; 499 are not, and no relative verdict is given to a site that is not known [S2-41]."""
    assert told(Visitors().flood(49.9, 60)) == 0
    found = Visitors().flood(50, 10)
    assert told(found) == 1
    (violation,) = found[-1].violations
    assert (violation.detector, violation.attack_type) == ("sessions.opening", SESSION_OPENING)
    assert [(one.name, one.value, one.limit) for one in violation.measures] == [
        ("sessions_per_s", 50.0, 50.0),
        ("usual_sessions_per_s", 0.0, None),
        ("legitimate_sessions", 0, None),
    ]


def test_six_times_the_usual_of_the_address() -> None:
    """An address that opens 5 a second all day: 30 are an attack, 29 are not [S2-40]."""
    for per_s, attacks in ((29, False), (30, True)):
        visitors = Visitors()
        visitors.usually(5)
        assert bool(told(visitors.flood(per_s, 10.1, at_s=640))) is attacks


def test_six_times_the_mean_of_the_site() -> None:
    """An address that nobody knows is measured by the others, but never below the minimum [S2-42]."""
    for per_s, attacks in ((24.9, False), (25, True)):
        visitors = Visitors()
        for other in range(4):
            visitors.usually(0.5, client=f"198.51.100.{other}")
        assert bool(told(visitors.flood(per_s, 10.1, at_s=700))) is attacks


def test_no_relative_verdict_before_ten_minutes() -> None:
    """Five minutes of a site say nothing of what is usual on it."""
    visitors = Visitors()
    visitors.crowd(0.5, 300, client="198.51.100.1")
    assert told(visitors.flood(49, 20, at_s=320)) == 0


def test_who_delivers_no_cookie_accuses_nobody() -> None:
    """Where no cookie could have been delivered, a page load without one is no opening."""
    visitors = Visitors()
    found = [visitors.stranger(number / 100, sight=SEES_ALL_HEADERS) for number in range(1200)]
    assert not any(decision.violations for decision in found)
    without = Visitors()
    without.engine.sessions = None
    assert not any(decision.violations for decision in without.flood(100, 12))


def test_programs_that_open_no_pages_open_no_sessions() -> None:
    """Data calls are no page loads."""
    visitors = Visitors()
    found = [visitors.decide(visitors.seen(n / 100, headers=CALL if n % 2 else TOOL), n / 100) for n in range(1200)]
    assert not any(decision.violations for decision in found)


# ---- who is answered, and how


def test_integrity_challenges_what_is_new() -> None:
    """Each new session, while it lasts; nobody is refused [S2-37]."""
    visitors = Visitors()
    guest = cookie_of(visitors.stranger(-60.0))
    found = visitors.flood(60, 12)
    assert {decision.verdict for decision in found[:499]} == {"allow"}
    assert {(one.verdict, one.rule, one.level) for one in found[501:]} == {("challenge", "prevention", "normal")}
    new = cookie_of(found[-1])
    assert visitors.guest(12.1, new).verdict == "challenge"
    old = visitors.guest(12.2, guest)
    assert (old.verdict, old.violations) == ("allow", ())


def test_a_session_of_the_attack_is_not_older_than_it() -> None:
    """What was measured began before it was said: the sessions of these seconds are new."""
    visitors = Visitors()
    first = visitors.stranger(0.0)
    visitors.flood(60, 12, at_s=0.1)
    assert visitors.guest(12.2, cookie_of(first)).verdict == "challenge"


def test_a_clearance_passes() -> None:
    """One that is older than the attack passes everything; a newer one is what the challenge asks for."""
    for earned_s, others in ((-60.0, 0), (9.0, 1)):
        visitors = Visitors()
        page = visitors.seen(0.0, headers={**PAGE, b"user-agent": agent_of(0)})
        cookie = visitors.rig.clearance_cookie(page, at_s=earned_s)
        visitors.flood(60, 12)
        decision = visitors.guest(12.1, cookie)
        assert (decision.verdict, len(decision.violations)) == ("allow", others)


def test_a_device_on_which_a_hand_was_seen_passes() -> None:
    """If that was before the attack; its session may be new, or gone."""
    for seen_s, passes in ((-60.0, True), (11.0, False)):
        visitors = Visitors()
        page = visitors.seen(0.0)
        devices = visitors.engine.devices = Devices(KEYS)
        device = devices.renew(None, START_S - 900, bytes(range(12)), returned=False)
        device = replace(device, issued_s=int(START_S) - 100)
        cookie = devices.cookie(page, devices.text_of(page, device)).partition(";")[0].encode()
        visitors.flood(60, 10)
        visitors.engine.human_report(visitors.seen(seen_s, plus={b"cookie": cookie}), START_S + seen_s, regular=True)
        visitors.flood(60, 2, at_s=10)
        assert (visitors.guest(12.1, cookie).verdict == "allow") is passes


def test_a_neighbour_of_the_address_is_not_meant() -> None:
    """Another address of the same network opens its sessions."""
    visitors = Visitors()
    visitors.flood(60, 12)
    assert visitors.stranger(12.0, client="203.0.113.8").verdict == "allow"


def test_one_ipv6_connection_is_one_address() -> None:
    """A host has a /64 to choose from; the next connection is another."""
    visitors = Visitors()
    found = [visitors.stranger(n / 60, client=f"2001:db8::{n:x}") for n in range(720)]
    assert told(found) > 200
    assert visitors.stranger(12.0, client="2001:db8:0:1::1").verdict == "allow"


def test_rate_limiting_leaves_the_usual_rate() -> None:
    """Of an address that usually opens 6 a second and now opens 60, a tenth gets through, drawn at random [S2-38]."""
    visitors = Visitors(policy_of(prevention=("rate_limit",)))
    visitors.usually(6)
    random.seed(7)
    found = []
    for number in range(60 * 32):
        visitors.draw_0_1 = random.random()
        found.append(visitors.stranger(640 + number / 60))
    after = found[12 * 60 :]
    passed = sum(decision.verdict == "allow" for decision in after)
    assert passed / 20 == pytest.approx(6, rel=0.25)
    refused = next(decision for decision in after if decision.verdict == "block")
    assert (refused.retry_after_s, refused.rule, refused.hold_s) == (10, "prevention", 0)


def test_rate_limiting_lets_one_through_where_nothing_is_known() -> None:
    """A new address keeps one session in ten seconds."""
    visitors = Visitors(policy_of(prevention=("rate_limit",)))
    random.seed(7)
    found = []
    for number in range(60 * 62):
        visitors.draw_0_1 = random.random()
        found.append(visitors.stranger(number / 60))
    assert 1 <= sum(decision.verdict == "allow" for decision in found[720:]) <= 12


def test_rate_limiting_touches_no_session() -> None:
    """A session of the attack that comes back was one of those let through."""
    visitors = Visitors(policy_of(prevention=("rate_limit",)))
    new = visitors.flood(60, 12)[100]
    assert visitors.guest(12.1, cookie_of(new)).verdict == "allow"


def test_bad_addresses_are_dropped() -> None:
    """Only beside rate limiting, and only while it attacks: then all of it but who was there before [S2-39]."""
    for prevention, verdict in ((("rate_limit", "drop_bad_reputation"), "block"), (("drop_bad_reputation",), "allow")):
        visitors = Visitors(policy_of(prevention=prevention))
        visitors.engine.attacks.openings.is_bad = lambda address: "proxies"
        visitors.draw_0_1 = 1.0
        guest = cookie_of(visitors.stranger(-60.0))
        assert visitors.guest(-50.0, guest).verdict == "allow"
        visitors.flood(60, 12)
        decision = visitors.stranger(12.0)
        assert (decision.verdict, decision.retry_after_s) == (verdict, 0)
        assert visitors.guest(12.1, guest).verdict == "allow"


def test_the_lists_of_the_operator_say_who_is_bad() -> None:
    """The engine asks the rulebook of the moment."""
    visitors = Visitors()
    engine = visitors.engine
    bad = Reputation(RangeSet.parse(["203.0.113.0/24"]), b"\0", [Listing("proxies", "alarm")])
    engine.rulebook = msgspec.structs.replace(engine.rulebook, reputation=bad)
    assert engine.attacks.openings.is_bad(pack_address("203.0.113.7")) == "proxies"
    assert engine.attacks.openings.is_bad(pack_address("198.51.100.7")) == ""


def test_an_address_of_good_repute_is_limited_as_usual() -> None:
    """The draw decides."""
    visitors = Visitors(policy_of(prevention=("rate_limit", "drop_bad_reputation")))
    visitors.flood(60, 12)
    visitors.draw_0_1 = 1.0
    assert visitors.stranger(12.0).verdict == "allow"


def test_an_alarm_refuses_nobody() -> None:
    """It is told for each opening."""
    found = Visitors(policy_of(action="alarm")).flood(60, 12)
    assert {decision.verdict for decision in found} == {"allow"}
    assert told(found) > 200


# ---- how long


def test_it_ends_two_minutes_after_the_rate_fell() -> None:
    """Refused requests are measured too: as long as they come at half the limit, it goes on [S2-44]."""
    visitors = Visitors()
    visitors.flood(60, 12)
    assert {decision.verdict for decision in visitors.flood(26, 130, at_s=12)} == {"challenge"}
    slow = visitors.flood(1, 200, at_s=142)
    assert slow[100].verdict == "challenge"
    assert slow[-1].verdict == "allow"


def test_it_lasts_its_time_at_most() -> None:
    """An attack that does not stop is found again when it is over."""
    visitors = Visitors(policy_of(prevention_s=10.0))
    visitors.flood(60, 30)
    assert visitors.engine.attacks.preventions.begun == 3


def test_an_operator_ends_it() -> None:
    """What led to it is forgotten: the count begins anew."""
    visitors = Visitors()
    visitors.flood(60, 12)
    (one,) = visitors.engine.attacks.preventions.running(START_S + 12)
    visitors.engine.attacks.release(one, START_S + 12)
    assert {decision.verdict for decision in visitors.flood(60, 8, at_s=12)} == {"allow"}


def test_what_is_usual_stands_still_during_an_attack() -> None:
    """Sessions that come back while their address attacks are no part of it; nor are those of a flood without cookies."""
    visitors = Visitors()
    visitors.usually(5)
    usual = visitors.engine.attacks.openings
    (opener,) = [one for part in usual.openers.parts for one in (*part.young.values(), *part.old.values())]
    before = opener.usual.sessions.total
    visitors.flood(60, 30, at_s=640)
    visitors.crowd(40, 30, at_s=670)
    assert opener.usual.sessions.total == before


def test_other_settings_measure_anew() -> None:
    """After a reload with another window nothing of the old one is read as if it were its own."""
    visitors = Visitors()
    visitors.flood(40, 12)
    other = policy_of(over_s=60.0)
    visitors.engine.rulebook = type(visitors.engine.rulebook)(policies=(other,))
    assert told(visitors.flood(40, 60, at_s=12)) == 0
