"""clock.py: a clock that never goes back, whatever is done to the machine's."""

from __future__ import annotations

import time

import pytest
from botsieve import clock
from botsieve.clock import Clock
from hypothesis import given
from hypothesis import strategies as st


class Times:
    """The machine's two clocks, moved by the test."""

    def __init__(self) -> None:
        self.wall_s = 1_800_000_000.0
        self.steady_s = 500.0

    def time(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.steady_s


# Who reads the clock: seconds that pass, and by how much the wall clock is set meanwhile.
steps = st.lists(st.tuples(st.floats(0, 100), st.sampled_from([0.0, 0.0, 3600.0, -3600.0, -0.5, 86_400.0])), max_size=40)


@given(steps)
def test_never_goes_back(told: list[tuple[float, float]]) -> None:
    """Whatever passes and is set: not before the last reading, not behind the machine's clock."""
    times = Times()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "time", times)
        own = Clock()
        last_s = own.now_s()
        for passed_s, set_by_s in told:
            times.steady_s += passed_s
            times.wall_s += passed_s + set_by_s
            now_s = own.now_s()
            assert now_s >= max(last_s, times.wall_s)
            last_s = now_s


def test_goes_on_after_a_step_backwards() -> None:
    """Set back by an hour, it goes on at its usual pace from where it was, and stands still for nobody."""
    times = Times()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "time", times)
        own = Clock()
        before_s = own.now_s()
        times.wall_s -= 3600
        for passed_s in (1, 2, 3):
            times.steady_s += 1
            times.wall_s += 1
            assert own.now_s() == before_s + passed_s


def test_is_the_machines_clock() -> None:
    """Without interference: seconds since 1970."""
    assert abs(Clock().now_s() - time.time()) < 5
