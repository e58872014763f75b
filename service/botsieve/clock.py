"""The two clocks, and the only place that reads them.

`now_s` is the service's wall clock, handed to the core for windows and expiry.  `edge_time_s` is the edge's clock and comes with
each observation; it serves intervals between requests.  `Clock.now_s` never goes back: a step of the system's clock backwards
holds it still, so that no window sees a negative age.
"""

from __future__ import annotations

import time


class Clock:
    """The system's clock, made monotonic.  Tests pass an object with the same method instead."""

    __slots__ = ("_base_s", "_last_s")

    def __init__(self) -> None:
        self._base_s = time.time() - time.monotonic()
        self._last_s = 0.0

    def now_s(self) -> float:
        """Seconds since 1970.  Follows steps of the system's clock forward, and never goes back."""
        wall_s = time.time()
        if wall_s < self._last_s:
            # The wall clock was set back: go on at the monotonic clock's pace from where we were.
            wall_s = max(self._last_s, self._base_s + time.monotonic())
        else:
            self._base_s = wall_s - time.monotonic()
        self._last_s = wall_s
        return wall_s
