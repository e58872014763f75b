"""botsieve.attacks.cookieless: a client that was given a session and goes on without it [S2-05]"""

from __future__ import annotations

from typing import Any

from botsieve.attacks.cookieless import MAX_CLIENTS, Cookieless
from botsieve.decision import Decision
from botsieve.observation import SEES_ALL_HEADERS

from tests.unit.attacks.openers import DELIVERS, Visitors, agent_of, cookie_of, policy_of
from tests.unit.rig import CALL, PAGE, enforcing


def told(decision: Decision) -> list[str]:
    return [violation.detail for violation in decision.violations]


def loads(visitors: Visitors, times: int, every_s: float = 3.0, **facts: Any) -> list[Decision]:
    return [visitors.stranger(number * every_s, number=1, **facts) for number in range(times)]


def test_five_page_loads_after_a_cookie_was_set() -> None:
    """The first sets it; the sixth is the fifth without it."""
    found = loads(Visitors(), 7)
    assert [told(decision) for decision in found] == [[]] * 5 + [["no_cookie"]] * 2
    (violation,) = found[5].violations
    assert (violation.subject, violation.detector, len(violation.key)) == ("client", "sessions.opening", 8)
    assert [(measure.name, measure.value, measure.limit) for measure in violation.measures] == [
        ("page_loads_without_cookie", 5, 5)
    ]


def test_it_is_answered_by_a_challenge_at_most() -> None:
    """Cookies may be switched off: nobody is blocked for it, and where there is no challenge nothing happens."""
    assert loads(Visitors(), 6)[-1].verdict == "challenge"
    assert loads(Visitors(policy_of(action="alarm")), 6)[-1].verdict == "allow"
    mute = enforcing(thresholds=policy_of().thresholds, challenge="none", challenge_at=100, block_at=100)
    assert (loads(Visitors(mute), 6)[-1].verdict, told(loads(Visitors(mute), 6)[-1])) == ("allow", ["no_cookie"])


def test_tabs_that_open_together_are_none() -> None:
    """A browser that starts with twelve tabs sends twelve page loads before the first answer."""
    assert not any(decision.violations for decision in loads(Visitors(), 12, every_s=0.1))


def test_neighbours_with_one_name_are_none() -> None:
    """People behind one address with one browser: each was given a session that comes back."""
    visitors = Visitors()
    for number in range(60):
        decision = visitors.stranger(number * 3.0, number=1)
        assert not decision.violations
        image = {b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}
        visitors.guest(number * 3.0 + 1.0, cookie_of(decision), number=1, uri="/a.png", plus=image if number % 2 else {})


def test_who_was_challenged_came_back_too() -> None:
    """People with one name, each of whom solved a challenge first: their sessions come back beside a clearance."""
    visitors = Visitors()
    page = visitors.seen(0.0, headers={**PAGE, b"user-agent": agent_of(1)})
    for number in range(20):
        at_s = number * 30.0
        decision = visitors.stranger(at_s, number=1)
        assert not decision.violations
        clearance = visitors.rig.clearance_cookie(page, at_s=at_s, number=number)
        visitors.guest(at_s + 5.0, cookie_of(decision) + b"; " + clearance, number=1)


def test_under_a_name_of_many_nobody_is_accused() -> None:
    """Two people whose sessions came side by side: who comes without one is a newcomer, or somebody that cannot be told from one."""
    visitors = Visitors()
    first, second = (cookie_of(visitors.stranger(at_s, number=1)) for at_s in (0.0, 1.0))
    for at_s, cookie in ((4.0, first), (5.0, second), (6.0, first)):
        visitors.guest(at_s, cookie, number=1)
    assert not any(visitors.stranger(10.0 + at_s, number=1).violations for at_s in range(30))


def test_where_no_cookie_can_be_delivered_none_is_missing() -> None:
    """The plain include cannot set one on the application's answers."""
    assert not any(decision.violations for decision in loads(Visitors(), 30, sight=SEES_ALL_HEADERS))


def test_data_calls_and_images_are_not_counted() -> None:
    """Only page loads open sessions."""
    visitors = Visitors()
    for number in range(30):
        decision = visitors.stranger(number * 3.0, number=1) if number % 10 == 0 else None
        call = visitors.decide(visitors.seen(number * 3.0 + 1, headers=CALL, sight=DELIVERS), number * 3.0 + 1)
        assert not call.violations
        assert decision is None or not decision.violations


def test_a_long_silence_begins_anew() -> None:
    """After half an hour the session of before has ended."""
    given = Cookieless()
    assert [given.came(b"k" * 8, at_s, 0.0) for at_s in (1.0, 4.0, 7.0, 1808.0, 1811.0)] == [0, 1, 2, 0, 1]


def test_the_first_page_load_is_told_by_the_second() -> None:
    """A client is remembered from its second request on."""
    assert Cookieless().came(b"k" * 8, 10.0, 1.0) == 1


def test_it_is_bounded() -> None:
    """The oldest go first."""
    given = Cookieless(most=10)
    for number in range(100):
        given.came(number.to_bytes(8, "big"), 1.0, 0.0)
    assert len(given) == 10
    assert MAX_CLIENTS * 300 <= 8 * 1024 * 1024


def test_who_goes_on_is_forgotten_last() -> None:
    """A flood of others pushes out who was silent since, not who comes every second."""
    given = Cookieless(most=10)
    assert [given.came(b"goes on.", float(at_s), 0.0) for at_s in range(2)] == [0, 0]
    given.came(b"silent..", 1.0, 0.0)
    for number in range(8):
        given.came(number.to_bytes(8, "big"), 1.5, 0.0)
    assert given.came(b"goes on.", 2.0, 0.0) == 1
    for number in range(8, 17):
        given.came(number.to_bytes(8, "big"), 2.5, 0.0)
    assert given.came(b"goes on.", 3.0, 0.0) == 2
    assert given.came(b"silent..", 3.0, 0.0) == 0
