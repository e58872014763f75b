"""The limits of the rules on event sequences: `detectors.human.interaction.sequence_rules` of the configuration.

Law of the file: one named number a rule, 0 switches it off; defaults are documented in docs/human-interaction.md with what was
measured.  Nobody's thresholds: they were found on driven browsers, without recordings of real people.
"""

from __future__ import annotations

import msgspec


class SequenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """`strict`: what a page's own script could have caused counts also beside regular evidence.

    Evidence: so much of one kind shows a person.  Times are ms of the browser's clock, lengths CSS pixels, `cv` is standard
    deviation / mean.
    """

    strict: bool = False
    # evidence
    moves_at_least: int = 5
    keys_at_least: int = 2
    wheels_at_least: int = 3
    touch_moves_at_least: int = 3
    # what a page's own script could have caused
    untrusted: int = 1
    input_without_key_ms: int = 400
    scroll_without_cause_ms: int = 1500
    scrolls_at_least: int = 3
    # what only a driver causes
    teleport_px: int = 100
    press_dwell_ms: int = 8
    tap_dwell_ms: int = 8
    key_dwell_ms: int = 8
    key_dwell_cv: float = 0.05
    key_rhythm_cv: float = 0.05
    move_speed_cv: float = 0.12
    no_pressure: int = 1
    fractional_percent: int = 0
    window_offset: int = 1
