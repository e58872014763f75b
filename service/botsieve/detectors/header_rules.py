"""What each browser engine never sends, by version: the facts behind `claim.unlike_headers`.

Law of the file: a rule speaks only about what is present, never about what is missing (proxies, extensions and privacy settings
remove headers; nobody adds the ones below by accident), and only about versions that were observed: a newer browser is unknown.
The facts are generated from real header sets (scripts/build_header_rules.py); the few that need no data name their standard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from botsieve.agents import CHROMIUM, Agent

NOTHING = b""


class Unlike(NamedTuple):
    """One contradiction: the rule, the value found, and what the browser named would have (0 = not at all)."""

    rule: str
    value: float
    limit: float


class Headers(NamedTuple):
    """The headers that the rules read, b"" for absent.  Also the key under which an answer is remembered."""

    user_agent: bytes
    ch_ua: bytes
    ch_mobile: bytes
    ch_platform: bytes
    fetch_mode: bytes
    fetch_dest: bytes
    accept: bytes
    accept_encoding: bytes
    te: bytes


class EngineRules(NamedTuple):
    """What one engine was observed to do.

    `newest`: the newest version observed.  `never`: headers that other engines send and scripts cannot set, never this one.
    `not_until`: header or `accept-encoding:CODING` -> not sent up to this version.  `foreign_accept`: values of Accept on page
    loads that only other engines send.  `retired`: part of Accept on page loads -> not sent from this version on.
    `no_alpn_until`: hellos without ALPN were seen up to this version.
    """

    newest: int
    never: frozenset[str]
    not_until: Mapping[str, int]
    foreign_accept: frozenset[bytes]
    retired: Mapping[bytes, int]
    no_alpn_until: int


# Sec-CH-UA-Platform (WICG User-Agent Client Hints, 3.6) by the platform that the User-Agent names.  Linux and Android are one
# here: Android's "desktop site" says Linux in one place and Android in the other.
_HINTED = {b'"Windows"': "windows", b'"macOS"': "macos", b'"Linux"': "linux", b'"Android"': "linux", b'"iOS"': "ios"}
_SAME_PLATFORM = {"android": "linux", "chromeos": "", "": ""}
# Brands of Sec-CH-UA that belong to one family.
_BRANDS = (
    (b'"Google Chrome"', "chrome"),
    (b'"Microsoft Edge"', "edge"),
    (b'"Opera"', "opera"),
    (b'"Samsung Internet"', "samsung"),
)
# Fetch Metadata, 2.1: a navigation's destination is a document or something that embeds one ("empty" when a service worker
# passes it on), never one of these.
_NEVER_NAVIGATED = frozenset(b"script style font image audio video track worker sharedworker manifest audioworklet".split())


def unlike(agent: Agent, seen: Headers, rules: Mapping[str, EngineRules]) -> Unlike | None:
    """The first contradiction between the browser named and its headers; None if there is none, or the browser is unknown.

    Web views are left alone: apps change their headers as they like.
    """
    known = rules.get(agent.engine)
    if known is None or agent.family == "webview":
        return None
    return (
        _never(seen, known)
        or (_hints(agent, seen) if seen.ch_ua and agent.engine == CHROMIUM else None)
        or _too_early(agent.version, seen, known)
        or _page_load(agent.version, seen, known)
    )


def _never(seen: Headers, known: EngineRules) -> Unlike | None:
    if seen.ch_ua and "sec-ch-ua" in known.never:
        return Unlike("sec_ch_ua", 1, 0)
    if seen.ch_platform and "sec-ch-ua-platform" in known.never:
        return Unlike("sec_ch_ua_platform", 1, 0)
    if seen.ch_mobile and "sec-ch-ua-mobile" in known.never:
        return Unlike("sec_ch_ua_mobile", 1, 0)
    return Unlike("te", 1, 0) if seen.te and "te" in known.never else None


def _hints(agent: Agent, seen: Headers) -> Unlike | None:
    """User-Agent Client Hints against the User-Agent itself: one browser writes both."""
    hinted = _brand_version(seen.ch_ua)
    if hinted and agent.version and hinted != agent.version:
        return Unlike("sec_ch_ua_version", hinted, agent.version)
    if b'"HeadlessChrome"' in seen.ch_ua and b"HeadlessChrome/" not in seen.user_agent:
        return Unlike("sec_ch_ua_headless", 1, 0)
    families = [family for brand, family in _BRANDS if brand in seen.ch_ua]
    # Forks hide behind Chrome's User-Agent at times (compatibility lists); no Chrome calls itself Edge.
    if families == ["chrome"] and agent.family != "chrome":
        return Unlike("sec_ch_ua_brand", 1, 0)
    hinted_platform = _HINTED.get(seen.ch_platform, "")
    platform = _SAME_PLATFORM.get(agent.platform, agent.platform)
    if hinted_platform and platform and hinted_platform != platform:
        return Unlike("sec_ch_ua_platform", 1, 0)
    if seen.ch_mobile == b"?1" and agent.platform in ("windows", "macos"):
        return Unlike("sec_ch_ua_mobile", 1, 0)
    return None


def _too_early(version: int, seen: Headers, known: EngineRules) -> Unlike | None:
    """A header or coding that this version did not have yet."""
    if not version:
        return None
    if seen.fetch_mode and version <= known.not_until.get("sec-fetch-mode", 0):
        return Unlike("sec_fetch_since_version", version, known.not_until["sec-fetch-mode"] + 1)
    if seen.fetch_dest and version <= known.not_until.get("sec-fetch-dest", 0):
        return Unlike("sec_fetch_since_version", version, known.not_until["sec-fetch-dest"] + 1)
    if seen.ch_ua and version <= known.not_until.get("sec-ch-ua", 0):
        return Unlike("sec_ch_ua_since_version", version, known.not_until["sec-ch-ua"] + 1)
    if b"zstd" in seen.accept_encoding and version <= known.not_until.get("accept-encoding:zstd", 0):
        return Unlike("zstd_since_version", version, known.not_until["accept-encoding:zstd"] + 1)
    return None


def _page_load(version: int, seen: Headers, known: EngineRules) -> Unlike | None:
    """What Accept says on a page load that Fetch Metadata calls one: no script can set it there."""
    if seen.fetch_mode != b"navigate":
        return None
    if seen.fetch_dest in _NEVER_NAVIGATED:
        return Unlike("sec_fetch_dest", 1, 0)
    if seen.fetch_dest != b"document" or not version or version > known.newest:
        return None
    if seen.accept in known.foreign_accept:
        return Unlike("accept", 1, 0)
    for part, since in known.retired.items():
        if part in seen.accept and version >= since:
            return Unlike("accept_until_version", version, since - 1)
    return None


def _brand_version(ch_ua: bytes) -> int:
    """Major version of the Chromium brand in Sec-CH-UA; 0 if it is not there."""
    rest = ch_ua.partition(b'"Chromium";v="')[2][:5].partition(b'"')[0]
    return int(rest) if rest.isdigit() else 0


def parse_rules(document: Mapping[str, Any]) -> dict[str, EngineRules]:
    """From the form that scripts/build_header_rules.py writes.  Errors: KeyError, TypeError for another form."""
    return {
        engine: EngineRules(
            facts["newest"],
            frozenset(facts["never"]),
            facts["not_until"],
            frozenset(value.encode() for value in facts["foreign_accept"]),
            {part.encode(): version for part, version in facts["retired"].items()},
            facts["no_alpn_until"],
        )
        for engine, facts in document["engines"].items()
    }


@cache
def builtin_rules() -> dict[str, EngineRules]:
    """The packaged rules (botsieve/data/header_rules.json), read once a process."""
    return parse_rules(json.loads(resources.files("botsieve").joinpath("data/header_rules.json").read_bytes()))
