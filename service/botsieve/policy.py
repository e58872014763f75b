"""Which policy applies, and what it makes of a score: rules, thresholds, mode.

Law of the file: everything here is immutable and built once per configuration; a reload swaps one Rulebook for another.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Protocol

import msgspec

from botsieve.crawlers import Crawlers
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, Signal
from botsieve.detectors.settings import DEFAULTS, FAMILY_MAX, THRESHOLDS, Settings, Threshold
from botsieve.observation import Observation
from botsieve.ranges import RangeSet
from botsieve.reputation import Reputation


class Pattern(Protocol):
    """A compiled RE2 pattern; `search` takes bytes."""

    def search(self, text: bytes) -> object | None: ...


class PathSet:
    """Paths as operators write them: `/api/` = everything below, `/a/*/b` = one segment, anything else exactly.

    Matched on the canonical path, never on the query.  `any_path` is true for an empty list.
    """

    __slots__ = ("_exact", "_globs", "_prefixes", "any_path", "texts")

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self.texts = texts
        self.any_path = not texts
        coded = [text.encode() for text in texts]
        self._globs = tuple(tuple(text.split(b"/")) for text in coded if b"*" in text)
        self._prefixes = tuple(text for text in coded if text.endswith(b"/") and text != b"/" and b"*" not in text)
        self._exact = frozenset(text for text in coded if b"*" not in text and (text == b"/" or not text.endswith(b"/")))

    def __contains__(self, path: bytes) -> bool:
        if path in self._exact or path.startswith(self._prefixes):
            return True
        return bool(self._globs) and any(_glob(glob, path.split(b"/")) for glob in self._globs)


def _glob(glob: tuple[bytes, ...], segments: list[bytes]) -> bool:
    open_end = glob[-1] == b""
    if len(segments) != len(glob) and not (open_end and len(segments) >= len(glob)):
        return False
    wanted = glob[:-1] if open_end else glob
    return all(want == segment or (want == b"*" and segment != b"") for want, segment in zip(wanted, segments, strict=False))


class Whereabouts(Protocol):
    """What databases say of an address (16 packed bytes); None: it is not known.  About 2 us, and never an error."""

    def asn_of(self, address: bytes) -> int | None: ...

    def country_of(self, address: bytes) -> str | None: ...


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Networks (ASN) and countries of a rule; None: not asked.  `where`: None as long as no database is there."""

    asns: frozenset[int] | None = None
    countries: frozenset[str] | None = None
    where: Whereabouts | None = None

    def holds(self, address: bytes) -> bool:
        """Whether the address is known to come from there.  What is not known comes from nowhere: the rule says nothing."""
        where = self.where
        if where is None:
            return False
        if self.countries is not None and where.country_of(address) not in self.countries:
            return False
        return self.asns is None or where.asn_of(address) in self.asns


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One when-then line of a policy.  All given conditions must hold; what is None is not asked.

    `then` is allow, challenge, block, or "" when the rule only adds `points`.
    """

    name: str
    then: str = ""
    points: int = 0
    networks: RangeSet | None = None
    paths: PathSet | None = None
    methods: frozenset[bytes] | None = None
    headers: tuple[tuple[bytes, Pattern], ...] = ()
    signal: str = ""
    score_from: int | None = None
    origin: Origin | None = None

    def holds(self, o: Observation, signals: tuple[Signal, ...], score: int) -> bool:
        """Whether every given condition holds."""
        if self.score_from is not None and score < self.score_from:
            return False
        if self.signal and all(signal.id != self.signal for signal in signals):
            return False
        if self.networks is not None and o.client not in self.networks:
            return False
        if self.paths is not None and o.path not in self.paths:
            return False
        if self.methods is not None and o.method not in self.methods:
            return False
        if self.headers and not all(
            name in o.headers and pattern.search(o.headers[name]) is not None for name, pattern in self.headers
        ):
            return False
        return self.origin is None or self.origin.holds(o.client)  # last: it is looked up only if nothing else says no


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for some hosts and paths.  Names and defaults are docs/settings.md's."""

    name: str = "default"
    hosts: tuple[str, ...] = ()
    paths: PathSet = PathSet()
    mode: str = "monitor"
    audience: str = "mixed"
    challenge_at: int = 45
    block_at: int = 80
    challenge_first: bool = True
    challenge: str = "pow"
    never_challenge: PathSet = PathSet(("/robots.txt", "/favicon.ico", "/.well-known/"))
    entry_pages: PathSet = PathSet(("/",))
    detectors: Mapping[str, Settings] = DEFAULTS
    thresholds: Mapping[str, Threshold] = THRESHOLDS
    family_max: Mapping[str, int] = FAMILY_MAX
    rules: tuple[Rule, ...] = ()

    def matches_host(self, host: bytes) -> bool:
        """Exact name, or `*.example.com` for every name below it."""
        if not self.hosts:
            return True
        text = host.decode("latin-1")
        return any(
            text.endswith(name[1:]) and len(text) > len(name) - 1 if name.startswith("*.") else text == name
            for name in self.hosts
        )

    def verdict_of(self, score: int) -> str:
        """The verdict of the thresholds alone."""
        if score >= self.block_at:
            return BLOCK
        return CHALLENGE if score >= self.challenge_at else ALLOW


