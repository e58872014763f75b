"""challenge/deferrals.py: how often a session's calls are put off."""

from __future__ import annotations

from botsieve.challenge.deferrals import DEFER_CALLS, DEFER_S, UNANSWERED_S, Deferrals

ONE, OTHER = b"session1", b"session2"


def put_off(deferrals: Deferrals, session: bytes, calls: int, now_s: float, every_s: float = 0.0) -> int:
    """How many of so many calls were let through."""
    return sum(deferrals.allows(session, now_s + number * every_s) for number in range(calls))


def test_a_minute_or_a_hundred_calls() -> None:
    """Whichever is over first; for ever, as long as no page asks."""
    deferrals = Deferrals()
    assert put_off(deferrals, ONE, 300, 1000.0) == DEFER_CALLS
    assert put_off(deferrals, OTHER, 200, 1000.0, every_s=1.0) == DEFER_S + 1
    assert put_off(deferrals, OTHER, 1, 9000.0) == 0


def test_the_page_that_asks_gives_as_much_again_once() -> None:
    """While one tab answers the others go on; a second and a third page give nothing more."""
    deferrals = Deferrals()
    assert put_off(deferrals, ONE, 300, 1000.0) == 100
    deferrals.asked(ONE, 1030.0, shown=True)
    assert put_off(deferrals, ONE, 60, 1030.0) == 60
    deferrals.asked(ONE, 1040.0, shown=True)
    assert put_off(deferrals, ONE, 60, 1040.0) == 40
    deferrals.asked(ONE, 1050.0, shown=True)
    assert put_off(deferrals, ONE, 60, 1050.0) == 0


def test_solving_forgets_it() -> None:
    """A clearance that has run out is followed by another minute."""
    deferrals = Deferrals()
    deferrals.asked(ONE, 1000.0, shown=True)
    deferrals.solved(ONE)
    assert len(deferrals) == 0
    assert put_off(deferrals, ONE, 1, 2000.0) == 1


def test_a_session_that_begins_with_our_page_has_nothing_put_off() -> None:
    """A new one for every page would be a new minute for every page."""
    deferrals = Deferrals()
    deferrals.opened(ONE, 1000.0)
    assert put_off(deferrals, ONE, 5, 1001.0) == 0
    deferrals.asked(ONE, 1002.0, shown=True)
    assert put_off(deferrals, ONE, 5, 1003.0) == 0


def test_half_an_hour_later_it_begins_anew() -> None:
    """Counted from the last page that asked."""
    deferrals = Deferrals()
    deferrals.opened(ONE, 1000.0)
    deferrals.asked(ONE, 2000.0, shown=True)
    assert put_off(deferrals, ONE, 1, 2000.0 + UNANSWERED_S) == 0
    assert put_off(deferrals, ONE, 300, 2001.0 + UNANSWERED_S) == DEFER_CALLS


def test_what_was_not_shown_was_not_ignored() -> None:
    """Mode monitor: each page ends what was put off, as if it had been answered."""
    deferrals = Deferrals()
    for number in range(3):
        assert put_off(deferrals, ONE, 300, 1000.0 + number) == DEFER_CALLS
        deferrals.asked(ONE, 1000.5 + number, shown=False)


def test_it_is_bounded() -> None:
    """The one put in first goes first."""
    deferrals = Deferrals(most=10)
    for number in range(11):
        deferrals.opened(number.to_bytes(8, "big"), 1000.0)
    assert len(deferrals) == 10
    assert put_off(deferrals, bytes(8), 1, 1001.0) == 1
