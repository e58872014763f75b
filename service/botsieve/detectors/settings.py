"""What an operator can set of each detector.  Defaults are the packaged ones; docs/settings.md names the source of each number.

Law of the file: one frozen struct a detector, in the order of the detector table; the config models compile into these.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from botsieve.challenge.sequence_settings import SequenceRules

ANY, BROWSER, PROGRAM = "any", "browser", "program"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every detector has.  `points` is what the finding adds (0 switches it off); `applies_to` is docs/settings.md's."""

    points: int
    applies_to: str = ANY


class BotUseragent(Settings, frozen=True, kw_only=True):
    """[S1-15, S1-16]"""

    points: int = 40
    applies_to: str = PROGRAM
    tokens: tuple[str, ...] = ("python-requests", "curl", "wget", "Go-http-client", "Java/", "okhttp", "axios", "node-fetch")


class NoUseragent(Settings, frozen=True, kw_only=True):
    """[S1-17]"""

    points: int = 40
    applies_to: str = PROGRAM


class KnownCrawler(Settings, frozen=True, kw_only=True):
    """[own]"""

    points: int = 40
    applies_to: str = PROGRAM
    list: str = "builtin"


class NoAcceptLanguage(Settings, frozen=True, kw_only=True):
    """[S1-18]"""

    points: int = 20
    applies_to: str = BROWSER


class NoAcceptEncoding(Settings, frozen=True, kw_only=True):
    """[S1-19]"""

    points: int = 15
    applies_to: str = BROWSER


class NoReferer(Settings, frozen=True, kw_only=True):
    """[S1-10, S1-32]  `visit_gap_s`: after so long without a request the next one is the first of a visit."""

    points: int = 15
    applies_to: str = BROWSER
    visit_gap_s: float = 1800.0


class SuspiciousJa3(Settings, frozen=True, kw_only=True):
    """[S1-22]  `ja3_list`: MD5 digests that the operator adds to the catalogue's tools."""

    points: int = 30
    applies_to: str = BROWSER
    catalogue: str = "builtin"
    ja3_list: tuple[str, ...] = ()


class UnlikeHeaders(Settings, frozen=True, kw_only=True):
    """[own]"""

    points: int = 25
    applies_to: str = BROWSER


class Contradiction(Settings, frozen=True, kw_only=True):
    """[own]  `points_when_cleared`: what is left of it once the client has solved a challenge."""

    points: int = 45
    applies_to: str = BROWSER
    points_when_cleared: int = 15


class FalseCrawler(Settings, frozen=True, kw_only=True):
    """[S2-15, S2-20]  A lie blocks: with every preset, and without a challenge before it."""

    points: int = 100


class TimingStep(msgspec.Struct, frozen=True):
    """`points` when cv < `cv_below` and the mean interval < `mean_below_s`."""

    cv_below: float
    mean_below_s: float
    points: int


class SuspiciousTiming(Settings, frozen=True, kw_only=True):
    """[S1-24..S1-30]  `points` is unused: each step has its own."""

    points: int = 35
    subject: str = "client"
    window_s: float = 300.0
    keep: int = 50
    at_least: int = 5
    steps: tuple[TimingStep, ...] = (TimingStep(0.05, 2.0, 35), TimingStep(0.15, 1.0, 25))
    points_without_progress: int = 15


class UrlPattern(Settings, frozen=True, kw_only=True):
    """[S1-21]"""

    points: int = 30
    subject: str = "client"
    window_s: float = 300.0
    steps_at_least: int = 6
    steps_share_percent: float = 80.0
    items_at_least: int = 20
    items_per_s: float = 0.5


class VolumeStep(msgspec.Struct, frozen=True):
    """`points` from `items_at_least` different items on."""

    items_at_least: int
    points: int


class Volume(Settings, frozen=True, kw_only=True):
    """[own]  `points` is unused: each step has its own."""

    points: int = 50
    subject: str = "client"
    window_s: float = 300.0
    steps: tuple[VolumeStep, ...] = (VolumeStep(200, 50), VolumeStep(60, 25))


