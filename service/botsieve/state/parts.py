"""The parts that profiles are made of.  Each is read in O(1) when a request is observed; nothing is recomputed from a list.

Law of the file: a part is a function of the set of things it was told, not of the order in which two processes told each other.
`merge` is commutative, associative and idempotent; property tests hold it (docs/architecture.md, "State").
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from itertools import pairwise
from math import sqrt

# A stamp is a time in ms and the low bits of the request's id: two requests in one ms stay two, one request told twice stays one.
ID_BITS = 12
_ID_MASK = (1 << ID_BITS) - 1
_COARSE_MS = 100  # stamps coarser than 0.1 s are no evidence about timing (docs/mission.md S1-31)


class Beats:
    """The newest `keep` arrival times of one thing, with the sum and the sum of squares of the intervals between them.

    Times are integer ms of the edge's clock.  O(1) for a time that is the newest, O(keep) for one that arrives late.
    `newest`, `oldest`: of its `count` stamps, 0 without one.
    """

    __slots__ = ("_packed", "count", "fine", "newest", "oldest", "sum_ms", "sum_sq")

    def __init__(self) -> None:
        # One object, and compiled code adds to it without a call: an array is two, and costs three times as much.
        self._packed = b""  # the stamps, oldest first, in 8 bytes each
        self.count = 0
        self.newest = 0
        self.oldest = 0
        self.sum_ms = 0
        self.sum_sq = 0
        self.fine = 0  # how many of the stamps are finer than _COARSE_MS

    @property
    def stamps(self) -> list[int]:
        """All of them, oldest first."""
        return [self._stamp(at) for at in range(self.count)]

    def _stamp(self, at: int) -> int:
        return int.from_bytes(self._packed[8 * at : 8 * at + 8], "big", signed=True)

    def add(self, time_ms: int, id_bits: int, keep: int, window_ms: int) -> None:
        """Counts one arrival; forgets what is older than `window_ms` before it and beyond the newest `keep`."""
        stamp = (time_ms << ID_BITS) | (id_bits & _ID_MASK)
        packed = stamp.to_bytes(8, "big", signed=True)
        if self.count:
            if stamp <= self.newest:
                if stamp != self.newest:
                    self._insert(stamp, keep, window_ms)
                return
            gap = time_ms - (self.newest >> ID_BITS)
            if gap > window_ms:
                self._reset()
            else:
                self.sum_ms += gap
                self.sum_sq += gap * gap
        if self.count:
            self._packed = self._packed + packed
        else:
            self._packed = packed
            self.oldest = stamp
        self.newest = stamp
        self.count += 1
        if time_ms % _COARSE_MS:
            self.fine += 1
        if self.count > keep or (self.oldest >> ID_BITS) < time_ms - window_ms:
            self._drop_old(keep, time_ms - window_ms)

    def _reset(self) -> None:
        self.count = self.sum_ms = self.sum_sq = self.fine = 0

    def _drop_old(self, keep: int, oldest_ms: int) -> None:
        gone = 0
        while self.count > keep or (self.oldest >> ID_BITS) < oldest_ms:
            first = self.oldest >> ID_BITS
            if first % _COARSE_MS:
                self.fine -= 1
            gone += 1
            self.count -= 1
            if not self.count:
                break
            self.oldest = self._stamp(gone)
            gap = (self.oldest >> ID_BITS) - first
            self.sum_ms -= gap
            self.sum_sq -= gap * gap
        self._packed = self._packed[8 * gone :]

    def _insert(self, stamp: int, keep: int, window_ms: int) -> None:
        stamps = self.stamps
        if stamp in stamps or (stamp >> ID_BITS) < (stamps[-1] >> ID_BITS) - window_ms:
            return
        insort(stamps, stamp)
        self.load(stamps[-keep:])

    def load(self, stamps: Iterable[int]) -> None:
        """Takes these stamps (ascending) in place of its own; sums anew."""
        held = list(stamps)
        self._packed = b"".join([stamp.to_bytes(8, "big", signed=True) for stamp in held])
        self.count = len(held)
        self.oldest, self.newest = (held[0], held[-1]) if held else (0, 0)
        times = [stamp >> ID_BITS for stamp in held]
        gaps = [after - before for before, after in pairwise(times)]
        self.sum_ms = sum(gaps)
        self.sum_sq = sum(gap * gap for gap in gaps)
        self.fine = sum(1 for time_ms in times if time_ms % _COARSE_MS)

    def merge(self, other: Beats, keep: int, window_ms: int) -> None:
        """Takes another process's part: union by (time, request id), the newest `keep` within `window_ms` of the newest."""
        union = sorted(set(self.stamps) | set(other.stamps))[-keep:]
        oldest_ms = (union[-1] >> ID_BITS) - window_ms if union else 0
        self.load(stamp for stamp in union if stamp >> ID_BITS >= oldest_ms)

    def __len__(self) -> int:
        return self.count

    @property
    def is_coarse(self) -> bool:
        """Every stamp is a multiple of 0.1 s: the clock, not the client, is regular."""
        return self.fine == 0

    def rhythm(self) -> tuple[float, float]:
        """Coefficient of variation and mean (s) of the intervals: sample standard deviation / mean (docs/mission.md S1-27).

        Both 0.0 with fewer than two stamps; cv is 0.0 for a mean of 0 or a single interval.
        """
        count = self.count - 1
        if count < 1:
            return 0.0, 0.0
        mean_ms = self.sum_ms / count
        if mean_ms <= 0.0 or count < 2:
            return 0.0, mean_ms / 1000.0
        variance = (self.sum_sq - self.sum_ms * mean_ms) / (count - 1)
        return sqrt(variance if variance > 0.0 else 0.0) / mean_ms, mean_ms / 1000.0


