"""Sections `reputation` and `geo`: files that say something about addresses.

Law of the file: only names and words are checked here; what the files hold is checked where they are read (lookups/), because a
list that is broken today must not keep the service from starting.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.config.address_kinds import AbsolutePath
from botsieve.config.kinds import Text, Word
from botsieve.config.section import Section


class ReputationList(Section):
    meaning: ClassVar[str] = (
        "Lists of addresses: one address, network (CIDR) or range `a-b` a line, IPv4 or IPv6, `#` and `;` begin a comment; of CSV "
        "the first column that holds an address.  Read again when the file changes and at HUP; a file that is broken, empty, gone or "
        "ten times larger is refused, and the list before it stays."
    )
    file: Annotated[str, AbsolutePath()] = Field(description="the list")
    category: Annotated[str, Text("1 to 64 letters, digits, . _ or -", longest=64, form="[A-Za-z0-9][A-Za-z0-9._-]*")] = Field(
        description="what the addresses are known for; stands in findings"
    )
    action: Annotated[str, Word("ignore", "alarm", "block")] = Field(
        default="alarm",
        description="alarm: the finding network.reputation, without points; block: that, and refused in mode enforce; ignore: not read "
        "[S2-39]",
    )


class Geo(Section):
    meaning: ClassVar[str] = (
        "Databases in MaxMind's format (.mmdb): `asn` and `country` of the client in the decision log, and for rules that ask "
        "(`when: {country: ..., asn: ...}`, docs/addresses.md).  Read again like the lists."
    )
    asn_mmdb: Annotated[str | None, AbsolutePath(null=True)] = Field(default=None, description="tells the network (ASN)")
    country_mmdb: Annotated[str | None, AbsolutePath(null=True)] = Field(default=None, description="tells the country")
