"""Which requests are too many: what one turn of the event loop cannot answer in time is answered at once, without a verdict.

The loop reads every socket that has something, answers all of it, and looks again: a turn.  A request that came during one turn
is answered in the next, so it waits for two turns at most, and their length is the queue.  It is measured here, by no clock but
our own: neither a clock that was set nor a web server that is busy itself looks like overload.

Law of the file: one long turn proves nothing, another process had the core.  Only when turns of many requests follow each other
without a rest and each is too long, for a whole interval, is there overload (after CoDel, RFC 8289 section 4.4: the smallest
delay within an interval counts, not the largest); or when one turn took too much of our own processor time, which nobody else
can use up.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from time import perf_counter, thread_time

# Two of these are 40 ms: what is left of nginx's 50 ms is for the way there and back.
TARGET_S = 0.020
# RFC 8289 section 4.3: longer than a burst, shorter than what a person waits.
INTERVAL_S = 0.100
# While there is overload a turn judges for so long; the rest of it is answered at once: within 5 ms, both of them.
SLICE_S = 0.003
# Fewer requests than this in a turn are no queue: something else made it long, and answering without a verdict would not help.
MIN_REQUESTS = 16
# So much of our own processor time in one turn is overload at once.  Looked at for every 16th request of a turn.
MAX_WORK_S = 2 * TARGET_S
# So long without a request: whatever was waiting has been answered.
REST_S = 0.005


class Surplus:
    """One event loop's requests.  `tell(count)`: so many were just answered without a verdict; called once a turn.

    `clock`: seconds, any start.  `work`: processor time of the loop's thread, likewise.
    """

    __slots__ = (
        "_clock",
        "_count",
        "_ended_s",
        "_in_turn",
        "_late_since_s",
        "_loop",
        "_shed",
        "_shed_s",
        "_started_s",
        "_work",
        "_worked_s",
        "is_shedding",
        "tell",
    )

    def __init__(
        self, loop: AbstractEventLoop, *, clock: Callable[[], float] = perf_counter, work: Callable[[], float] = thread_time
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._work = work
        self._worked_s = 0.0
        self.tell: Callable[[int], None] | None = None
        self.is_shedding = False
        self._in_turn = False
        self._count = 0
        self._shed = 0
        self._started_s = self._ended_s = self._shed_s = 0.0
        self._late_since_s = 0.0  # 0.0: the last turn was in time

    def admits(self) -> bool:
        """Counts one request that is whole; whether it is to be judged.  To be asked once for each."""
        if not self._in_turn:
            self._in_turn = True
            self._started_s = self._clock()
            self._worked_s = self._work()
            self._count = 1
            self._loop.call_soon(self._end)  # runs when all sockets of this turn are served
            return True
        self._count += 1
        if not self.is_shedding and not self._count % MIN_REQUESTS and self._work() - self._worked_s >= MAX_WORK_S:
            self.is_shedding = True
        if not self.is_late:
            return True
        self._shed += 1
        return False

    @property
    def is_late(self) -> bool:
        """Whether the next request would not be admitted.  Counts nothing."""
        return self.is_shedding and self._in_turn and self._clock() - self._started_s >= SLICE_S

    def _end(self) -> None:
        """The turn is over."""
        now_s = self._clock()
        started_s, rested_s = self._started_s, self._started_s - self._ended_s
        self._in_turn = False
        self._ended_s = now_s
        if self.is_shedding:
            self._while_shedding(now_s)
        elif now_s - started_s < TARGET_S or self._count < MIN_REQUESTS:
            self._late_since_s = 0.0
        elif not self._late_since_s or rested_s > REST_S:
            self._late_since_s = started_s
        elif now_s - self._late_since_s >= INTERVAL_S:
            self.is_shedding = True
            self._shed_s = now_s

    def _while_shedding(self, now_s: float) -> None:
        if self._shed:
            self._shed_s = now_s
            if self.tell is not None:
                self.tell(self._shed)
            self._shed = 0
        elif now_s - self._shed_s >= INTERVAL_S:  # everybody was judged in short turns for a whole interval
            self.is_shedding = False
            self._late_since_s = 0.0