class Allowlist(msgspec.Struct, frozen=True, kw_only=True):
    """Who is always let through.  Secrets are compared in constant time.

    `networks`: as written; `listed`: from the files that are named there.
    """

    networks: RangeSet = RangeSet()
    listed: RangeSet = RangeSet()
    headers: tuple[tuple[bytes, tuple[bytes, ...]], ...] = ()

    def admits(self, o: Observation) -> bool:
        """Whether the client's address or one of its header secrets is on the list."""
        if (self.networks.size and o.client in self.networks) or (self.listed.size and o.client in self.listed):
            return True
        return bool(self.headers) and any(
            hmac.compare_digest(o.headers[name], secret)
            for name, secrets in self.headers
            if name in o.headers
            for secret in secrets
        )


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a configuration that decides.  `config` is the first 12 hex digits of its SHA-256.

    `crawlers`: the list with the operator's entries; None: the packaged one.
    `reputation`: what the operator's lists say; None: there are none.
    """

    policies: tuple[Policy, ...] = (Policy(),)
    bot_at: int = 60
    allow: Allowlist = Allowlist()
    crawlers: Crawlers | None = None
    reputation: Reputation | None = None
    config: str = "000000000000"
    paused: bool = False

    def is_bad(self, address: bytes) -> str:
        """The category under which an address (16 packed bytes) is on a list with the action alarm or block, "" if on none."""
        return "" if self.reputation is None else self.reputation.is_bad(address)

    @property
    def asks_where(self) -> bool:
        """Whether a rule asks where an address belongs."""
        return any(rule.origin is not None for policy in self.policies for rule in policy.rules)

    def located(self, where: Whereabouts) -> Rulebook:
        """The same rules, which ask `where`; itself if none asks."""
        if not self.asks_where:
            return self
        return msgspec.structs.replace(self, policies=tuple([_located(policy, where) for policy in self.policies]))

    def policy_for(self, o: Observation) -> Policy:
        """The first policy whose hosts and paths match; the packaged default if none does."""
        for policy in self.policies:
            if (policy.paths.any_path or o.path in policy.paths) and (not policy.hosts or policy.matches_host(o.host)):
                return policy
        return _DEFAULT


_DEFAULT = Policy()


def _located(policy: Policy, where: Whereabouts) -> Policy:
    rules = [
        rule if rule.origin is None else msgspec.structs.replace(rule, origin=msgspec.structs.replace(rule.origin, where=where))
        for rule in policy.rules
    ]
    return msgspec.structs.replace(policy, rules=tuple(rules))
