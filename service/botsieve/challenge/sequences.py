"""Does a sequence of events look like a person's?  The rules of F5's event sequence enforcement, one modality at a time [S2-30].

Law of the file: a modality that is absent is never a fault: who only types, only touches, or is helped by assistive technology (a
trusted click without a pointer) is as human as who moves a mouse.  Two sorts of rules: what only a driver of the browser can
cause is irregular whatever else was seen; what a page's own script can cause (`click()`, `scrollTo()`, a filled input) is irregular
only where nothing shows a person, unless `strict`.  Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import msgspec

from botsieve.challenge.event_facts import Facts
from botsieve.challenge.events import Event
from botsieve.challenge.sequence_settings import SequenceRules

REGULAR, IRREGULAR, NO_EVIDENCE = "regular", "irregular", "none"

# guess: of fewer steps, presses or keys no evenness is measured; of five keys a hand holds one time in two hundred all alike (computed).
_STEPS, _DWELLS, _RHYTHM = 10, 10, 8


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What a report shows: REGULAR, IRREGULAR or NO_EVIDENCE, and the names of the rules that it broke."""

    word: str
    rules: tuple[str, ...] = ()


Rule = Callable[[Facts, SequenceRules], bool]

# Rule -> whether it is broken.  Each can be switched off by its setting of 0 (docs/human-interaction.md).
BY_DRIVER: tuple[tuple[str, Rule], ...] = (
    ("teleport", lambda f, r: r.teleport_px > 0 and f.jumps > 0),
    ("press_dwell", lambda f, r: _short(f.dwells, r.press_dwell_ms)),
    ("tap_dwell", lambda f, r: _short(f.taps, r.tap_dwell_ms)),
    ("key_dwell", lambda f, r: _short(f.key_dwells, r.key_dwell_ms)),
    ("key_dwell_constant", lambda f, r: _even(f.key_dwells, _DWELLS, r.key_dwell_cv)),
    ("key_rhythm", lambda f, r: _even(f.key_gaps, _RHYTHM, r.key_rhythm_cv)),
    ("constant_speed", lambda f, r: _even(sorted(f.speeds)[1:-1], _STEPS, r.move_speed_cv)),
    ("no_pressure", lambda f, r: 0 < r.no_pressure <= f.pressureless),
    ("fractional", lambda f, r: r.fractional_percent > 0 and 100 * f.fractional > r.fractional_percent * f.moves),
    ("window_offset", lambda f, r: 0 < r.window_offset <= f.displaced),
)
BY_SCRIPT: tuple[tuple[str, Rule], ...] = (
    ("untrusted", lambda f, r: 0 < r.untrusted <= f.untrusted),
    ("input_without_key", lambda f, r: r.input_without_key_ms > 0 and f.unexplained_inputs > 0),
    ("scroll_without_cause", lambda f, r: r.scroll_without_cause_ms > 0 and f.uncaused_scrolls >= r.scrolls_at_least),
)


def score(events: tuple[Event, ...], rules: SequenceRules) -> Finding:
    """What a report shows.  `events`: as parse_events gives them.  Cost: O(events), some 100 µs for a full report."""
    facts = Facts(events, rules)
    driven = tuple([name for name, broken in BY_DRIVER if broken(facts, rules)])
    scripted = tuple([name for name, broken in BY_SCRIPT if broken(facts, rules)])
    if driven or (scripted and (rules.strict or not _shows_a_person(facts, rules))):
        return Finding(IRREGULAR, driven + scripted)
    return Finding(REGULAR if _shows_a_person(facts, rules) else NO_EVIDENCE, scripted)


def _shows_a_person(f: Facts, r: SequenceRules) -> bool:
    """Enough of one modality: mouse, keys, touch, wheel, or a click that assistive technology made."""
    return bool(
        f.moves >= r.moves_at_least
        or f.presses
        or f.keys >= r.keys_at_least
        or f.taps
        or f.touch_moves >= r.touch_moves_at_least
        or f.wheels >= r.wheels_at_least
        or f.assisted
    )


def _short(dwells: list[int], limit_ms: int) -> bool:
    return bool(dwells) and limit_ms > 0 and median(dwells) < limit_ms


def _even(values: list[int] | list[float], at_least: int, cv_below: float) -> bool:
    """More even than a person: standard deviation / mean below the limit."""
    if cv_below <= 0 or len(values) < at_least:
        return False
    mean = sum(values) / len(values)
    if mean <= 0:
        return False
    # Not statistics.pstdev: its exact fractions cost more than all the rest.
    variance: float = sum([(value - mean) ** 2 for value in values]) / len(values)
    return variance < (cv_below * mean) ** 2
