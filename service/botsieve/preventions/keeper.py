"""Keeps preventions: those of the last run are in force again, those of this one are in a file within seconds.

Law of the file: the loop is held for a slice at a time (below 2 ms); the disk is a thread's business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from botsieve.attacks.book import Attacks
from botsieve.config.settings import ServiceSettings
from botsieve.engine import Engine
from botsieve.journal import Journal
from botsieve.preventions import file
from botsieve.preventions.pages import PreventionPages

EVERY_S = 5.0
SLICE = 250  # preventions made into lines at once: about 1 ms
RESTED = 20.0  # so many times what making the lines took passes before they are made again


def keeper_of(settings: ServiceSettings, engine: Engine, journal: Journal, now_s: Callable[[], float]) -> Keeper:
    """The keeper of a service, what it kept put in force, and its pages on the control socket."""
    keeper = Keeper(engine.attacks, settings.state.dir, now_s, journal.event)
    keeper.load()
    pages = PreventionPages(engine, now_s, lambda address: journal.redactor.address(address), journal.event)
    journal.control = {**journal.control, **pages.routes()}
    return keeper


class Keeper:
    """`tell(event, **keys)`: an event for the log.  `now_s`: the service's clock."""

    def __init__(self, attacks: Attacks, state_dir: str, now_s: Callable[[], float], tell: Callable[..., None]) -> None:
        self._attacks = attacks
        self._path = Path(state_dir) / file.FILE_NAME
        self._now_s = now_s
        self._tell = tell
        self._kept = (-1, -1)
        self._failing = False

    def load(self) -> int:
        """Puts in force what was kept; how many.  Done before anybody asks."""
        preventions = self._attacks.preventions
        found, strange = file.read(self._path, self._now_s(), preventions.most, self._attacks.mark)
        for one in found[: preventions.most]:
            preventions.put(one)
        if strange:
            self._tell("preventions_strange", lines=strange)
        self._kept = self._state()
        return len(found)

    async def run(self) -> None:
        """Until it is cancelled: forgets what is over, and keeps what has changed."""
        while True:
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            await self.keep()
            took_s = loop.time() - started_s
            until_s = loop.time() + max(EVERY_S, took_s * RESTED)
            while loop.time() < until_s:
                await asyncio.sleep(0.5)
                self._attacks.preventions.sweep(self._now_s())

    async def keep(self) -> bool:
        """Writes the file if something has changed since; whether it did."""
        state = self._state()
        if state == self._kept:
            return False
        chunks: list[bytes] = []
        for some in self._attacks.preventions.in_slices(SLICE):
            chunks.append(file.lines(some))
            await asyncio.sleep(0)
        return await asyncio.to_thread(self._write, chunks, state)

    def close(self) -> None:
        """The last word before the service ends."""
        state = self._state()
        if state != self._kept:
            self._write([file.lines(some) for some in self._attacks.preventions.in_slices(SLICE)], state)

    def _write(self, chunks: list[bytes], state: tuple[int, int]) -> bool:
        try:
            file.write(self._path, chunks, self._attacks.mark)
        except OSError as error:
            if not self._failing:
                self._failing = True
                with contextlib.suppress(RuntimeError):
                    self._tell("preventions_not_kept", error=error.strerror or "not writable")
            return False
        self._failing, self._kept = False, state
        return True

    def _state(self) -> tuple[int, int]:
        """What changes when the file is out of date."""
        return self._attacks.preventions.begun, self._attacks.preventions.over
