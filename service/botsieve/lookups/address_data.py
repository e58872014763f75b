"""Keeps lists and databases of addresses as their files are: reads them at start, at HUP and when they change.

Law of the file: the event loop is held for less than a few ms, whatever the files hold; a file that is refused takes nothing away.
Lists are read in a child process (reading.py) and arrive as packed ranges; databases are validated in one (geo.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from botsieve.config.polling import POLL_S, Looks, Stamp, stamp
from botsieve.confined import CPU_S, MEMORY_MIB, WAIT_S, Confined
from botsieve.interpreter import not_started
from botsieve.lookups.geo import Places, open_database
from botsieve.lookups.reading import Ask, Report, Said, Wanted, decode_report, encode
from botsieve.lookups.settings import LookupSettings
from botsieve.policy import Rulebook
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation

_CODE = "from botsieve.lookups.reading import main; main()"
EMPTY = RangeSet()


class Tell(Protocol):
    """How an event is told (journal/events.py)."""

    def __call__(self, name: str, **keys: object) -> None: ...


class InForce(msgspec.Struct, frozen=True):
    """What decisions use of the lists.  `said`: by file, what became of it."""

    reputation: Reputation | None = None
    allow: RangeSet = EMPTY
    said: Mapping[str, Said] = {}

    def into(self, rulebook: Rulebook) -> Rulebook:
        """The same rules with these lists."""
        allow = msgspec.structs.replace(rulebook.allow, listed=self.allow)
        return msgspec.structs.replace(rulebook, allow=allow, reputation=self.reputation)


class AddressData:
    """The lists and databases of one service.  `keep`: folder of the last good lists, "" to keep none.

    `tell` hears of what was applied and refused; `on_change` of new lists, which `lists.into(rulebook)` puts in force.
    """

    def __init__(
        self,
        settings: LookupSettings,
        keep: str,
        tell: Tell,
        on_change: Callable[[], None],
        *,
        poll_s: float = POLL_S,
        wait_s: float = WAIT_S,
    ) -> None:
        self.lists = InForce()
        self.places = Places()
        self._settings = settings
        self._keep = keep
        self._tell = tell
        self._on_change = on_change
        self._wait_s = wait_s
        self._looks = Looks(poll_s)
        self._refused: dict[str, tuple[str, ...]] = {}
        self._seen: dict[str, Stamp] = {}
        self._child: Confined | None = None
        self._turn = 0

    def want(self, settings: LookupSettings) -> None:
        """A configuration was applied, or HUP came: everything is read again."""
        self._settings = settings
        self._turn += 1
        self._seen.clear()
        self._looks.now()

    async def run(self) -> None:
        """Watches until it is cancelled.  A file that is being written is read once it has been still for one look."""
        before = self._stamps()
        while True:
            asked = await self._looks.next()
            now = self._stamps()
            if asked or (now == before and any(self._seen.get(file) != found for file, found in now.items())):
                await self.read()
            before = now

    async def read(self) -> None:
        """Reads what has changed since it was last read, and applies what is right."""
        settings, turn, now = self._settings, self._turn, self._stamps()
        changed = {file for file, found in now.items() if self._seen.get(file) != found}
        try:
            await self._read_lists(settings, changed)
            await self._read_databases(settings, changed)
        except asyncio.CancelledError:
            if self._child is not None:
                self._child.stop()
            raise
        if turn == self._turn:  # else everything is wanted again already
            self._seen = now
        for file in self._refused.keys() - now.keys():
            del self._refused[file]

    # ---- lists

    async def _read_lists(self, settings: LookupSettings, changed: set[str]) -> None:
        lists = settings.by_strictness
        files = {entry.file for entry in lists} | set(settings.allow)
        if not files & changed and files == self.lists.said.keys():
            return
        if not files:
            self._take(InForce())
            return
        known = self.lists.said
        ask = Ask(
            tuple(_wanted(entry.file, known) for entry in lists),
            tuple(_wanted(file, known) for file in settings.allow),
            self._keep,
        )
        self._child = Confined(_CODE, wait_s=self._wait_s)
        report = await asyncio.to_thread(_asked, self._child, ask)
        if isinstance(report, str):
            for file in sorted(files):
                self._refuse(file, (f"{file}:1: {report}",))
            return
        for said in report.said:
            if said.mistakes:
                self._refuse(said.file, said.mistakes)
        if any(said.lost and said.file in known and known[said.file].ranges for said in report.said):
            return  # nothing was kept of a list that is in force: then it stays, and with it the others as they were read with it
        listings = [Listing(entry.category, entry.action) for entry in lists]
        self._take(await asyncio.to_thread(_made, report, listings))
        for said in report.said:
            if not said.mistakes:
                self._accept(said.file, ranges=said.ranges)

    def _take(self, lists: InForce) -> None:
        if lists.said or self.lists.said:
            self.lists = lists
            self._on_change()

    # ---- databases

    async def _read_databases(self, settings: LookupSettings, changed: set[str]) -> None:
        files = dict(settings.databases)
        for kind in ("asn", "country"):
            file = files.get(kind)
            if file is None:
                setattr(self.places, kind, None)
                continue
            if file not in changed:
                continue
            try:
                database = await asyncio.to_thread(open_database, file, kind)
            except ValueError as error:
                self._refuse(file, (f"{file}: {error}",))
            else:
                setattr(self.places, kind, database)
                self._accept(file, networks=database.networks)

    # ---- what is told

    def _refuse(self, file: str, mistakes: tuple[str, ...]) -> None:
        self._refused[file] = mistakes
        self._tell("data_refused", file=file, mistakes=list(mistakes))

    def _accept(self, file: str, **keys: int) -> None:
        self._refused.pop(file, None)
        self._tell("data_applied", file=file, **keys)

    @property
    def mistakes(self) -> list[str]:
        """Of the files that were refused when they were last read."""
        return [mistake for mistakes in self._refused.values() for mistake in mistakes]

    def _stamps(self) -> dict[str, Stamp]:
        settings = self._settings
        files = [entry.file for entry in settings.by_strictness]
        files += [*settings.allow, *(file for _, file in settings.databases)]
        return {file: stamp((file,)) for file in files}


def _wanted(file: str, known: Mapping[str, Said]) -> Wanted:
    said = known.get(file)
    return Wanted(file) if said is None else Wanted(file, said.ranges, said.share)


def _asked(child: Confined, ask: Ask) -> Report | str:
    """What the child reports, or why it could not."""
    try:
        return decode_report(child.run(encode(ask)))
    except TimeoutError:
        return f"reading the lists took longer than {child.wait_s:g} s; accepted: smaller ones"
    except OSError as error:
        return f"the lists could not be read: the process that reads them {not_started(error)}"
    except ValueError:
        return (
            f"the lists could not be read within {MEMORY_MIB} MiB and {CPU_S} s "
            f"(the process that reads them ended with {child.returncode}); accepted: smaller ones"
        )


def _made(report: Report, listings: list[Listing]) -> InForce:
    ranges = RangeSet.unpack(report.reputation)
    reputation = Reputation(ranges, report.which, listings) if len(ranges) else None
    return InForce(reputation, RangeSet.unpack(report.allow), {said.file: said for said in report.said})


async def read_once(settings: LookupSettings) -> AddressData:
    """Everything read once and nothing kept: for commands that judge or check without serving."""
    data = AddressData(settings, "", lambda name, **keys: None, lambda: None)
    await data.read()
    return data
