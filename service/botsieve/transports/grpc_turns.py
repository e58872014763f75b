"""Whose turn it is on the loop: gRPC judges a little at a time, and HTTP on the same loop is served in between.

Law of the file: between two looks of the loop at its sockets, all calls together judge for about `SLICE_S`, and one observation
at least.  Who finds the turn used up has the next one, or waits in a queue for those before; each turn belongs to the first of it.
So a large batch holds up a small one for as many slices as there are calls, and HTTP for one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

# What a check over HTTP may have to wait for one slice: far below nginx's budget of 50 ms.  A turn of the loop costs some 30 us,
# so a much shorter one would be felt in the rate.
SLICE_S = 0.0005


class Turns:
    """The turns of one loop.  `clock_s`: a clock for durations, seconds."""

    __slots__ = ("_at_s", "_clock_s", "_is_counting", "_is_promised", "_spent_s", "_waiting")

    def __init__(self, clock_s: Callable[[], float] = perf_counter) -> None:
        self._clock_s = clock_s
        self._at_s = 0.0
        self._spent_s = 0.0
        self._is_counting = False
        self._is_promised = False  # somebody has the next turn, or this one and has not begun
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Returns when the caller may work: at once while the turn lasts and nobody waits.  Work ends with `has_time`."""
        self._count()
        if self._is_promised or self._waiting:
            await self._wait()
            self._spent_s = 0.0
        elif self._spent_s >= SLICE_S:
            self._is_promised = True
            try:
                await asyncio.sleep(0)  # a future would bring us back a turn later
            finally:
                self._is_promised = False
            self._spent_s = 0.0
        self._at_s = self._clock_s()

    def has_time(self) -> bool:
        """Counts the work since `take` or since the last call; False: `take` comes before more of it."""
        now_s = self._clock_s()
        self._spent_s += now_s - self._at_s
        self._at_s = now_s
        return self._spent_s < SLICE_S

    def leave(self) -> None:
        """The caller has no more work for now: the next turn belongs to the first who waits."""
        while self._waiting and not self._is_promised:
            turn = self._waiting.popleft()
            if not turn.done():  # done: a call that went away
                self._is_promised = True
                turn.set_result(None)  # he goes on in the next turn

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self.leave()
        try:
            await turn
        finally:
            if turn.done() and not turn.cancelled():  # the turn was ours, also if the call went away meanwhile
                self._is_promised = False

    def _count(self) -> None:
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        """Runs in each turn of the loop while somebody works or waits, and in front of them: it asks for the next turn before they do."""
        self._is_counting = False
        if self._is_promised or self._waiting or self._spent_s:
            self._count()
        if not self._is_promised:
            self._spent_s = 0.0
            self.leave()
