"""Whose turn it is on the loop: gRPC judges a little at a time, and HTTP on the same loop is served in between.

Law of the file: between two looks of the loop at its sockets, all calls together judge for about `SLICE_S`, and one observation
at least.  Who finds the turn used up waits in a queue; each turn belongs to the first of it.  So a large batch holds up a small
one for as many slices as there are calls, and HTTP for one.
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

    __slots__ = ("_at_s", "_clock_s", "_is_counting", "_spent_s", "_waiting")

    def __init__(self, clock_s: Callable[[], float] = perf_counter) -> None:
        self._clock_s = clock_s
        self._at_s = 0.0
        self._spent_s = 0.0
        self._is_counting = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Returns when the caller may work: at once while the turn lasts and nobody waits.  Work ends with `has_time`."""
        if self._spent_s >= SLICE_S or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
            self._spent_s = 0.0
        elif not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)
        self._at_s = self._clock_s()

    def has_time(self) -> bool:
        """Counts the work since `take` or since the last call; False: `take` comes before more of it."""
        now_s = self._clock_s()
        self._spent_s += now_s - self._at_s
        self._at_s = now_s
        return self._spent_s < SLICE_S

    def _begin_turn(self) -> None:
        """Runs once in each turn of the loop while somebody works."""
        self._spent_s = 0.0
        self._is_counting = False
        while self._waiting:
            turn = self._waiting.popleft()
            if turn.done():  # a call that went away
                continue
            turn.set_result(None)
            # Nobody else's until that one has worked, or has gone away.
            self._spent_s = SLICE_S
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)
            break
