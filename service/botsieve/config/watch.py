"""Applies a changed configuration to a running service: on HUP, and when the file or one that it names changes.

Law of the file: the event loop is held for a few ms at most, whatever the file holds; a file that is refused changes nothing.
The file is read and validated in a child process (child.py); what comes back is built in small steps (compile.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from botsieve.config.child import Child
from botsieve.config.compile import build_steps
from botsieve.config.fixed import keep_fixed
from botsieve.config.loader import DEFAULT_FILE, find, keep_last_good, read_bytes
from botsieve.config.plan import Answer
from botsieve.config.polling import POLL_S, Looks, Stamp, stamp
from botsieve.config.settings import Loaded
from botsieve.confined import WAIT_S
from botsieve.errors import InputError

_SLICE_S = 0.002


class Reload(msgspec.Struct, frozen=True):
    """What a reload brought.  `restart`: keys that stay as they run until a restart.  `notes`: what else is to be said."""

    loaded: Loaded
    restart: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Reloader:
    """Watches one configuration.  `path`: as given to `load`.  Callbacks run on the loop and must be short.

    `on_applied` gets the new configuration to swap in; `on_refused` gets the mistakes, and the old one goes on.
    """

    def __init__(
        self,
        running: Loaded,
        path: str | None,
        on_applied: Callable[[Reload], None],
        on_refused: Callable[[list[str]], None],
        *,
        poll_s: float = POLL_S,
        wait_s: float = WAIT_S,
    ) -> None:
        self.running = running
        self._path = path
        self._files = running.files
        self._on_applied = on_applied
        self._on_refused = on_refused
        self._wait_s = wait_s
        self._looks = Looks(poll_s)

    def request(self) -> None:
        """Reload now (HUP).  Requests that come during a reload lead to one more."""
        self._looks.now()

    async def run(self) -> None:
        """Watches until it is cancelled."""
        seen = stamp(self._watched())
        if self._is_stale():
            self.request()
        pending: Stamp | None = None
        while True:
            asked = await self._looks.next()
            now = stamp(self._watched())
            # A file that is being written changes from poll to poll: it is read once it has been still for one.
            if asked or (now != seen and now == pending):
                pending = None
                await self.reload()
                # `now` was taken before the child read: a change since then is seen at the next poll.
                seen = now if len(now) == len(self._watched()) else stamp(self._watched())
            else:
                pending = now if now != seen else None

    async def reload(self) -> bool:
        """Reads, validates and applies the file once; whether it was applied."""
        # A file that was there and is gone is a mistake; it must not switch everything to the packaged defaults.
        source = find(self._path) or self.running.source
        child = Child(source, wait_s=self._wait_s)
        try:
            answer = await asyncio.to_thread(child.ask)
        except asyncio.CancelledError:
            child.stop()
            raise
        self._files = tuple(answer.files)
        if answer.plan is None:
            self._on_refused(answer.mistakes or [answer.unreadable])
            return False
        loaded = await _built(answer, source)
        service, restart = keep_fixed(self.running.service, loaded.service)
        loaded = msgspec.structs.replace(loaded, service=service)
        notes: tuple[str, ...] = loaded.warnings
        try:
            await asyncio.to_thread(keep_last_good, loaded)
        except OSError as error:
            notes = (*notes, f"the last good configuration could not be kept in {service.state.dir} ({error.strerror})")
        self.running = loaded
        self._on_applied(Reload(loaded, restart, notes))
        return True

    def _watched(self) -> tuple[str, ...]:
        return (self._path or DEFAULT_FILE, *self._files)

    def _is_stale(self) -> bool:
        """Whether the file was changed between the load and the start of the watch."""
        source = find(self._path)
        if not source:
            return False
        try:
            return read_bytes(source) != self.running.text
        except InputError:
            return False


async def _built(answer: Answer, source: str) -> Loaded:
    """Builds in slices; the loop answers requests between them."""
    steps = build_steps(answer, source)
    until_s = time.monotonic() + _SLICE_S
    while True:
        try:
            next(steps)
        except StopIteration as done:
            loaded: Loaded = done.value
            return loaded
        if time.monotonic() > until_s:
            await asyncio.sleep(0)
            until_s = time.monotonic() + _SLICE_S
