"""Batches of a benchmark, and which of them ran on cores that nobody disturbed.

A core that is shared (a virtual machine's neighbours, a second thread of it, heat) gives 55 to 100 % of what it can, and changes
within seconds: an absolute figure then says more of the neighbours than of us.  So a fixed piece of work, which has nothing to do
with what is measured, is timed on the same cores before and after every run.  A round counts as undisturbed when that work never
had to wait for its core, and never took more than 15 % longer than it takes on this core when that is fast: than its fastest time, one in
fifty left out as luck.  Rounds are taken until there are enough of those.

A neighbour on the same hardware comes and goes within milliseconds: rounds of 5 to 50 ms with a short piece of work between them
(`brief`) find what is quiet where rounds of a second find nothing.  A busy process of the same machine, which has the core for some
milliseconds at a time, is met for certain by the long piece only; it can make a round slower, and never faster.

Law of the file: a round is chosen by the time of that work, never by its own result.  Too few of them, and the figure is not shown,
unless the median of all rounds, quiet or not, reaches what is wanted: neighbours make nobody faster.

LIMIT: cores that another machine slowed down all the time look undisturbed to it.  The figure is then too low, never too high; how long
the work took is printed beside it, and tells such a run from a quiet one.
"""

from __future__ import annotations

import os
import statistics
from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from time import monotonic, perf_counter, thread_time

import msgspec

WITHIN = 0.15  # guess: what a quiet core varies by itself is a third of it
LUCKY = 50  # guess: one in so many timings is faster than the core usually is; of thousands the very fastest says little
AT_MOST_S = 90.0
# Arithmetic and look-ups in some 6 MB, about 20 ms of it: several times what a busy neighbour on the same core is given at once.
_STEPS, _KEYS = 60_000, 60_000
_BRIEF_STEPS = 4_000  # of it, about a millisecond
_TABLE = {n * 7919: n for n in range(_KEYS)}

Calibrate = Callable[[int], float]


def work(steps: int = _STEPS) -> int:
    """The fixed piece of work, or a part of it."""
    number, total = 1, 0
    for _ in range(steps):
        number = number * 16_807 % 2_147_483_647
        total += _TABLE[number % _KEYS * 7919] & 3
    return total


@contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """This thread on one core, until the end of the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def calibrate(core: int, steps: int = _STEPS) -> float:
    """Seconds that the fixed piece of work takes on this core now; inf where others of this machine had the core meanwhile."""
    with pinned_to(core):
        began_s, worked_s = perf_counter(), thread_time()
        work(steps)
        return time_told(perf_counter() - began_s, thread_time() - worked_s)


def brief(core: int) -> float:
    """The same for rounds of milliseconds."""
    return calibrate(core, _BRIEF_STEPS)


def time_told(took_s: float, worked_s: float) -> float:
    """The time that was taken, if nearly all of it was worked; inf for one in which the work waited for its core."""
    return took_s if took_s <= worked_s * (1 + WITHIN) else inf


class Round(msgspec.Struct, frozen=True):
    """One run of each measurement.  `slowest_s`: for each core the longest calibration before, between and after them."""

    values: dict[str, float]
    slowest_s: tuple[float, ...]


class Rounds(msgspec.Struct, frozen=True):
    """What was taken.  `best_s`: for each core how long the work takes when it is fast; `enough`: undisturbed rounds that are wanted."""

    all: list[Round]
    best_s: tuple[float, ...]
    enough: int

    def is_undisturbed(self, one: Round) -> bool:
        """Whether every core was as fast during it as it ever was, or nearly."""
        return all(slow <= best * (1 + WITHIN) and slow < inf for slow, best in zip(one.slowest_s, self.best_s, strict=True))

    @property
    def undisturbed(self) -> list[Round]:
        """The rounds that count."""
        return [one for one in self.all if self.is_undisturbed(one)]

    @property
    def is_shown(self) -> bool:
        """Whether there are enough undisturbed rounds to say anything."""
        return len(self.undisturbed) >= self.enough

    def median(self, name: str = "") -> float:
        """Of the undisturbed rounds; of all where there are too few of them: such a figure is not shown, whatever it is."""
        return statistics.median(one.values[name] for one in (self.undisturbed if self.is_shown else self.all))

    def median_of_all(self, name: str = "") -> float:
        """Of every round that was taken."""
        return statistics.median(one.values[name] for one in self.all)

    def reached(self, is_met: bool) -> bool | None:
        """For a figure that `median` gave: None, not shown, where it is missed and there are too few undisturbed rounds."""
        return is_met or (False if self.is_shown else None)

    def words(self, of_all: str, what: str = "rounds") -> str:
        """How many counted, beside it the figure by all of them, and how fast the core was: to compare one run with another."""
        count, total = len(self.undisturbed), len(self.all)
        speed = f"the fixed work took {' and '.join(f'{one_s * 1e3:.2f}' for one_s in self.best_s)} ms on it"
        if not self.is_shown:
            return f"the median of all {total} {what}: only {count} were on an undisturbed core, and {self.enough} are wanted; {speed}"
        return f"median of the {count} of {total} {what} on an undisturbed core; of all {total}: {of_all}; {speed}"


def take(
    measures: Mapping[str, Callable[[], float]],
    cores: Sequence[int],
    *,
    enough: int,
    at_most: int,
    at_least: int = 1,
    at_most_s: float = AT_MOST_S,
    calibrate: Calibrate = calibrate,
    clock_s: Callable[[], float] = monotonic,
) -> Rounds:
    """Rounds of these measurements in turn, until `enough` were undisturbed, or there are `at_most`, or the time is up.

    `cores`: those that the measured processes run on.  `at_least`: so many rounds are taken anyway, so that a core that was slow at
    first is not taken for an undisturbed one.
    """
    began_s = clock_s()
    timed: tuple[list[float], ...] = tuple([] for _ in cores)  # by core, the fastest first

    def look() -> tuple[float, ...]:
        now = tuple(calibrate(core) for core in cores)
        for one_s, of_core in zip(now, timed, strict=True):
            insort(of_core, one_s)
        return now

    last = look()
    taken: list[Round] = []
    while True:
        slowest, values = last, {}
        # Every other turn backwards: whoever runs after a hungry neighbour is not always the same.
        for name in sorted(measures, reverse=bool(len(taken) % 2)):
            values[name] = measures[name]()
            last = look()
            slowest = tuple(map(max, slowest, last))
        taken.append(Round(values, slowest))
        rounds = Rounds(taken, tuple(of_core[len(of_core) // LUCKY] for of_core in timed), enough)
        # Counted again only when there is one more: there may be thousands of rounds.
        is_enough = len(taken) >= at_least and rounds.is_undisturbed(taken[-1]) and rounds.is_shown
        if is_enough or len(taken) >= at_most or clock_s() - began_s >= at_most_s:
            return rounds
