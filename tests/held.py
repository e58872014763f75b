"""How long a loop is held: the processor time of its own thread between two ticks.

What all other tests left behind is kept from the collector meanwhile: going through it is not the loop's own work.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from types import TracebackType

from tests.pace import own_heap


class Held:
    """`async with Held() as held: ...`, then `held.longest_s`.  What other processes take from the thread is not counted."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._heap = ExitStack()

    async def __aenter__(self) -> Held:
        self._heap.enter_context(own_heap())
        self._ticks = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticks.cancel()
        self._heap.close()
        print(f"longest hold of the loop: {self.longest_s * 1000:.1f} ms")

    async def _tick(self) -> None:
        last_s = time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now_s = time.thread_time()
            self.longest_s = max(self.longest_s, now_s - last_s)
            last_s = now_s
