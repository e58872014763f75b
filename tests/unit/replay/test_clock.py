"""Whether a log's clock can be believed."""

from __future__ import annotations

import pytest
from botsieve.replay.clock import FileClock, judge_clock


def clock_of(stamps: list[float]) -> FileClock:
    """A clock that has seen these stamps."""
    clock = FileClock()
    for stamp in stamps:
        clock.tick(stamp)
    return clock


def going(count: int, back: dict[int, float] | None = None, step_s: float = 1.001) -> list[float]:
    """`count` stamps in order, of which those at the given places lie so many seconds earlier."""
    back = back or {}
    return [10_000 + at * step_s - back.get(at, 0.0) for at in range(count)]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (going(1000), ("ordered", 0, True)),
        ([5.5] * 20, ("ordered", 0, True)),
        (going(1000, {500: 30.0}), ("resorted", 1, True)),
        (going(1000, dict.fromkeys(range(100, 1000, 100), 59.0)), ("resorted", 9, True)),  # 0.9 %
        (going(1000, dict.fromkeys(range(100, 1000, 90), 5.0)), ("scrambled", 10, False)),  # 1 % is not less than 1 %
        (going(1000, {500: 61.1}), ("scrambled", 1, False)),
        (going(100, {50: 3.0}), ("scrambled", 1, False)),
        # Two workers of a busy nginx: every other line is up to a second older.  Each by itself does not go far back.
        (going(1000, dict.fromkeys(range(1, 1000, 2), 0.9), step_s=0.001), ("resorted", 500, True)),
        (going(1000, dict.fromkeys(range(1, 1000, 2), 30.0), step_s=0.001), ("scrambled", 500, False)),
        (sorted(going(1000, step_s=0.1), reverse=True), ("scrambled", 999, False)),
    ],
)
def test_verdict(stamps: list[float], expected: tuple[str, int, bool]) -> None:
    """docs/replay.md: less than 1 % of the lines, by less than 60 s, can be sorted, and any number that go back by a second at most;
    more is scrambled."""
    verdict = judge_clock([(clock_of(stamps), 0.001)])
    assert (verdict.clock, verdict.backward, verdict.windows_judged) == expected


def test_several_files_are_in_order_each_by_itself() -> None:
    """Rotated logs may be named in any order."""
    old, new = clock_of([1.5, 2.5]), clock_of([100.5, 101.5])
    verdict = judge_clock([(new, 0.001), (old, 0.001)])
    assert (verdict.clock, verdict.first_s, verdict.last_s) == ("ordered", 1.5, 101.5)


@pytest.mark.parametrize(
    ("stamps", "nominal_s", "expected_s"),
    [
        (going(100, step_s=1.001), 0.001, 0.001),
        (going(100, step_s=0.5), 0.001, 0.1),
        (going(100, step_s=1.0), 0.001, 1.0),
        ([60.0 * at for at in range(100)], 1.0, 60.0),
        (going(100, step_s=7.0), 1.0, 1.0),
        (going(9, step_s=1.0), 0.001, 0.001),
        (going(100, step_s=0.01), 0.001, 0.01),
    ],
)
def test_resolution(stamps: list[float], nominal_s: float, expected_s: float) -> None:
    """The coarsest step that all stamps keep; a few stamps say nothing about it."""
    assert clock_of(stamps).resolution_s(nominal_s) == expected_s


@pytest.mark.parametrize(("resolution_s", "judged"), [(0.001, True), (0.1, True), (1.0, False)])
def test_coarse_clock(resolution_s: float, judged: bool) -> None:
    """Windows still mean something on whole seconds, intervals do not."""
    verdict = judge_clock([(clock_of(going(100)), resolution_s)])
    assert (verdict.windows_judged, verdict.timing_judged) == (True, judged)


def test_nothing() -> None:
    """A log without a request has no time."""
    verdict = judge_clock([(FileClock(), 1.0)])
    assert (verdict.clock, verdict.first_s, verdict.last_s) == ("ordered", None, None)
