"""How often: solutions of one prefix a minute, and challenges that did not help.

Law of the file: every table is bounded and forgets its oldest entry when it is full; times are handed in.
"""

from __future__ import annotations

from botsieve.remembered import Bounded

MAX_PREFIXES = 65_536
MAX_LOOPS = 65_536
LOOP_WINDOW_S = 300.0
# More than `loop_limit` allows at most is never needed of one client.
_KEPT_MINTS = 100
# guess: of five people one leaves, or has two tabs that solve at once; of those who help at one time so many are looked at.
_HELPED_PER_VAIN = 4
_KEPT_HELPED = 80


class PerMinute:
    """At most `limit` of something for one prefix in any minute.

    The minute slides: what was counted in the minute before weighs by the share of it that still lies within 60 s.
    """

    __slots__ = ("_before", "_minute", "_now")

    def __init__(self, limit: int = MAX_PREFIXES) -> None:
        self._minute = -1
        self._now: Bounded[bytes, int] = Bounded(limit)
        self._before: Bounded[bytes, int] = Bounded(limit)

    def allows(self, prefix: bytes, limit: int, now_s: float) -> bool:
        """Whether one more is within the limit; counts nothing."""
        self._turn(now_s)
        share = 1.0 - (now_s % 60.0) / 60.0
        return (self._now.get(prefix) or 0) + (self._before.get(prefix) or 0) * share < limit

    def count(self, prefix: bytes, now_s: float) -> None:
        """One more happened."""
        self._turn(now_s)
        self._now.put(prefix, (self._now.get(prefix) or 0) + 1)

    def _turn(self, now_s: float) -> None:
        minute = int(now_s // 60)
        if minute == self._minute:
            return
        if minute == self._minute + 1:
            self._before, self._now = self._now, self._before
        else:
            self._before.clear()
        self._now.clear()
        self._minute = minute


class Loops:
    """Clearances that were given within five minutes to one client and did not help: they never came back, or were not enough.

    A clearance that came back takes its own count away, so people who share an address and a browser version are no loop.  Where many do,
    some clearances are always under way, or were given to somebody who left: the more came back, the more may be missing.
    """

    __slots__ = ("_given", "_helped")

    def __init__(self, limit: int = MAX_LOOPS) -> None:
        self._given: Bounded[bytes, tuple[float, ...]] = Bounded(limit)
        self._helped: Bounded[bytes, tuple[float, ...]] = Bounded(limit)

    def minted(self, who: bytes, now_s: float) -> None:
        """A clearance was given."""
        self._given.put(who, (*_recent(self._given.get(who), now_s), now_s)[-_KEPT_MINTS:])

    def helped(self, who: bytes, now_s: float) -> None:
        """A clearance came back and let a request through."""
        self._helped.put(who, (*_recent(self._helped.get(who), now_s), now_s)[-_KEPT_HELPED:])
        left = (self._given.get(who) or ())[:-1]
        if left:
            self._given.put(who, left)
        else:
            self._given.drop(who)

    def is_caught(self, who: bytes, limit: int, now_s: float) -> bool:
        """Whether `limit` or more were given within five minutes without any use, beyond what is usual where many are helped."""
        vain = len(_recent(self._given.get(who), now_s))
        return vain >= limit and vain >= limit + len(_recent(self._helped.get(who), now_s)) // _HELPED_PER_VAIN


def _recent(times: tuple[float, ...] | None, now_s: float) -> tuple[float, ...]:
    return tuple(at_s for at_s in times or () if now_s - at_s < LOOP_WINDOW_S)
