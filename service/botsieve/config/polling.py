"""When watched files are looked at again, and what tells that one of them is another than before.

Law of the file: a look costs a `stat` for each file; whoever asks for one does not wait for the next turn.
"""

from __future__ import annotations

import asyncio
import os

POLL_S = 0.5

Stamp = tuple[tuple[int, int, int, int] | None, ...]


def stamp(files: tuple[str, ...]) -> Stamp:
    """What tells that a file was changed, replaced, or that a symbolic link on its way points elsewhere.

    LIMIT: `stat` on a file system that hangs holds the loop.
    """
    found: list[tuple[int, int, int, int] | None] = []
    for name in files:
        try:
            facts = os.stat(name)
            found.append((facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size))
        except (OSError, ValueError):
            found.append(None)
    return tuple(found)


class Looks:
    """One every `every_s`, and at once when somebody asks."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._asked = asyncio.Event()

    def now(self) -> None:
        """Asks for a look.  Whoever asks while one is under way gets one more."""
        self._asked.set()

    async def next(self) -> bool:
        """Waits until it is time; whether somebody asked."""
        try:
            async with asyncio.timeout(self._every_s):  # wait_for of Python 3.11 may swallow a cancellation
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True
