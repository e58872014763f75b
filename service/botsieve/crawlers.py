"""Which crawler a User-Agent names, and whether the client's address is one that its operator publishes.

Law of the file: a name is only a claim.  It earns something when the address lies inside the published ranges; a crawler that
can be verified but was not is neither helped nor accused here.  Names are matched by RE2, in time linear in the User-Agent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import re2

from botsieve.ranges import RangeSet

if TYPE_CHECKING:
    from botsieve.agents import Agent

INSIDE, UNVERIFIED, NOT_A_CRAWLER = "inside", "unverified", ""

# A browser's own word for its headless form, and the tools that drive browsers: they stand in otherwise ordinary User-Agents.
AUTOMATION = frozenset(["HeadlessChrome", "PhantomJS", "Playwright", "Puppeteer", "Selenium", "Chrome-Lighthouse", "PTST"])


class Crawlers:
    """The list of crawlers.  Immutable."""

    __slots__ = ("_named", "_named_set", "_ranges", "_tokens", "_verified", "_verified_set")

    def __init__(
        self,
        verified: Sequence[tuple[str, bytes]],
        ranges: Mapping[str, RangeSet],
        named: Sequence[tuple[str, str]],
    ) -> None:
        """`verified`: (name, lower-case token of the User-Agent).  `ranges`: by name, absent if none are published.
        `named`: (name, RE2 pattern) of crawlers that cannot be verified."""
        # The longest token wins: `AdsBot-Google-Mobile` before `AdsBot-Google`.
        order = sorted(verified, key=lambda pair: -len(pair[1]))
        self._verified = [name for name, _ in order]
        self._verified_set = _compile([re2.escape(token.decode()) for _, token in order], any_case=True)
        self._named = [name for name, _ in named]
        self._named_set = _compile([pattern for _, pattern in named], any_case=False)
        self._ranges = {name: ranges.get(name, _NOWHERE) for name in self._verified}

    @classmethod
    def builtin(cls) -> Crawlers:
        """The packaged list (botsieve/data/crawlers.json), read once a process: about 30 ms."""
        return _builtin()

    def verifiable(self, user_agent: bytes) -> str:
        """The name of the crawler that it claims to be, of those that can be verified; "" if none."""
        hits = self._verified_set.Match(user_agent)
        return self._verified[min(hits)] if hits else ""

    def known(self, user_agent: bytes) -> str:
        """The name of the crawler that it claims to be, of those that cannot be verified; "" if none."""
        hits = self._named_set.Match(user_agent)
        return self._named[min(hits)] if hits else ""

    def judge(self, agent: Agent, client: bytes) -> tuple[str, str]:
        """What the address says of an agent's claim to be a crawler, and the crawler's name ("" for none).

        `client`: 16 packed bytes.  INSIDE its published ranges, UNVERIFIED, or NOT_A_CRAWLER for one that cannot be verified.
        """
        ranges = self._ranges.get(agent.crawler) if agent.verifiable else None
        if ranges is None:
            return NOT_A_CRAWLER, ""
        return (INSIDE if client in ranges else UNVERIFIED), agent.crawler


_NOWHERE = RangeSet()


def _compile(patterns: Sequence[str], *, any_case: bool) -> Any:
    """An RE2 set; it matches bytes one by one, so that no byte of a client is an error."""
    options = re2.Options()
    options.case_sensitive = not any_case
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = True
    patterns_set = re2.Set.SearchSet(options)
    for pattern in patterns:
        patterns_set.Add(pattern)
    patterns_set.Compile()
    return patterns_set


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
        [(entry["name"], entry["pattern"]) for entry in document["names"]],
    )


@cache
def _builtin() -> Crawlers:
    return parse_crawlers(json.loads(resources.files("botsieve").joinpath("data/crawlers.json").read_bytes()))
