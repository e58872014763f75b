"""Section `detectors.human.interaction.sequence_rules`: the limits of the rules on event sequences.

Law of the file: a key that is not written is left to challenge/sequence_settings.py; 0 switches a rule off.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from botsieve.config.kinds import Flag, Number, Whole
from botsieve.config.section import Section

Evidence = Annotated[int | None, Whole(1, 100)]
Count = Annotated[int | None, Whole(0, 100)]
Milliseconds = Annotated[int | None, Whole(0, 10_000)]
Evenness = Annotated[float | None, Number(0, 1)]


class SequenceRulesModel(Section):
    meaning: ClassVar[str] = (
        "What makes a sequence of events irregular, one modality at a time; 0 switches a rule off (docs/human-interaction.md) [S2-30]."
    )
    strict: Annotated[bool | None, Flag()] = Field(
        default=None, description="what a page's own script could have done counts also beside the signs of a hand [own]"
    )
    moves_at_least: Evidence = Field(default=None, description="moves of a mouse that are a sign of a hand [own]")
    keys_at_least: Evidence = Field(default=None, description="keys that are [own]")
    wheels_at_least: Evidence = Field(default=None, description="turns of a wheel that are [own]")
    touch_moves_at_least: Evidence = Field(default=None, description="moves of a finger that are [own]")
    untrusted: Count = Field(default=None, description="presses, clicks and keys made by script, from so many on [own]")
    input_without_key_ms: Milliseconds = Field(default=None, description="text that no key or paste precedes by so long [own]")
    scroll_without_cause_ms: Milliseconds = Field(
        default=None, description="scrolling that no wheel, key, press or finger precedes by so long [own]"
    )
    scrolls_at_least: Evidence = Field(default=None, description="from so many such scrolls on [own]")
    teleport_px: Annotated[int | None, Whole(0, 10_000)] = Field(
        default=None, description="a press after a jump over more than this [own]"
    )
    press_dwell_ms: Milliseconds = Field(default=None, description="mouse presses shorter than this, median [own]")
    tap_dwell_ms: Milliseconds = Field(default=None, description="taps of a finger shorter than this, median [own]")
    key_dwell_ms: Milliseconds = Field(default=None, description="keys held for less than this, median [own]")
    key_dwell_cv: Evenness = Field(default=None, description="keys held more evenly than this (cv) [own]")
    key_rhythm_cv: Evenness = Field(default=None, description="keys that follow each other more evenly than this (cv) [own]")
    move_speed_cv: Evenness = Field(default=None, description="steps of a mouse more even than this (cv) [own]")
    no_pressure: Count = Field(default=None, description="presses of a mouse without pressure, from so many on [own]")
    fractional_percent: Annotated[int | None, Whole(0, 100)] = Field(
        default=None, description="more than this of the moves on fractions of a pixel; Wayland may do so too [own]"
    )
    window_offset: Count = Field(
        default=None, description="moves that do not fit the window's place on the screen, from so many on [own]"
    )
