"""Section `detectors`: what can be set of each finding, here and again in each policy.

Law of the file: a key that is not written is None here; its default stands in detectors/settings.py alone.  Bounds are what the
state can remember: a limit beyond it would be a finding that never comes.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.config.address_kinds import CountedNetwork
from botsieve.config.kinds import Many, Number, OneOf, Text, Whole, Word
from botsieve.config.section import Section
from botsieve.config.threshold_models import (
    HumanInteractionModel,
    RapidSurfingModel,
    SessionOpeningModel,
    SessionResetsModel,
    SessionTransactionsModel,
    SuspiciousBrowserModel,
)
from botsieve.detectors.settings import SuspiciousTiming, Volume
from botsieve.state.profiles import KEPT_STEPS, MAX_ADDRESSES, MAX_GROUP_ITEMS, MAX_ITEMS
from botsieve.state.world import KEEP_BEATS, WINDOW_S

StepPoints = Annotated[int, Whole(0, 100)]
Points = Annotated[int | None, Whole(0, 100)]
AppliesTo = Annotated[str | None, Word("any", "browser", "program")]
Window = Annotated[float | None, Number(10, WINDOW_S)]
# Where the state counts over its own window and nothing looks at the setting, only that window is accepted.
FixedWindow = Annotated[float | None, OneOf(int(WINDOW_S))]
Builtin = Annotated[str | None, Word("builtin")]

_POINTS = "what the finding adds to the score; 0 switches it off"
_STEP_POINTS = "0 switches it off; else what it adds stands in its steps"
_APPLIES = "whom it concerns: everybody, those who claim to be a browser, those who say they are a program"
_WINDOW = "how far back it looks [S1-13]"


class Finding(Section):
    """What every finding has."""

    points: Points = Field(default=None, description=_POINTS)
    applies_to: AppliesTo = Field(default=None, description=_APPLIES)


class StepFinding(Section):
    """A finding whose points stand in its steps."""

    applies_to: AppliesTo = Field(default=None, description=_APPLIES)


class BotUseragentModel(Finding):
    meaning: ClassVar[str] = "The User-Agent names a tool [S1-15, S1-16]."
    tokens: Annotated[tuple[str, ...] | None, Many(Text("printable text of 1 to 100 characters", longest=100), 200)] = Field(
        default=None, description="looked for in any case, anywhere in the User-Agent; the first that is found counts [S1-15]"
    )


class NoUseragentModel(Finding):
    meaning: ClassVar[str] = "No User-Agent at all [S1-17]."


class KnownCrawlerModel(Finding):
    meaning: ClassVar[str] = "The User-Agent names a crawler of the public list that cannot be verified [own]."
    list: Builtin = Field(default=None, description="which list of crawlers")


class NoAcceptLanguageModel(Finding):
    meaning: ClassVar[str] = "A browser always sends Accept-Language [S1-18]."


class NoAcceptEncodingModel(Finding):
    meaning: ClassVar[str] = "A browser always sends Accept-Encoding [S1-19: 15 in its code, 20 for the pair in its table]."


class NoRefererModel(Finding):
    meaning: ClassVar[str] = "A page load inside a visit without Referer [S1-10, S1-32]."
    visit_gap_s: Annotated[float | None, Number(60, 86400)] = Field(
        default=None, description="after so long without a request the next one is the first of a visit [own]"
    )


class SuspiciousJa3Model(Finding):
    meaning: ClassVar[str] = "A tool's TLS fingerprint, from a client that claims nothing, on a route for browsers [S1-22]."
    catalogue: Builtin = Field(default=None, description="which catalogue of fingerprints")
    ja3_list: Annotated[
        tuple[str, ...] | None,
        Many(Text("a JA3 fingerprint: 32 hex digits in lower case", longest=32, form="[0-9a-f]{32}"), 200),
    ] = Field(default=None, description="further fingerprints of tools")


class UnlikeHeadersModel(Finding):
    meaning: ClassVar[str] = "The headers contradict the browser that is named (contradiction, never absence) [own]."


class ContradictionModel(Finding):
    meaning: ClassVar[str] = (
        "The browser that is named cannot send this TLS hello, ALPN or HTTP version [own: alone it challenges]."
    )
    points_when_cleared: Points = Field(
        default=None,
        description="what is left of it once the client has solved a challenge, as people behind TLS interception do [own]",
    )


class FalseCrawlerModel(Finding):
    meaning: ClassVar[str] = (
        "It names a crawler, and DNS says that its address is not one of that crawler's [S2-15, S2-20: a lie blocks]."
    )


class TimingStepModel(Section):
    cv_below: Annotated[float, Number(0, 10)] = Field(description="standard deviation / mean of the intervals")
    mean_below_s: Annotated[float, Number(0, WINDOW_S)] = Field(description="mean interval")
    points: StepPoints = Field(description="what this step adds")


class SuspiciousTimingModel(StepFinding):
    meaning: ClassVar[str] = "A timer: the intervals are too regular [S1-24 to S1-30]."
    points: Annotated[int | None, OneOf(0, SuspiciousTiming().points)] = Field(default=None, description=_STEP_POINTS)
    subject: Annotated[str | None, Word("client")] = Field(default=None, description="whose requests are looked at together")
    window_s: FixedWindow = Field(default=None, description=_WINDOW)
    keep: Annotated[int | None, OneOf(KEEP_BEATS)] = Field(
        default=None, description="the newest requests that are looked at [S1-24]"
    )
    at_least: Annotated[int | None, Whole(3, KEEP_BEATS)] = Field(
        default=None, description="requests before anything is said [S1-25]"
    )
    steps: tuple[TimingStepModel, ...] = Field(
        default=(), min_length=1, max_length=10, description="the first that holds counts [S1-28, S1-29]"
    )
    points_without_progress: Points = Field(
        default=None,
        description="for one URL that a client with a session asks for again and again: a page that refreshes itself [own]",
    )


class UrlPatternModel(Finding):
    meaning: ClassVar[str] = "Item after item of one route [S1-21]."
    subject: Annotated[str | None, Word("client")] = Field(default=None, description="whose requests are looked at together")
    window_s: Window = Field(default=None, description=_WINDOW)
    steps_at_least: Annotated[int | None, Whole(3, KEPT_STEPS)] = Field(
        default=None, description="items by one constant step [own]"
    )
    steps_share_percent: Annotated[float | None, Number(50, 100)] = Field(
        default=None, description="the share of steps that are that step [own]"
    )
    items_at_least: Annotated[int | None, Whole(3, KEPT_STEPS)] = Field(
        default=None, description="or: different items in any order [own]"
    )
    items_per_s: Annotated[float | None, Number(0.01, 1000)] = Field(
        default=None, description="that come faster than this [own]"
    )


class VolumeStepModel(Section):
    items_at_least: Annotated[int, Whole(2, MAX_ITEMS)] = Field(description="different items of one route")
    points: StepPoints = Field(description="what this step adds")


class VolumeModel(StepFinding):
    meaning: ClassVar[str] = "Many different items of one route, at any rhythm [own: 60 in 300 s are 17,000 a day]."
    points: Annotated[int | None, OneOf(0, Volume().points)] = Field(default=None, description=_STEP_POINTS)
    subject: Annotated[str | None, Word("client")] = Field(default=None, description="whose requests are looked at together")
    window_s: Window = Field(default=None, description=_WINDOW)
    steps: tuple[VolumeStepModel, ...] = Field(
        default=(), min_length=1, max_length=10, description="the first that holds counts, so the largest stands first [own]"
    )


class SpreadModel(Finding):
    meaning: ClassVar[str] = (
        "The same, taken together from several addresses of one network or one fingerprint that is no browser's [own]."
    )
    addresses_at_least: Annotated[int | None, Whole(2, MAX_ADDRESSES)] = Field(
        default=None, description="addresses that take part [own]"
    )
    items_at_least: Annotated[int | None, Whole(2, MAX_GROUP_ITEMS)] = Field(
        default=None, description="different items together [own]"
    )
    window_s: FixedWindow = Field(default=None, description=_WINDOW)


class BusyRangeModel(Finding):
    meaning: ClassVar[str] = "Many addresses of one /24 or /48 together; counts only beside another finding [S1-11, S1-32]."
    subject: Annotated[str | None, Word("network")] = Field(default=None, description="whose requests are looked at together")
    window_s: Window = Field(default=None, description=_WINDOW)
    addresses_at_least: Annotated[int | None, Whole(2, MAX_ADDRESSES)] = Field(
        default=None, description="addresses of the network [own]"
    )
    requests_at_least: Annotated[int | None, Whole(8, 1_000_000)] = Field(
        default=None, description="requests of the network [own]"
    )
    times_mean: Annotated[float | None, Number(1, 200)] = Field(
        default=None, description="times the mean of the other active networks [own]"
    )
    shared: Annotated[tuple[str, ...] | None, Many(CountedNetwork(), 200)] = Field(
        default=None, description="offices and carriers that may be busy"
    )


class FamilyMaxModel(Section):
    meaning: ClassVar[str] = (
        "What the findings of one family add up to at most [own]; a family that is not named is not capped."
    )
    agent: Points = Field(default=None, description="who it says it is")
    headers: Points = Field(default=None, description="what a browser always sends")
    tls: Points = Field(default=None, description="the TLS fingerprint")
    claim: Points = Field(default=None, description="claim against evidence")
    timing: Points = Field(default=None, description="how regular it is")
    traversal: Points = Field(default=None, description="how much it takes")
    network: Points = Field(default=None, description="its network")


class Detectors(Section):
    meaning: ClassVar[str] = (
        "One entry a finding; docs/signals.md explains each.  In a policy the same keys, for that policy only."
    )

    bot_useragent: BotUseragentModel = Field(default=BotUseragentModel(), alias="agent.bot_useragent")
    no_useragent: NoUseragentModel = Field(default=NoUseragentModel(), alias="agent.no_useragent")
    known_crawler: KnownCrawlerModel = Field(default=KnownCrawlerModel(), alias="agent.known_crawler")
    family_max: FamilyMaxModel = FamilyMaxModel()
    no_accept_language: NoAcceptLanguageModel = Field(default=NoAcceptLanguageModel(), alias="headers.no_accept_language")
    no_accept_encoding: NoAcceptEncodingModel = Field(default=NoAcceptEncodingModel(), alias="headers.no_accept_encoding")
    no_referer: NoRefererModel = Field(default=NoRefererModel(), alias="headers.no_referer")
    suspicious_ja3: SuspiciousJa3Model = Field(default=SuspiciousJa3Model(), alias="tls.suspicious_ja3")
    unlike_headers: UnlikeHeadersModel = Field(default=UnlikeHeadersModel(), alias="claim.unlike_headers")
    contradiction: ContradictionModel = Field(default=ContradictionModel(), alias="claim.contradiction")
    false_crawler: FalseCrawlerModel = Field(default=FalseCrawlerModel(), alias="claim.false_crawler")
    suspicious_timing: SuspiciousTimingModel = Field(default=SuspiciousTimingModel(), alias="timing.suspicious_timing")
    url_pattern: UrlPatternModel = Field(default=UrlPatternModel(), alias="traversal.url_pattern")
    volume: VolumeModel = Field(default=VolumeModel(), alias="traversal.volume")
    spread: SpreadModel = Field(default=SpreadModel(), alias="traversal.spread")
    busy_range: BusyRangeModel = Field(default=BusyRangeModel(), alias="network.busy_range")
    rapid_surfing: RapidSurfingModel = Field(default=RapidSurfingModel(), alias="surfing.rapid")
    human_interaction: HumanInteractionModel = Field(default=HumanInteractionModel(), alias="human.interaction")
    session_opening: SessionOpeningModel = Field(default=SessionOpeningModel(), alias="sessions.opening")
    session_resets: SessionResetsModel = Field(default=SessionResetsModel(), alias="sessions.resets")
    session_transactions: SessionTransactionsModel = Field(default=SessionTransactionsModel(), alias="sessions.transactions")
    suspicious_browser: SuspiciousBrowserModel = Field(default=SuspiciousBrowserModel(), alias="browser.suspicious")
