"""The clocks, and the only place that reads them.

`now_s` is the service's own time, handed to the core for windows and expiry; `edge_time_s` is the edge's clock and comes with each
observation; it serves intervals between requests.  `wall_s` is what the machine's clock says now, and serves the log alone.

Law of the file: `now_s` begins at the machine's time and then goes on at the pace of time itself.  Whoever sets the machine's clock,
by an hour or a day, forward or back, ends no window, session, clearance or block early, and makes none last (docs/decisions/0008).
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Time that a suspended machine slept counts too: what a challenge was solved for has run out meanwhile.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """The service's time, from its start on.  Tests pass an object with the same methods instead."""

    __slots__ = ("_ahead_s", "_gettime")

    def __init__(self) -> None:
        self._gettime: Callable[[int], float] = time.clock_gettime  # at hand: it is asked for each decision
        self._ahead_s = time.time() - self._gettime(_STEADY)

    def now_s(self) -> float:
        """Seconds since 1970, as the machine's clock said at the start.  Never goes back, never jumps."""
        return self._ahead_s + self._gettime(_STEADY)

    def wall_s(self) -> float:
        """Seconds since 1970, as the machine's clock says now: for what people read."""
        return time.time()
