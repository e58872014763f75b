"""Whether what was read of a process again and again grows: the slope of its memory, and what must stay as it was.

Law of the file: arithmetic only; times are seconds since the start, the readings are in the order of time.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

GOAL_MIB_PER_MIN = 1.0
SETTLE_S = 300.0  # a service that has just started fills its tables; growth counts from here on


class Reading(msgspec.Struct, frozen=True):
    """One look at the service.  `rss_kib`: resident memory; `open_files`, `threads`, `tasks` (of asyncio): how many there are."""

    at_s: float
    rss_kib: int
    open_files: int
    threads: int
    tasks: int


def settled(readings: Sequence[Reading], total_s: float) -> list[Reading]:
    """The readings from SETTLE_S on; of a run that is shorter than twice that, the second half."""
    begin_s = min(SETTLE_S, total_s / 2)
    return [one for one in readings if one.at_s >= begin_s]


def slope_per_min(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line of least squares, per minute, through (seconds, value).  Under two points: 0."""
    if len(points) < 2:
        return 0.0
    line = statistics.linear_regression([at_s for at_s, _ in points], [value for _, value in points])
    return line.slope * 60.0


def is_constant(values: Sequence[int]) -> bool:
    """Whether the lowest of the last third is what the lowest of the first third was: two more, or two in a hundred, are allowed.

    What comes and goes is no growth (nginx keeps more connections while the machine is busy); what is never given back raises the
    lowest reading, too.
    """
    third = len(values) // 3
    if third < 1:
        return False
    before, after = min(values[:third]), min(values[-third:])
    return after - before <= max(2.0, 0.02 * before)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a soak says.  `minutes`: those that were looked at, without the settling."""

    minutes: float
    rss_mib: tuple[float, float]
    mib_per_min: float
    open_files: tuple[int, int]
    threads: tuple[int, int]
    tasks: tuple[int, int]
    grown: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every goal was reached."""
        return not self.grown


def outcome(readings: Sequence[Reading], total_s: float) -> Outcome:
    """The figures of a run of `total_s` seconds.  Errors: ValueError for fewer than three readings after settling."""
    seen = settled(readings, total_s)
    if len(seen) < 3:
        raise ValueError(f"{len(seen)} readings after settling; accepted: three or more, so let it run for longer")
    slope = slope_per_min([(one.at_s, one.rss_kib / 1024) for one in seen])
    counts = {
        "open files": [one.open_files for one in seen],
        "threads": [one.threads for one in seen],
        "asyncio tasks": [one.tasks for one in seen],
    }
    grown = [name for name, values in counts.items() if not is_constant(values)]
    if slope >= GOAL_MIB_PER_MIN:
        grown.insert(0, "memory")
    return Outcome(
        minutes=(seen[-1].at_s - seen[0].at_s) / 60,
        rss_mib=(seen[0].rss_kib / 1024, seen[-1].rss_kib / 1024),
        mib_per_min=slope,
        open_files=(min(counts["open files"]), max(counts["open files"])),
        threads=(min(counts["threads"]), max(counts["threads"])),
        tasks=(min(counts["asyncio tasks"]), max(counts["asyncio tasks"])),
        grown=tuple(grown),
    )
