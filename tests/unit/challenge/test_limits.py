"""challenge/limits.py: quotas and loops."""

from __future__ import annotations

from botsieve.challenge.limits import Loops, PerMinute
from hypothesis import given
from hypothesis import strategies as st


def test_a_minute_allows_its_limit() -> None:
    """The sixtieth is allowed, the sixty-first is not; others are not concerned; a minute later it is over."""
    quota = PerMinute()
    for _ in range(60):
        assert quota.allows(b"a", 60, 600.0)
        quota.count(b"a", 600.0)
    assert not quota.allows(b"a", 60, 659.0)
    assert quota.allows(b"b", 60, 659.0)
    assert not quota.allows(b"a", 60, 660.0), "the minute slides: a new minute of the clock is no new quota"
    assert quota.allows(b"a", 60, 662.0)
    assert quota.allows(b"a", 60, 900.0)


@given(st.lists(st.floats(0.0, 300.0), max_size=120))
def test_no_clock_minute_holds_more(times: list[float]) -> None:
    """In any order of arrival no minute of the clock lets more than the limit through."""
    quota = PerMinute()
    passed: dict[int, int] = {}
    for now_s in sorted(times):
        if quota.allows(b"a", 5, now_s):
            quota.count(b"a", now_s)
            passed[int(now_s // 60)] = passed.get(int(now_s // 60), 0) + 1
    assert all(count <= 5 for count in passed.values())


def test_three_that_never_came_back_are_a_loop() -> None:
    """Within five minutes; the oldest leaves the window."""
    loops = Loops()
    for now_s in (0.0, 10.0, 20.0):
        assert not loops.is_caught(b"w", 3, now_s)
        loops.minted(b"w", now_s)
    assert loops.is_caught(b"w", 3, 21.0)
    assert not loops.is_caught(b"v", 3, 21.0)
    assert not loops.is_caught(b"w", 3, 300.0)


def test_people_behind_one_address_are_no_loop() -> None:
    """Clearances that come back take their own count away, however many there are."""
    loops = Loops()
    for number in range(50):
        loops.minted(b"w", float(number))
        loops.helped(b"w", float(number))
        assert not loops.is_caught(b"w", 1, float(number))


def test_an_office_that_starts_work_is_no_loop() -> None:
    """Of forty people with one browser some have just solved, some have left: nobody else is told that his browser keeps nothing."""
    loops = Loops()
    for number in range(40):
        loops.minted(b"w", float(number))
        if number % 5:
            loops.helped(b"w", number + 0.5)
        assert not loops.is_caught(b"w", 3, number + 0.6)


def test_a_loop_in_an_office_ends() -> None:
    """Whose browser keeps nothing is told after some more; five minutes after the others he is on his own again."""
    loops = Loops()
    for number in range(200):
        loops.minted(b"w", number / 10)
        loops.helped(b"w", number / 10)
    turns = 0
    while not loops.is_caught(b"w", 3, 20.0 + turns):
        loops.minted(b"w", 20.0 + turns)
        turns += 1
    assert turns == 23
    loops = Loops()
    loops.helped(b"w", 0.0)
    for now_s in (301.0, 302.0, 303.0):
        loops.minted(b"w", now_s)
    assert loops.is_caught(b"w", 3, 304.0)


def test_loops_are_bounded() -> None:
    """A client that is given clearance after clearance costs a bounded memory."""
    loops = Loops(limit=3)
    for number in range(1000):
        loops.minted(b"w", 0.001 * number)
        loops.minted(number.to_bytes(2, "big"), 0.001 * number)
    assert loops.is_caught(b"w", 100, 1.0)
    assert not loops.is_caught(b"w", 101, 1.0)