def first_of(seen: dict[int, float]) -> tuple[int, float]:
    """The entry that was put in first: the oldest of a LastSeen.  Errors: KeyError when there is none.

    A loop, not `next(iter(...))`: compiled, it takes no call and no second look.
    """
    for thing, time_s in seen.items():
        return thing, time_s
    raise KeyError("nothing was seen")


class LastSeen:
    """The N different things seen last, each with its last time.  "N different within W" is exact under any padding.

    Things are 64-bit hashes.  A dict in order of last sight: the oldest is first.  `seen` is public for readers' speed.
    """

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}

    def add(self, thing: int, time_s: float, keep: int) -> bool:
        """Counts one sight; true if the thing was not among the last `keep`."""
        seen = self.seen
        before = len(seen)
        seen[thing] = time_s
        if len(seen) == before:
            if before > 1:  # the dict is in the order of the last sights
                del seen[thing]
                seen[thing] = time_s
            return False
        if before >= keep:
            del seen[first_of(seen)[0]]
        return True

    def turn(self, thing: int, time_s: float, keep: int, horizon_s: float) -> None:
        """Counts one sight, and drops what was last seen before `horizon_s`, else the oldest of more than `keep`."""
        seen = self.seen
        before = len(seen)
        seen[thing] = time_s
        if len(seen) == before:
            if before == 1 and time_s >= horizon_s:  # mostly: one page again and again, one address of a network
                return
            del seen[thing]
            seen[thing] = time_s
        oldest, oldest_s = first_of(seen)
        if oldest_s < horizon_s:
            self.forget_before(horizon_s)
        elif len(seen) > keep:
            del seen[oldest]

    def forget_before(self, time_s: float) -> int:
        """Drops what was last seen before `time_s`; how many are left.  Amortised O(1)."""
        seen = self.seen
        while seen:
            oldest, oldest_s = first_of(seen)
            if oldest_s >= time_s:
                break
            del seen[oldest]
        return len(seen)

    def merge(self, other: LastSeen, keep: int) -> None:
        """Takes another process's part: the later time per thing, the `keep` latest."""
        union = dict(self.seen)
        for thing, time_s in other.seen.items():
            if union.get(thing, time_s) <= time_s:
                union[thing] = time_s
        latest = sorted(union.items(), key=lambda entry: (entry[1], entry[0]))[-keep:]
        self.seen = dict(latest)

    def __len__(self) -> int:
        return len(self.seen)


class Windowed:
    """Counts per time slice.  Each process owns its part and publishes its absolute value; the whole is the sum over parts.

    A slice is named by the number of its start; its length is the caller's.  `total` sums what is inside the window.
    """

    __slots__ = ("_counts", "_here", "newest", "total")

    def __init__(self, slices: int) -> None:
        self._counts = [0] * slices
        self._here = 0  # what the newest slice holds: nearly all of it is counted without a look at the others
        self.newest = 0
        self.total = 0

    def add(self, number: int, amount: int = 1) -> int:
        """Counts `amount` in slice `number` (time / length of a slice); the total of the window after it."""
        if number > self.newest:
            self._turn(number)
        if number == self.newest:
            self._here += amount
        elif number > self.newest - len(self._counts):
            self._counts[number % len(self._counts)] += amount
        else:
            return self.total  # older than the window: no longer of interest
        self.total += amount
        return self.total

    def read(self, number: int) -> int:
        """The total of the window that ends with slice `number`."""
        if number > self.newest:
            self._turn(number)
        return self.total

    def _turn(self, number: int) -> None:
        counts = self._counts
        size = len(counts)
        if number - self.newest >= size:
            self._counts = [0] * size
            self.total = 0
        else:
            counts[self.newest % size] = self._here
            for old in range(self.newest + 1, number + 1):
                self.total -= counts[old % size]
                counts[old % size] = 0
        self._here = 0
        self.newest = number

    def slices(self) -> dict[int, int]:
        """What a process publishes: slice number to absolute count, zeros left out."""
        size = len(self._counts)
        older = {
            n: self._counts[n % size] for n in range(self.newest - size + 1, self.newest) if n >= 0 and self._counts[n % size]
        }
        return older | {self.newest: self._here} if self._here else older


def merge_windowed(mine: dict[int, int], theirs: dict[int, int]) -> dict[int, int]:
    """Two publications of the same process: the larger absolute value per slice (counts only grow).  Taking one twice changes nothing."""
    return {number: max(mine.get(number, 0), theirs.get(number, 0)) for number in mine.keys() | theirs.keys()}


def sum_windowed(parts: Iterable[dict[int, int]], newest: int, slices: int) -> int:
    """The total over all processes' parts, inside the window that ends with slice `newest`."""
    return sum(count for part in parts for number, count in part.items() if newest - slices < number <= newest)


class Latch:
    """A fact that holds for a time: (generation = start in ms, released, end).  Merging knows which of two tellings is the later."""

    __slots__ = ("end_s", "released", "start_ms")

    def __init__(self, start_ms: int = 0, end_s: float = 0.0, *, released: bool = False) -> None:
        self.start_ms = start_ms
        self.end_s = end_s
        self.released = released

    def holds(self, now_s: float) -> bool:
        """Set, not released, not over."""
        return not self.released and self.start_ms > 0 and now_s < self.end_s

    def merge(self, other: Latch, longest_s: float) -> None:
        """Higher generation wins; in the same one released wins, else the later end, cut at `longest_s` after its start."""
        mine, theirs = (self.start_ms, self.released, self.end_s), (other.start_ms, other.released, other.end_s)
        self.start_ms, self.released, end_s = max(mine, theirs)
        self.end_s = min(end_s, self.start_ms / 1000.0 + longest_s)
