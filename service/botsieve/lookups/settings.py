"""Which files of the operator's say something about addresses.

Law of the file: frozen values with defaults filled in, as in config/settings.py.
"""

from __future__ import annotations

import msgspec

from botsieve.attacks.types import IGNORE, STOP

MAX_ALLOW_FILES = 20


class ListEntry(msgspec.Struct, frozen=True):
    """One reputation list.  `action`: ignore (the file is not read), alarm or block."""

    file: str
    category: str
    action: str = "alarm"


class LookupSettings(msgspec.Struct, frozen=True):
    """`reputation`: in the order of the file.  `allow`: files of exceptions.  The databases: "" for none."""

    reputation: tuple[ListEntry, ...] = ()
    allow: tuple[str, ...] = ()
    asn_mmdb: str = ""
    country_mmdb: str = ""

    @property
    def by_strictness(self) -> tuple[ListEntry, ...]:
        """The lists that are read: those that block first, else in the order of the file."""
        wanted = [entry for entry in self.reputation if entry.action != IGNORE]
        return tuple(sorted(wanted, key=lambda entry: entry.action != STOP))

    @property
    def databases(self) -> tuple[tuple[str, str], ...]:
        """What each database tells (`asn`, `country`) and its file."""
        return tuple((kind, file) for kind, file in (("asn", self.asn_mmdb), ("country", self.country_mmdb)) if file)
