"""clock.py: a clock that nobody can set, whatever is done to the machine's."""

from __future__ import annotations

import time

import pytest
from botsieve import clock
from botsieve.clock import Clock
from hypothesis import given
from hypothesis import strategies as st


class Times:
    """The machine's clocks, moved by the test."""

    CLOCK_BOOTTIME = 7

    def __init__(self) -> None:
        self.wall_s = 1_800_000_000.0
        self.steady_s = 500.0

    def time(self) -> float:
        return self.wall_s

    def clock_gettime(self, which: int) -> float:
        assert which == clock._STEADY
        return self.steady_s


# Who reads the clock: seconds that pass, and by how much the wall clock is set meanwhile.
steps = st.lists(st.tuples(st.floats(0, 100), st.sampled_from([0.0, 0.0, 3600.0, -3600.0, -0.5, 86_400.0])), max_size=40)


@given(steps)
def test_never_goes_back_and_never_jumps(told: list[tuple[float, float]]) -> None:
    """Whatever is set: it goes on by what has passed, no more and no less."""
    times = Times()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "time", times)
        own = Clock()
        wanted_s = own.now_s()
        assert wanted_s == times.wall_s
        for passed_s, set_by_s in told:
            times.steady_s += passed_s
            times.wall_s += passed_s + set_by_s
            wanted_s += passed_s
            assert own.now_s() == pytest.approx(wanted_s, abs=1e-3)


@pytest.mark.parametrize("set_by_s", [3600.0, -3600.0, 86_400.0, -86_400.0])
def test_the_log_says_the_machines_time(set_by_s: float) -> None:
    """Set by an hour or a day: what people read follows at once, what windows are measured with does not."""
    times = Times()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "time", times)
        own = Clock()
        before_s = own.now_s()
        times.wall_s += set_by_s
        assert own.wall_s() == before_s + set_by_s
        assert own.now_s() == before_s


def test_is_the_machines_clock() -> None:
    """Without interference: seconds since 1970."""
    assert abs(Clock().now_s() - time.time()) < 5
    assert abs(Clock().wall_s() - time.time()) < 5
