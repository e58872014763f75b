"""Which requests are too many: what one turn of the event loop cannot answer in time is answered at once, without a verdict.

The loop reads every socket that has something, answers all of it, and looks again: a turn.  A request that came during one turn
is answered in the next, so it waits for two turns at most, and their length is the queue.  It is measured here, by no clock but
our own: neither a clock that was set nor a web server that is busy itself looks like overload.

While there is overload a turn first looks at everything that arrived.  As many requests as a slice of time is enough for wait in
a short line, all others are answered without a verdict.  Then it judges those in the line for that slice: who is told that nobody
judges hears it before anybody is judged, and judging has its part of the time however much arrives.

Law of the file: one long turn proves nothing, another process had the core.  Only when turns of many requests follow each other
without a rest and each is too long, for a whole interval, is there overload (after CoDel, RFC 8289 section 4.4: the smallest
delay within an interval counts, not the largest); or when one turn took too much of our own processor time, which nobody else
can use up.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Protocol

from botsieve.transports.asking import Asking
from botsieve.transports.gathering import Gathering

# Two of these are 40 ms: what is left of nginx's 50 ms is for the way there and back.
TARGET_S = 0.020
# RFC 8289 section 4.3: longer than a burst, shorter than what a person waits.
INTERVAL_S = 0.100
# While there is overload a turn judges for so long.  At five times the peak, answering the others makes it a turn of 3 to 4 ms, and
# who is answered without a verdict has waited for one turn at most: the goal is 5 ms.
SLICE_S = 0.002
# Fewer requests than this in a turn are no queue: something else made it long, and answering without a verdict would not help.
MIN_REQUESTS = 16
# So much of our own processor time in one turn is overload at once.  Looked at for every 16th request of a turn.
MAX_WORK_S = 2 * TARGET_S
# So long without a request: whatever was waiting has been answered.
REST_S = 0.005
# Where edges ask as much as they are told, what comes in one moment more is less in the next: the line may be as long as so many
# slices, and those at its end wait for 8 ms.
LINE_OF_SPARED = 4
# A turn that took so many times its processor time shared the core with others; one that took more was stopped, and is no measure.
MOST_SHARED = 8.0


class Waiting(Protocol):
    """Who stands in the line."""

    def go_on(self) -> None:
        """It is your turn.  Never raises."""


class Surplus:
    """One event loop's requests.  `tell(count)`: so many were just answered without a verdict; called once a turn.

    `asking`: hears of every turn while there is overload, and of those after it until it is content.
    `gathering`: hears of every turn while there is none.
    `clock`: seconds, any start.  `work`: processor time of the loop's thread, likewise.
    """

    __slots__ = (
        "_clock",
        "_count",
        "_ended_s",
        "_in_turn",
        "_is_serving",
        "_late_since_s",
        "_line",
        "_loop",
        "_room",
        "_shed",
        "_shed_s",
        "_slices",
        "_started_s",
        "_work",
        "_worked_s",
        "asking",
        "gathering",
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
        self.asking: Asking | None = None
        self.gathering: Gathering | None = None
        self.is_shedding = False
        self._in_turn = False
        self._count = 0
        self._shed = 0
        self._line: deque[Waiting] = deque()
        self._room = MIN_REQUESTS  # so many are judged in one slice
        self._slices = 1  # so many of these may stand in the line
        self._is_serving = False
        self._started_s = self._ended_s = self._shed_s = 0.0
        self._late_since_s = 0.0  # 0.0: the last turn was in time

    def takes(self, who: Waiting) -> bool:
        """While there is overload: whether there is room in the line.  Then `who` is told to go on in a moment."""
        if not self._in_turn:
            self._begin()
        if len(self._line) >= self._room * self._slices:
            return False
        self._line.append(who)
        return True

    def admits(self) -> bool:
        """Counts one request that is whole; whether it is to be judged.  To be asked once for each."""
        if self._is_serving:
            return True
        if not self._in_turn:
            self._begin()
        if self.is_shedding:
            self._shed += 1
            return False
        self._count += 1
        if not self._count % MIN_REQUESTS and self._work() - self._worked_s >= MAX_WORK_S:
            self.is_shedding = True
            self._shed_s = self._clock()
        return True

    def _begin(self) -> None:
        """The first request of a turn arrived."""
        self._in_turn = True
        self._started_s = self._clock()
        self._worked_s = self._work()
        self._count = 0
        self._loop.call_soon(self._end)  # runs when all sockets of this turn were looked at

    def _end(self) -> None:
        """Everything that arrived was looked at."""
        self._in_turn = False
        if self.is_shedding:
            self._end_shedding()
            return
        now_s = self._clock()
        if self.asking is not None and self.asking.is_on:
            self.asking.turn(now_s, self._count, 0, _took(now_s - self._started_s, self._work() - self._worked_s), 0.0)
        started_s, rested_s = self._started_s, self._started_s - self._ended_s
        self._ended_s = now_s
        if self.gathering is not None:
            self.gathering.after(rested_s, self._count)
        if now_s - started_s < TARGET_S or self._count < MIN_REQUESTS:
            self._late_since_s = 0.0
        elif not self._late_since_s or rested_s > REST_S:
            self._late_since_s = started_s
        elif now_s - self._late_since_s >= INTERVAL_S:
            self.is_shedding = True
            self._shed_s = now_s

    def _end_shedding(self) -> None:
        asking, count = self.asking, self._count
        if asking is None:
            self._serve()
        else:
            began_s, worked_s = self._started_s, self._worked_s
            read_s, read_work_s = self._clock(), self._work()
            count += self._serve()
            now_s, work_s = self._clock(), self._work()
            asking.begin(began_s)
            reading_s = _took(read_s - began_s, read_work_s - worked_s)
            asking.turn(now_s, count, self._shed, reading_s, _took(now_s - read_s, work_s - read_work_s))
            self._slices = LINE_OF_SPARED if asking.is_heard else 1
        self._while_shedding()

    def _serve(self) -> int:
        """Judges who is in the line, for a slice, and has room for as many as could be judged in it; how many were."""
        line = self._line
        before = len(line)
        until_s = self._clock() + SLICE_S
        self._is_serving = True
        try:
            while line:
                line.popleft().go_on()
                if self._clock() >= until_s:
                    break
        finally:
            self._is_serving = False
        left = len(line)
        if left:
            self._begin()  # they go on when those who came meanwhile were looked at
        # A few are to be left each time, or a part of the slice would go unused.
        if left * 4 > self._room:
            self._room = max(before - left, self._room * 3 // 4)
        elif not left and self._shed:
            self._room += 1 + self._room // 8
        return before - left

    def _while_shedding(self) -> None:
        now_s = self._ended_s = self._clock()
        if self._shed:
            self._shed_s = now_s
            if self.tell is not None:
                self.tell(self._shed)
            self._shed = 0
        elif not self._line and now_s - self._shed_s >= INTERVAL_S:  # everybody was judged at once for a whole interval
            self.is_shedding = False
            self._late_since_s = 0.0


def _took(seconds: float, work_s: float) -> float:
    """What something takes on the core as others leave it to us now: the time that it took, less most of a pause."""
    return min(seconds, work_s * MOST_SHARED)
