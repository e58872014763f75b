"""Section `crawlers`: who is let through because he is who he says, and whom we ask.

Law of the file: an entry that would verify strangers is refused: a domain is never a whole top-level domain, and the text of a
User-Agent is never so short that it stands in everybody's.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.config.address_kinds import LABEL
from botsieve.config.kinds import Many, Text, Whole, Word
from botsieve.config.mistakes import shown
from botsieve.config.section import Section

MAX_OWN = 200


class CrawlerDomain(Text):
    """A domain of at least two labels; a leading `.` or `*.` is what other products write."""

    def __init__(self) -> None:
        super().__init__(
            "a domain such as .search.example.com or *.search.example.com; it and every name below it are meant",
            longest=253,
            form=rf"(\*?\.)?{LABEL}(\.{LABEL})+\.?",
        )

    def normal(self, text: str) -> str:
        return text.lower().removeprefix("*").strip(".")


class DnsServer(Text):
    """The address of a DNS server, with or without a port."""

    def __init__(self) -> None:
        super().__init__(
            "192.0.2.53, 192.0.2.53:5353, 2001:db8::53 or [2001:db8::53]:5353", longest=60, form=r"[0-9a-fA-F.:\[\]]+"
        )

    def check(self, value: object) -> str:
        text = super().check(value)
        try:
            host, port = host_and_port(text)
            ipaddress.ip_address(host)
        except ValueError:
            raise self.refusal(f"{shown(value)} is no address of a DNS server") from None
        if not 1 <= port <= 65535:
            raise self.refusal(f"{shown(value)} has no possible port")
        return text


def host_and_port(text: str) -> tuple[str, int]:
    """The two parts of a DnsServer; port 53 if none is written.  Errors: ValueError for a port that is no number."""
    if text.startswith("["):
        host, end, port = text[1:].partition("]")
        if not end or (port and not port.startswith(":")):
            raise ValueError(text)
        return host, int(port[1:]) if port else 53
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, int(port)
    return text, 53


class OwnCrawlerModel(Section):
    name: Annotated[
        str, Text("1 to 32 letters, digits, spaces, dots, - and _", longest=32, form="[A-Za-z0-9][A-Za-z0-9 ._-]*")
    ] = Field(description="stands in logs [S2-14]")
    agent: Annotated[
        str,
        Text("3 to 100 printable ASCII characters, a letter or digit first", longest=100, form="[A-Za-z0-9][ -~]{2,}"),
    ] = Field(description="its name in the User-Agent, at the beginning of a word, in any case [S2-14]")
    domain: Annotated[tuple[str, ...], Many(CrawlerDomain(), 8, least=1, lone=True)] = Field(
        description="where its addresses have their names [S2-14]"
    )


class CrawlerDns(Section):
    meaning: ClassVar[str] = (
        "Whom we ask for the name of an address, and the address of that name [S2-11].  No decision waits for it; without an answer "
        "a crawler is unverified, which is no lie."
    )
    servers: Annotated[tuple[str, ...], Many(DnsServer(), 3)] = Field(default=(), description="empty: the system's")
    timeout_ms: Annotated[int, Whole(10, 5000)] = Field(
        default=500, description="a question that takes longer has no answer [own]"
    )
    cache_s: Annotated[int, Whole(10, 86_400)] = Field(default=3600, description="a crawler stays verified for so long [own]")
    negative_cache_s: Annotated[int, Whole(10, 86_400)] = Field(default=3600, description="a lie stays one for so long [own]")
    max_in_flight: Annotated[int, Whole(0, 256)] = Field(
        default=16, description="questions under way at one time; 0: DNS is never asked [own]"
    )


class Crawlers(Section):
    meaning: ClassVar[str] = (
        "Crawlers are let through by name and address: from the addresses that their operators publish, or verified by DNS."
    )
    list: Annotated[str, Word("builtin")] = Field(default="builtin", description="which list of crawlers and addresses")
    own: tuple[OwnCrawlerModel, ...] = Field(
        default=(), max_length=MAX_OWN, description="further crawlers, your site's own search among them [S2-13, S2-14]"
    )
    dns: CrawlerDns = CrawlerDns()
