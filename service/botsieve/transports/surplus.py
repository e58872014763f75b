"""Which requests are too many: what cannot be judged in time is answered at once, without a verdict.

The loop reads every socket that has something, answers all of it, and looks again: a turn.  A request that came during one turn
is answered in the next, so it waits for two turns at most.  Once a turn has become long, who comes after stands in a line of our
own: each turn first looks at everything that arrived, then judges those in the line, the oldest first, for a slice of time.  So the
queue is measured, by no clock but our own: neither a clock that was set nor a busy web server looks like overload.

A line as long as can be judged in time is no overload, but a burst, or a neighbour who had the core: all of it is judged.  What
is more than that is overload.  From then on who comes is answered at once unless the line is short, so those who hear that nobody
judges them have waited for one turn, and those who have waited are judged.

Law of the file: nobody is sent away after having waited, as long as there is a way round it: the length of the line decides when
somebody arrives, never what became of those who stand in it (unlike CoDel, RFC 8289, which drops whoever has waited too long).
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Protocol

from botsieve.transports.asking import Asking
from botsieve.transports.gathering import Gathering

# After so long a turn who comes stands in the line.  Below it, the loop's own order is the line, and costs nothing.
LONG_TURN_S = 0.005
# How long the line may be where nobody is refused: half of nginx's 50 ms.  The other half is for a turn before it, a slow moment
# and the way there and back.
LINE_S = 0.025
# While there is a line a turn looks and judges for so long, and who is refused has waited for one turn at most: the goal is 5 ms.
# It judges for LEAST_S of it however much there is to refuse.
TURN_S, LEAST_S = 0.003, 0.0005
# The line under overload; where edges ask as much as they are told it is longer: what comes in one moment more is less in the next.
SHORT_LINE_S, LINE_OF_SPARED_S = 0.003, 0.012
# Looks that are further apart than this: something held us, and who arrived has waited for it.  He is not sent away for that.
HELD_S = 0.010
# Overload is over when nobody was refused for so long.
INTERVAL_S = 0.100
# The clock is looked at for every so manieth request of a turn.  Fewer requests are no queue: something else made the turn long.
MIN_REQUESTS = 16
# A turn that took so many times its processor time shared the core with others; one that took more was stopped, and is no measure.
MOST_SHARED = 8.0
# Processor time costs 0.6 us to read.  Where there is no line, turns that follow each other faster than this are measured together.
PAUSE_S = 0.001
_UNKNOWN = -1


class Waiting(Protocol):
    """Who stands in the line."""

    def go_on(self) -> None:
        """It is your turn.  Never raises."""


class Surplus:
    """One event loop's requests.  `tell(count)`: so many were just answered without a verdict; called once a turn.

    `has_line`: who comes is to ask `takes` first.
    `asking`: hears of every turn while there is overload, and of those after it until it is content.
    `gathering`: hears of every turn while there is no line.
    `clock`: seconds, any start.  `work`: processor time of the loop's thread, likewise.
    """

    __slots__ = (
        "_bound",
        "_clock",
        "_count",
        "_counted",
        "_each_s",
        "_ended_s",
        "_in_turn",
        "_is_full",
        "_is_overload",
        "_is_serving",
        "_left",
        "_line",
        "_looked_s",
        "_loop",
        "_shed",
        "_shed_s",
        "_short_s",
        "_started_s",
        "_work",
        "_worked_s",
        "asking",
        "gathering",
        "has_line",
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
        self.has_line = False
        self._in_turn = False
        self._count = 0
        self._counted = 0  # judged in the turns before this one, since `_worked_s`
        self._shed = 0
        self._line: deque[Waiting] = deque()
        self._left = 0  # so many stood in it when the last turn ended
        self._each_s = 1.0  # judging one takes
        self._bound = _UNKNOWN  # so many may stand in the line when somebody arrives in this turn
        self._short_s = SHORT_LINE_S  # the line under overload
        self._is_full = False
        self._is_overload = False  # somebody was refused in the last interval
        self._is_serving = False
        self._started_s = self._looked_s = self._ended_s = self._shed_s = 0.0

    def takes(self, who: Waiting) -> bool:
        """While there is a line: whether there is room in it.  Then `who` is told to go on in a moment."""
        if not self._in_turn:
            self._begin()
        if self._bound < 0:
            self._bound = self._length()
        if len(self._line) >= self._bound:
            self._is_full = True
            return False
        self._line.append(who)
        return True

    def admits(self) -> bool:
        """Counts one request that is whole; whether it is to be judged.  To be asked once for each."""
        if self._is_serving:
            return True
        if not self._in_turn:
            self._begin()
        if self._is_full:
            self._shed += 1
            return False
        self._count += 1
        if not self._count % MIN_REQUESTS and not self.has_line:
            self._look()
        return True

    def _look(self) -> None:
        """In the middle of a turn: whether it has become long."""
        now_s = self._clock()
        if now_s - self._started_s >= LONG_TURN_S:
            self.has_line = True
            # By processor time: whoever took the core from us may be gone, and nobody is to be refused for him.
            self._each_s = max(self._work() - self._worked_s, LEAST_S) / (self._counted + self._count)
            self._looked_s = now_s

    def _length(self) -> int:
        """The first one of a turn arrived: how many may stand in the line."""
        now_s = self._clock()
        is_held, self._looked_s = now_s - self._looked_s > HELD_S, now_s
        length_s = self._short_s if self._is_overload and not is_held else LINE_S
        return int(length_s / self._each_s) + 1

    def _begin(self) -> None:
        """The first request of a turn arrived."""
        self._in_turn = True
        self._is_full = False
        self._bound = _UNKNOWN
        self._count = 0
        now_s = self._started_s = self._clock()
        if self.has_line or now_s - self._ended_s > PAUSE_S or (self.asking is not None and self.asking.is_on):
            self._worked_s = self._work()
            self._counted = 0
        self._loop.call_soon(self._end)  # runs when all sockets of this turn were looked at

    def _end(self) -> None:
        """Everything that arrived was looked at."""
        self._in_turn = self._is_full = False
        if self.has_line:
            self._end_lining()
            return
        asking, now_s = self.asking, self._clock()
        if asking is not None and asking.is_on:
            asking.turn(now_s, self._count, 0, _took(now_s - self._started_s, self._work() - self._worked_s), 0.0)
        rested_s, self._ended_s = self._started_s - self._ended_s, now_s
        self._counted += self._count
        if self.gathering is not None:
            self.gathering.after(rested_s, self._count)

    def _end_lining(self) -> None:
        asking, began_s, worked_s = self.asking, self._started_s, self._worked_s
        read_s, read_work_s = self._clock(), self._work()
        judged = self._count + self._serve(began_s, read_s)
        now_s = self._ended_s = self._clock()
        if self._shed:
            self._is_overload = True
            self._shed_s = now_s
            if asking is not None:
                asking.begin(began_s, self._left)
        elif self._is_overload and now_s - self._shed_s >= INTERVAL_S:
            self._is_overload = False
        if asking is not None and asking.is_on:
            reading_s = _took(read_s - began_s, read_work_s - worked_s)
            judging_s = _took(now_s - read_s, self._work() - read_work_s)
            asking.turn(now_s, judged, self._shed, reading_s, judging_s, len(self._line))
            self._short_s = LINE_OF_SPARED_S if asking.is_heard else SHORT_LINE_S
        if self._shed:
            if self.tell is not None:
                self.tell(self._shed)
            self._shed = 0
        self._left = len(self._line)
        if not self._left and not self._is_overload:
            self.has_line = False

    def _serve(self, began_s: float, now_s: float) -> int:
        """Judges who is in the line, until the turn that began at `began_s` is long enough; how many were."""
        line = self._line
        if not line:
            return 0
        served, ended_s = 0, now_s
        until_s = max(began_s + TURN_S, now_s + LEAST_S)
        self._is_serving = True
        try:
            while line:
                line.popleft().go_on()
                served += 1
                ended_s = self._clock()
                if ended_s >= until_s:
                    break
        finally:
            self._is_serving = False
        if line:
            self._begin()  # they go on when those who came meanwhile were looked at
        if ended_s - now_s >= LEAST_S:
            # One turn in which another process had the core says little of the next ones.
            each_s = min((ended_s - now_s) / served, 2 * self._each_s)
            self._each_s += (each_s - self._each_s) / 4
        return served


def _took(seconds: float, work_s: float) -> float:
    """What something takes on the core as others leave it to us now: the time that it took, less most of a pause."""
    return min(seconds, work_s * MOST_SHARED)
