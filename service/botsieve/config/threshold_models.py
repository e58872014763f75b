"""Section `detectors`, the thresholds of the second mission document: what can be set of each, for everybody and in a policy.

Law of the file: a key that is not written is None here; its default stands in detectors/settings.py, that of `action` in ACTIONS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.attacks.types import ACTIONS as WORDS
from botsieve.config.browser_models import MAX_EXTENSIONS, Extension
from botsieve.config.kinds import Flag, Many, Number, Whole, Word
from botsieve.config.section import Section
from botsieve.config.sequence_models import SequenceRulesModel
from botsieve.detectors.settings import THRESHOLDS

OF_PRESET = "preset"
# What stands in `action` where nothing is written: the preset of the policy decides of some.
ACTIONS: Mapping[str, str] = MappingProxyType(
    {name: settings.action for name, settings in THRESHOLDS.items()}
    | dict.fromkeys(("surfing.rapid", "sessions.opening", "sessions.transactions"), OF_PRESET)
)

Count = Annotated[int | None, Whole(1, 1_000_000)]
Percent = Annotated[float | None, Number(1, 100_000)]
Rate = Annotated[float | None, Number(0.1, 1_000_000)]
Seconds = Annotated[float | None, Number(1, 3600)]
PresetAction = Annotated[str | None, Word(*WORDS)]


class ThresholdModel(Section):
    """What every threshold has."""

    action: Annotated[str | None, Word(*WORDS, OF_PRESET)] = Field(
        default=None,
        description="ignore; alarm: say so; block: refuse, in mode enforce; preset: as the preset of the policy says [S2-20]",
    )
    prevention_s: Annotated[float | None, Number(1, 86_400)] = Field(
        default=None, description="so long at most is answered what was found [S2-44]"
    )


class RapidSurfingModel(ThresholdModel):
    meaning: ClassVar[str] = "More page loads than a hand can make (audience `api`: data calls too) [S2-26]."
    window_s: Annotated[float | None, Number(1, 300)] = Field(default=None, description="within so many seconds")
    refreshes: Annotated[int | None, Whole(1, 1_000)] = Field(
        default=None, description="more views than this of pages already seen in that time"
    )
    pages: Annotated[int | None, Whole(1, 300)] = Field(default=None, description="or more different pages than this")


class HumanInteractionModel(ThresholdModel):
    meaning: ClassVar[str] = (
        "No hand was seen: in requests since the collector last reported one; of clients that have had a page with it [S2-27 to S2-31]."
    )
    grace: Count = Field(default=None, description="allowed without a sign of a hand [S2-27]")
    safe: Count = Field(default=None, description="allowed after one, before the next grace [S2-29]")
    unsafe: Count = Field(default=None, description="violate after the grace; then the next grace begins [S2-28]")
    sequences: Annotated[bool | None, Flag()] = Field(
        default=None,
        description="irregular event sequences are no sign; after one what is beyond the grace violates [S2-30, S2-31]",
    )
    sequence_rules: SequenceRulesModel = SequenceRulesModel()


class SessionOpeningModel(ThresholdModel):
    meaning: ClassVar[str] = (
        "Sessions opened too fast by one address: minimum_per_s, and above_percent or reached_per_s [S2-35 to S2-44]."
    )
    above_percent: Percent = Field(default=None, description="so much more than the address usually opens [S2-40]")
    reached_per_s: Rate = Field(default=None, description="or so many a second [S2-41]")
    minimum_per_s: Rate = Field(default=None, description="never below this [S2-42]")
    over_s: Annotated[float | None, Number(1, 60)] = Field(default=None, description="the rate is measured over so long [own]")
    history_s: Annotated[float | None, Number(600, 3600)] = Field(
        default=None, description="usual: of the last so many seconds [own]"
    )
    prevention: Annotated[tuple[str, ...] | None, Many(Word("integrity", "rate_limit", "drop_bad_reputation"), 3)] = Field(
        default=None,
        description="integrity: each new session is challenged; rate_limit: new sessions are refused at random until the rate is "
        "the usual one; drop_bad_reputation: with rate_limit, listed addresses are refused [S2-36 to S2-39]",
    )


class SessionResetsModel(ThresholdModel):
    meaning: ClassVar[str] = "A device that loses its identity too often [S2-45 to S2-50]."
    integrity_faults: Annotated[int | None, Whole(1, 1_000)] = Field(
        default=None, description="more integrity faults than this [S2-45]"
    )
    integrity_s: Seconds = Field(default=None, description="within so many seconds [S2-45]")
    cookie_deletions: Annotated[int | None, Whole(1, 1_000)] = Field(
        default=None, description="or more deletions of our cookie than this [S2-46, S2-47]"
    )
    deletion_s: Seconds = Field(default=None, description="within so many seconds [S2-46]")
    by: Annotated[tuple[str, ...] | None, Many(Word("device", "fingerprint"), 2, least=1)] = Field(
        default=None, description="how a deletion is seen: by the device id, by the browser's fingerprint [S2-46, S2-47]"
    )


class SessionTransactionsModel(ThresholdModel):
    meaning: ClassVar[str] = (
        "A session that asks for far more than others: minimum, and above_percent or reached; page views and data calls, no polls "
        "of one URL [S2-51 to S2-57]."
    )
    above_percent: Percent = Field(default=None, description="so much more than the mean of the site's last hour [S2-52]")
    reached: Count = Field(default=None, description="or so many in one session [S2-53]")
    minimum: Count = Field(default=None, description="never below this [S2-54]")
    sessions_at_least: Annotated[int | None, Whole(10, 1_000_000)] = Field(
        default=None, description="sessions in the last hour before a mean says anything [own]"
    )


class SuspiciousBrowserModel(ThresholdModel):
    meaning: ClassVar[str] = "Automation marks, and extensions that are not allowed [S2-59 to S2-61]."
    extensions: Annotated[tuple[str, ...] | None, Many(Extension(), MAX_EXTENSIONS)] = Field(
        default=None,
        description="extensions that are not allowed, and how each shows itself (docs/device-and-browser.md) [S2-60]",
    )