class Spread(Settings, frozen=True, kw_only=True):
    """[own]"""

    points: int = 30
    addresses_at_least: int = 5
    items_at_least: int = 100
    window_s: float = 300.0


class BusyRange(Settings, frozen=True, kw_only=True):
    """[S1-11, S1-32]  `shared`: networks (text) that may be busy."""

    points: int = 25
    subject: str = "network"
    window_s: float = 300.0
    addresses_at_least: int = 10
    requests_at_least: int = 100
    times_mean: float = 10.0
    shared: tuple[str, ...] = ()


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What every threshold detector of the second mission document has.

    `action`: ignore, alarm or block, already filled from the preset.  `prevention_s`: how long what it found is answered.
    """

    action: str = "alarm"
    prevention_s: float = 1800.0


class RapidSurfing(Threshold, frozen=True, kw_only=True):
    """[S2-26]  Page loads only; more than `refreshes` of pages already seen, or more than `pages` different ones, in `window_s`."""

    window_s: float = 30.0
    refreshes: int = 120
    pages: int = 30


class HumanInteraction(Threshold, frozen=True, kw_only=True):
    """[S2-27..S2-31]  In requests.  `sequences`: irregular event sequences do not count as human, by `sequence_rules`."""

    grace: int = 100
    safe: int = 2000
    unsafe: int = 100
    sequences: bool = True
    sequence_rules: SequenceRules = SequenceRules()


class SessionOpening(Threshold, frozen=True, kw_only=True):
    """[S2-35..S2-44]  Per address: minimum AND (above_percent OR reached), sessions a second over `over_s`."""

    above_percent: float = 500.0
    reached_per_s: float = 50.0
    minimum_per_s: float = 25.0
    over_s: float = 10.0
    history_s: float = 3600.0
    prevention: tuple[str, ...] = ("integrity",)


class SessionResets(Threshold, frozen=True, kw_only=True):
    """[S2-45..S2-50]  More than so many integrity faults, or deletions of our cookie, within so many seconds."""

    integrity_faults: int = 3
    integrity_s: float = 25.0
    cookie_deletions: int = 2
    deletion_s: float = 4.0
    by: tuple[str, ...] = ("device", "fingerprint")


class SessionTransactions(Threshold, frozen=True, kw_only=True):
    """[S2-51..S2-57]  Per session: minimum AND (above_percent of the site's last hour OR reached)."""

    above_percent: float = 500.0
    reached: int = 400
    minimum: int = 200
    sessions_at_least: int = 100


class SuspiciousBrowser(Threshold, frozen=True, kw_only=True):
    """[S2-59..S2-61]  Automation marks and `extensions` that are not allowed."""

    action: str = "ignore"
    extensions: tuple[str, ...] = ()


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "surfing.rapid": RapidSurfing(),
        "human.interaction": HumanInteraction(),
        "sessions.opening": SessionOpening(),
        "sessions.resets": SessionResets(),
        "sessions.transactions": SessionTransactions(),
        "browser.suspicious": SuspiciousBrowser(),
    }
)

DEFAULTS: Mapping[str, Settings] = MappingProxyType(
    {
        "agent.bot_useragent": BotUseragent(),
        "agent.no_useragent": NoUseragent(),
        "agent.known_crawler": KnownCrawler(),
        "headers.no_accept_language": NoAcceptLanguage(),
        "headers.no_accept_encoding": NoAcceptEncoding(),
        "headers.no_referer": NoReferer(),
        "tls.suspicious_ja3": SuspiciousJa3(),
        "claim.unlike_headers": UnlikeHeaders(),
        "claim.contradiction": Contradiction(),
        "claim.false_crawler": FalseCrawler(),
        "timing.suspicious_timing": SuspiciousTiming(),
        "traversal.url_pattern": UrlPattern(),
        "traversal.volume": Volume(),
        "traversal.spread": Spread(),
        "network.busy_range": BusyRange(),
    }
)

FAMILY_MAX: Mapping[str, int] = MappingProxyType({"headers": 35, "network": 25, "timing": 35})
