"""Sections `policies` and `presets`: what applies where.

Law of the file: what is null here is filled from the preset when the configuration is compiled; nothing else is derived.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import core_schema

from botsieve.config.address_kinds import Asn, Country, HeaderName, HostName, Method, Network, UrlPath
from botsieve.config.detector_models import Detectors
from botsieve.config.kinds import Flag, Kind, Many, PatternText, Table, Text, Whole, Word, refuse
from botsieve.config.mistakes import nearest, shown
from botsieve.config.section import Section
from botsieve.config.threshold_models import PresetAction
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS
from botsieve.reputation import SIGNAL as REPUTATION

MAX_POLICIES, MAX_RULES, MAX_PATHS = 100, 100, 1000

Name = Annotated[str, Text("1 to 64 letters, digits, . _ or -", longest=64, form="[A-Za-z0-9][A-Za-z0-9._-]*")]
ScoreLimit = Annotated[int | None, Whole(1, 100)]
Paths = Annotated[tuple[str, ...], Many(UrlPath(), MAX_PATHS)]


class SignalId(Kind):
    """The id of a finding of this version."""

    accepted = ", ".join((*DEFAULTS, *THRESHOLDS, REPUTATION))

    def check(self, value: object) -> str:
        if isinstance(value, str) and (value in DEFAULTS or value in THRESHOLDS or value == REPUTATION):
            return str(value)
        near = nearest(value, (*DEFAULTS, *THRESHOLDS, REPUTATION)) if isinstance(value, str) else ""
        raise self.refusal(f"{shown(value)} is no finding" + (f" (did you mean {near}?)" if near else ""))


class Then(Kind):
    """What a rule does: a verdict as text, or `points: N` as the mapping {"points": N}.  The value is (verdict, points)."""

    accepted = "allow, challenge, block, or points: a whole number from -100 to 100"

    def check(self, value: object) -> tuple[str, int]:
        if isinstance(value, str) and value in (ALLOW, CHALLENGE, BLOCK):
            return str(value), 0
        if isinstance(value, dict) and list(value) == ["points"]:
            points = value["points"]
            if isinstance(points, int) and not isinstance(points, bool) and -100 <= points <= 100:
                return "", points
            raise self.refusal(f"points: {shown(points)} is out of bounds")
        raise self.refusal(f"{shown(value)} is nothing that a rule can do")


class When(Section):
    meaning: ClassVar[str] = "All given conditions must hold; at least one has to be given."
    network: Annotated[tuple[str, ...] | None, Many(Network(), 10_000, least=1, lone=True)] = Field(
        default=None, description="the client's address is in one of them"
    )
    path: Annotated[tuple[str, ...] | None, Many(UrlPath(), MAX_PATHS, least=1, lone=True)] = Field(
        default=None, description="the path is one of them, matched as in `paths`"
    )
    method: Annotated[tuple[str, ...] | None, Many(Method(), 20, least=1, lone=True)] = Field(
        default=None, description="the method is one of them"
    )
    header: Annotated[dict[str, str] | None, Table(HeaderName(), PatternText(), 20)] = Field(
        default=None, description="each named header is sent and its pattern is found in it (RE2)"
    )
    country: Annotated[tuple[str, ...] | None, Many(Country(), 300, least=1, lone=True)] = Field(
        default=None, description="geo.country_mmdb says that the client's address belongs to one of them; not known: no"
    )
    asn: Annotated[tuple[int, ...] | None, Many(Asn(), 10_000, least=1, lone=True)] = Field(
        default=None, description="geo.asn_mmdb says that the client's address belongs to one of these networks; not known: no"
    )
    signal: Annotated[str | None, SignalId()] = Field(default=None, description="this finding was made")
    score_from: Annotated[int | None, Whole(0, 100)] = Field(default=None, description="the score is at least this")


class RuleModel(Section):
    name: Name = Field(description="stands in logs as what settled a decision")
    when: When = Field(description="the conditions")
    then: Annotated[tuple[str, int], Then()] = Field(description="what happens then")


class _NotEmpty:
    """An empty list of policies says nothing; it is most likely a mistake."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def _check(self, value: object) -> object:
        if value == []:
            raise refuse("the list is empty", "at least one policy, or no key `policies` for the packaged default")
        return value


class PolicyModel(Section):
    meaning: ClassVar[str] = (
        "The first policy whose hosts and paths match a request applies.  If none matches everything, the packaged `default` "
        "follows the last."
    )
    name: Name = Field(description="stands in logs and metrics")
    hosts: Annotated[tuple[str, ...], Many(HostName(), MAX_PATHS)] = Field(
        default=(), description="exact names, or *.example.com; empty: any"
    )
    paths: Paths = Field(
        default=(),
        description="/api/ = everything below; /a/*/b = one segment; anything else exactly, / too: the front page; empty: any",
    )
    mode: Annotated[str, Word("monitor", "enforce")] = Field(
        default="monitor", description="monitor: answer allow and record what enforce would do"
    )
    audience: Annotated[str, Word("browser", "mixed", "api")] = Field(
        default="mixed", description="who is expected: browsers, browsers and programs that say so, programs"
    )
    preset: Annotated[str, Word("relaxed", "balanced", "strict")] = Field(
        default="balanced", description="fills challenge_at, block_at, and action of thresholds"
    )
    challenge_at: Annotated[int | None, Whole(1, 100, null=True)] = Field(
        default=None, description="score from which a client is challenged; null: from the preset"
    )
    block_at: Annotated[int | None, Whole(1, 100, null=True)] = Field(
        default=None, description="score from which it is blocked; null: from the preset"
    )
    challenge_first: Annotated[bool, Flag()] = Field(
        default=True,
        description="a page load that reaches block_at by score is challenged once, hard, before it is blocked [own]",
    )
    challenge: Annotated[str, Word("pow", "none", later=("altcha", "turnstile", "hcaptcha", "recaptcha"))] = Field(
        default="pow",
        description="what a challenge is; none: who would be challenged by score or rule is blocked; who would be only by a "
        "prevention that may mean somebody else passes, and is told (docs/preventions.md)",
    )
    never_challenge: Paths = Field(
        default=("/robots.txt", "/favicon.ico", "/.well-known/"),
        description="never challenged, as OPTIONS preflights never are; what programs are meant to read (/robots.txt, /.well-known/) is "
        "never refused by a score either, whatever stands here",
    )
    entry_pages: Paths = Field(default=("/",), description="need no Referer")
    detectors: Detectors = Field(default=Detectors(), description="changes for this policy only")
    rules: tuple[RuleModel, ...] = Field(
        default=(), max_length=MAX_RULES, description="tried after scoring, the first that matches wins"
    )


Policies = Annotated[tuple[PolicyModel, ...], _NotEmpty()]


class Preset(Section):
    challenge_at: ScoreLimit = Field(default=None, description="score from which a client is challenged [own]")
    block_at: ScoreLimit = Field(default=None, description="score from which it is blocked [own]")
    action: PresetAction = Field(
        default=None, description="what thresholds with action: preset do: ignore, alarm or block [S2-20]"
    )


class Presets(Section):
    meaning: ClassVar[str] = "What a policy need not write itself."
    relaxed: Preset = Preset(challenge_at=60, block_at=90, action="ignore")
    balanced: Preset = Preset(challenge_at=45, block_at=80, action="alarm")
    strict: Preset = Preset(challenge_at=30, block_at=60, action="block")
