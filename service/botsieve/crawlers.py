"""Which crawler a User-Agent names, and whether the client's address is one that its operator publishes.

Law of the file: a name is only a claim.  It earns something when the address lies inside the published ranges; a crawler that
can be verified but was not is neither helped nor accused here (what DNS says of it: verifications.py).  Names are plain texts,
looked up by the words of the User-Agent: no text of a client makes that slow (an RE2 set of 1,500 patterns took 200 ms for one
User-Agent made of them).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from botsieve.ranges import RangeSet

if TYPE_CHECKING:
    from botsieve.agents import Agent

INSIDE, UNVERIFIED, NOT_A_CRAWLER = "inside", "unverified", ""

# A browser's own word for its headless form, and the tools that drive browsers: they stand in otherwise ordinary User-Agents.
AUTOMATION = frozenset(["HeadlessChrome", "PhantomJS", "Playwright", "Puppeteer", "Selenium", "Chrome-Lighthouse", "PTST"])

_NOWHERE = RangeSet()
_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_WORDS = bytes(byte if chr(byte).isascii() and chr(byte).isalnum() else 0x20 for byte in range(256))
_KEY = 4  # bytes of a word under which a text is found


class _Texts:
    """Texts to be found in User-Agents, by the beginning of their first word; the first of the list wins."""

    __slots__ = ("_by_key",)

    def __init__(self, entries: Sequence[tuple[str, bytes, str]]) -> None:
        """`entries`: name, text, and where it must be: "start", "end" or "" for anywhere."""
        self._by_key: dict[bytes, list[tuple[int, bytes, str, str]]] = {}
        for number, (name, text, at) in enumerate(entries):
            key = (text.translate(_WORDS).split() or [b""])[0][:_KEY]
            self._by_key.setdefault(key, []).append((number, text, at, name))

    def find(self, user_agent: bytes) -> str:
        """The name of the first text that stands in it, at the beginning of a word; "" if none."""
        keys = self._by_key.keys() & {word[:_KEY] for word in user_agent.translate(_WORDS).split()}
        if not keys:
            return ""
        hits = [entry for key in keys for entry in self._by_key[key] if _stands(entry, user_agent)]
        return min(hits)[3] if hits else ""


def _stands(entry: tuple[int, bytes, str, str], user_agent: bytes) -> bool:
    _, text, at, _ = entry
    if at == "start":
        return user_agent.startswith(text)
    return user_agent.endswith(text) if at else text in user_agent


class OwnCrawler(msgspec.Struct, frozen=True):
    """A crawler of the operator's [S2-14].  `name`: as it is shown.  `agent`: lower-case text of its User-Agent.

    `domains`: lower-case host names; its addresses have names that are one of these or lie below one.
    """

    name: str
    agent: str
    domains: tuple[str, ...]


class Crawlers:
    """The list of crawlers.  Immutable.  `own`: the operator's part of it."""

    __slots__ = ("_base", "_domains", "_named", "_ranges", "_verified", "own")

    def __init__(
        self,
        verified: Sequence[tuple[str, bytes]],
        ranges: Mapping[str, RangeSet],
        named: Sequence[tuple[str, bytes, str]] | _Texts,
        domains: Mapping[str, tuple[str, ...]] = _NONE,
        own: tuple[OwnCrawler, ...] = (),
    ) -> None:
        """`verified`: name, lower-case text of the User-Agent.  `ranges`, `domains`: by name, absent if none are known.
        `named`: crawlers that cannot be verified, as name, text, and where it must be ("start", "end", "" for anywhere)."""
        # The longest text wins, `AdsBot-Google-Mobile` before `AdsBot-Google`; of equal ones the first, which is the operator's.
        self._verified = _Texts([(name, text, "") for name, text in sorted(verified, key=lambda pair: -len(pair[1]))])
        self._named = named if isinstance(named, _Texts) else _Texts(named)
        self._ranges = {name: ranges.get(name, _NOWHERE) for name, _ in verified}
        self._domains = {name: domains[name] for name, _ in verified if name in domains}
        self._base = tuple(verified)
        self.own = own

    @classmethod
    def builtin(cls) -> Crawlers:
        """The packaged list (botsieve/data/crawlers.json), read once a process."""
        return _builtin()

    def with_own(self, own: tuple[OwnCrawler, ...]) -> Crawlers:
        """This list and the operator's entries.  One with the text or name of a known crawler adds its domains to that one's."""
        if not own:
            return self
        known = {text: name for name, text in self._base}
        verified = [(entry.name, entry.agent.encode()) for entry in own] + list(self._base)
        ranges, domains = dict(self._ranges), dict(self._domains)
        for entry in own:
            same = known.get(entry.agent.encode(), entry.name)
            ranges[entry.name] = self._ranges.get(same, _NOWHERE)
            domains[entry.name] = entry.domains + self._domains.get(same, ())
        return Crawlers(verified, ranges, self._named, domains, own)

    def domains(self, name: str) -> tuple[str, ...]:
        """The host names under which its addresses have theirs; none if it cannot be verified by DNS."""
        return self._domains.get(name, ())

    def verifiable(self, user_agent: bytes) -> str:
        """The name of the crawler that it claims to be, of those that can be verified; "" if none."""
        return self._verified.find(user_agent.lower())

    def known(self, user_agent: bytes) -> str:
        """The name of the crawler that it claims to be, of those that cannot be verified; "" if none."""
        return self._named.find(user_agent)

    def judge(self, agent: Agent, client: bytes) -> tuple[str, str]:
        """What the address says of an agent's claim to be a crawler, and the crawler's name ("" for none).

        `client`: 16 packed bytes.  INSIDE its published ranges, UNVERIFIED, or NOT_A_CRAWLER for one that cannot be verified.
        """
        ranges = self._ranges.get(agent.crawler) if agent.verifiable else None
        if ranges is None:
            return NOT_A_CRAWLER, ""
        return (INSIDE if client in ranges else UNVERIFIED), agent.crawler


def parse_crawlers(document: Mapping[str, Any]) -> Crawlers:
    """From the form that scripts/build_crawlers.py writes.  Errors: KeyError, ValueError for another form."""
    published = {key: [*texts] for key, texts in document["ranges"].items()}
    ranges = {
        entry["name"]: RangeSet.parse(text for key in entry["ranges"] for text in published[key])
        for entry in document["verified"]
        if entry["ranges"]
    }
    return Crawlers(
        [(entry["name"], entry["token"].encode()) for entry in document["verified"]],
        ranges,
        [(entry["name"], entry["text"].encode(), entry["at"]) for entry in document["names"]],
        {entry["name"]: tuple(entry["domains"]) for entry in document["verified"] if entry["domains"]},
    )


@cache
def _builtin() -> Crawlers:
    return parse_crawlers(json.loads(resources.files("botsieve").joinpath("data/crawlers.json").read_bytes()))
