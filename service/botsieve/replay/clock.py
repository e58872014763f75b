"""Whether the clock of a log can be believed: `ordered`, `resorted` or `scrambled`, and how fine it is.

Law of the file: docs/replay.md gives the limits.  A scrambled clock makes timing, windows and rates neutral; one coarser than
0.1 s makes regular timing neutral, since what lies between two stamps is then the rounding's, not the client's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

ORDERED, RESORTED, SCRAMBLED = "ordered", "resorted", "scrambled"

# docs/replay.md: less than 1 % of the lines, by less than 60 s, can be sorted.
MAX_BACKWARD_SHARE = 0.01
# Several nginx workers write one log, each by its own reading of the clock: a busy log goes back by a little all the time.
JITTER_S = 1.0
SORT_WINDOW_S = 60.0
# docs/replay.md: regular timing is not judged on stamps coarser than this.
FINE_S = 0.1

# Fewer stamps than this say nothing about how fine a clock is.
_ENOUGH = 10
_STEPS_MS = (60_000, 1_000, 100, 10)


class FileClock:
    """What the stamps of one file show, taken in the order of its lines."""

    __slots__ = ("_coarsest", "_previous_s", "backward", "count", "displaced_s", "far", "first_s", "last_s")

    def __init__(self) -> None:
        self.count = 0
        self.backward = 0
        self.far = 0
        self.displaced_s = 0.0
        self.first_s = math.inf
        self.last_s = -math.inf
        self._previous_s = -math.inf
        self._coarsest = 0  # index into _STEPS_MS

    def tick(self, time_s: float) -> None:
        """One more stamp.  `backward`: stamps before their predecessor; `far`: by more than jitter.  `displaced_s`: how far one
        lies behind the newest."""
        self.count += 1
        if time_s < self._previous_s:
            self.backward += 1
            self.far += self._previous_s - time_s > JITTER_S
        self._previous_s = time_s
        if time_s > self.last_s:
            self.last_s = time_s
        elif self.last_s - time_s > self.displaced_s:
            self.displaced_s = self.last_s - time_s
        if time_s < self.first_s:
            self.first_s = time_s
        while self._coarsest < len(_STEPS_MS) and round(time_s * 1000) % _STEPS_MS[self._coarsest]:
            self._coarsest += 1

    def resolution_s(self, nominal_s: float) -> float:
        """The coarsest step that all stamps keep, at least what the format can hold (`nominal_s`)."""
        if self.count < _ENOUGH:
            return nominal_s
        shown_ms = _STEPS_MS[self._coarsest] if self._coarsest < len(_STEPS_MS) else 1
        return max(nominal_s, shown_ms / 1000)


class ClockVerdict(msgspec.Struct, frozen=True):
    """`clock`: one of the three words.  `backward`: lines that go back.  `first_s`, `last_s`: None without a request."""

    clock: str
    resolution_s: float
    backward: int
    first_s: float | None
    last_s: float | None

    @property
    def windows_judged(self) -> bool:
        """Windows and rates mean something."""
        return self.clock != SCRAMBLED

    @property
    def timing_judged(self) -> bool:
        """Intervals mean something too."""
        return self.windows_judged and self.resolution_s <= FINE_S


def judge_clock(clocks: Iterable[tuple[FileClock, float]]) -> ClockVerdict:
    """The verdict on several files (clock, resolution in seconds), each of which must be in order by itself."""
    judged = [(clock, resolution_s) for clock, resolution_s in clocks if clock.count]
    if not judged:
        return ClockVerdict(ORDERED, 1.0, 0, None, None)
    count = sum(clock.count for clock, _ in judged)
    backward = sum(clock.backward for clock, _ in judged)
    far = sum(clock.far for clock, _ in judged)
    displaced_s = max(clock.displaced_s for clock, _ in judged)
    word = ORDERED
    if backward:
        sortable = not far or far < MAX_BACKWARD_SHARE * count
        word = RESORTED if sortable and displaced_s < SORT_WINDOW_S else SCRAMBLED
    return ClockVerdict(
        clock=word,
        resolution_s=max(resolution_s for _, resolution_s in judged),
        backward=backward,
        first_s=min(clock.first_s for clock, _ in judged),
        last_s=max(clock.last_s for clock, _ in judged),
    )
