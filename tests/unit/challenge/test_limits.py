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
        loops.helped(b"w")
        assert not loops.is_caught(b"w", 1, float(number))
    loops.helped(b"w")
    loops.minted(b"w", 51.0)
    loops.minted(b"w", 52.0)
    loops.helped(b"w")
    assert loops.is_caught(b"w", 1, 53.0)


def test_loops_are_bounded() -> None:
    """A client that is given clearance after clearance costs a bounded memory."""
    loops = Loops(limit=3)
    for number in range(1000):
        loops.minted(b"w", 0.001 * number)
        loops.minted(number.to_bytes(2, "big"), 0.001 * number)
    assert loops.is_caught(b"w", 100, 1.0)
    assert not loops.is_caught(b"w", 101, 1.0)
