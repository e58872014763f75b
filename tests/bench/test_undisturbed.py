"""tests/bench/undisturbed.py: which rounds count, and when there are too few of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from math import inf

import pytest

from tests.bench.undisturbed import Rounds, calibrate, take, time_told

BUSY = 8  # processes: what else the machine does is little beside them


def rounds(calibrations: list[float], values: list[float], **bounds: float) -> Rounds:
    """Rounds of one measurement on core 0, by what the fixed work and the measurement gave."""
    given, measured = iter(calibrations), iter(values)
    words: dict[str, float] = {"enough": 2, "at_most": len(values)} | bounds
    return take({"": lambda: next(measured)}, [0], calibrate=lambda core: next(given), clock_s=lambda: 0.0, **words)  # type: ignore[arg-type]


def test_a_round_counts_when_the_core_was_fast_before_and_after() -> None:
    """Slow on either side, and it does not; the figure is of those that count, and all of them stand beside it."""
    found = rounds([1.0, 1.1, 2.0, 1.14, 1.0], [50, 20, 30, 52])
    assert [one.values[""] for one in found.undisturbed] == [50, 52]
    assert found.is_shown
    assert found.median() == 51
    assert found.median_of_all() == 40
    assert found.reached(True) is True
    assert found.reached(False) is False
    assert (
        found.words("40/s", "batches")
        == "median of the 2 of 4 batches on an undisturbed core; of all 4: 40/s; the fixed work took 1000.00 ms on it"
    )


def test_rounds_are_taken_until_enough_were_undisturbed() -> None:
    """No more of them than are needed."""
    assert len(rounds([1.0] * 9, [1.0] * 8).all) == 2
    assert len(rounds([1.0, 2.0, 1.0, 1.0, 1.0, 1.0], [1.0] * 5).all) == 4


def test_so_many_rounds_are_taken_anyway() -> None:
    """A core that is slow at first is found out."""
    found = rounds([1.5, 1.5, 1.5, 1.0, 1.0, 1.0, 1.0], [10, 11, 12, 20, 21, 22], at_least=4)
    assert [one.values[""] for one in found.undisturbed] == [20, 21]


def test_a_faster_core_later_on_unmakes_what_seemed_undisturbed() -> None:
    """The best of the whole measurement is what counts, also for rounds before it."""
    found = rounds([1.6, 1.6, 1.0, 1.0, 1.0], [20, 25, 50, 54])
    assert [one.values[""] for one in found.undisturbed] == [50, 54]


def test_one_lucky_timing_does_not_make_all_others_slow() -> None:
    """Of a hundred timings two may be faster than the core is; of a few none is left out."""
    lucky = [1.0] * 50 + [0.5] + [1.0] * 50
    assert len(rounds(lucky, [7.0] * 100, enough=100, at_most=100).undisturbed) == 100
    assert rounds([1.0, 1.0, 0.5, 0.5, 1.0], [7, 8, 9, 10], enough=4).undisturbed[0].values[""] == 9


def test_too_few_are_not_shown_whatever_they_say() -> None:
    """Not missed either, and the figure says why; it is the median of all, and what that reaches is reached."""
    found = rounds([1.0, 1.0, 1.5, 1.5, 1.5], [100, 10, 20, 30], enough=2)
    assert not found.is_shown
    assert found.median() == found.median_of_all() == 25
    assert found.reached(False) is None
    assert found.reached(True) is True
    assert (
        found.words("25/s")
        == "the median of all 4 rounds: only 1 were on an undisturbed core, and 2 are wanted; the fixed work took 1000.00 ms on it"
    )


def test_it_ends_in_time() -> None:
    """A machine that is never quiet ends it by the clock, after one round at least."""
    clock = iter([0.0, 30.0, 60.0, 90.0, 120.0])
    slower = iter(1.5**n for n in range(20))
    found = take({"": lambda: 1.0}, [0], enough=9, at_most=99, calibrate=lambda core: next(slower), clock_s=lambda: next(clock))
    assert len(found.all) == 3
    late = take({"": lambda: 1.0}, [0], enough=9, at_most=99, at_most_s=0, calibrate=lambda core: 1.0, clock_s=lambda: 5.0)
    assert len(late.all) == 1


def test_every_run_of_a_round_and_every_core_has_to_be_undisturbed() -> None:
    """The work is timed between the runs too; each core is held against its own best."""
    order: list[str] = []
    told = {0: iter([1.0] * 9), 1: iter([3.0, 3.0, 3.1, 5.0, 3.0, 3.0, 3.0, 3.0, 3.0])}

    def run(name: str) -> float:
        order.append(name)
        return len(order)

    measures = {"a": lambda: run("a"), "b": lambda: run("b")}
    found = take(measures, (0, 1), enough=3, at_most=3, calibrate=lambda core: next(told[core]), clock_s=lambda: 0.0)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [one.slowest_s for one in found.all] == [(1.0, 3.1), (1.0, 5.0), (1.0, 3.0)]
    assert [one.values for one in found.undisturbed] == [{"a": 1, "b": 2}, {"a": 5, "b": 6}]


@pytest.fixture
def neighbours() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Busy processes on this test's core, stopped at first."""
    core = max(os.sched_getaffinity(0))
    busy = f"import os\nos.sched_setaffinity(0, {{{core}}})\nprint(flush=True)\nwhile True: pass"
    started = [subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) for _ in range(BUSY)]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_round_beside_busy_neighbours_is_told_from_a_quiet_one(neighbours: list[subprocess.Popen[bytes]]) -> None:
    """They come and go: the work says each time that it had to wait, and no round beside them counts."""
    core = max(os.sched_getaffinity(0))
    timings, rounds = iter(range(13)), iter(range(12))
    told: list[float] = []

    def timed(core: int) -> float:
        """Two timings without neighbours, two with them, and so on: rounds 0, 4 and 8 have none on either side."""
        how = signal.SIGCONT if next(timings) % 4 >= 2 else signal.SIGSTOP
        for process in neighbours:
            process.send_signal(how)
        told.append(calibrate(core))
        return told[-1]

    found = take({"": lambda: float(next(rounds))}, [core], enough=12, at_most=12, calibrate=timed)
    assert [told[number] for number in (2, 3, 6, 7, 10, 11)] == [inf] * 6
    assert {one.values[""] for one in found.undisturbed} <= {0.0, 4.0, 8.0}
    assert not found.is_shown


def test_work_that_waited_for_its_core_is_no_measure() -> None:
    """Nearly all of the time was worked: that is the time.  A core that others had all along is never undisturbed."""
    assert time_told(0.022, 0.020) == 0.022
    assert time_told(0.030, 0.020) == inf
    assert rounds([inf] * 4, [50, 51, 52]).undisturbed == []


def test_calibration_leaves_the_process_where_it_was() -> None:
    """On the cores that it had, and the work takes time."""
    before = os.sched_getaffinity(0)
    assert calibrate(max(before)) > 0.001
    assert os.sched_getaffinity(0) == before
