"""challenge/sequences.py and event_facts.py: each rule on what breaks it, and nobody else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import msgspec
import pytest
from botsieve.challenge.events import INPUT, KEY_DOWN, KEY_UP, MAX_EVENTS, MOVE, PASTE, SCROLL, Event, parse_events
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import BY_DRIVER, BY_SCRIPT, IRREGULAR, NO_EVIDENCE, REGULAR, score
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge import hands

DEFAULTS = SequenceRules()
OFF = {
    "teleport": "teleport_px",
    "press_dwell": "press_dwell_ms",
    "tap_dwell": "tap_dwell_ms",
    "key_dwell": "key_dwell_ms",
    "key_dwell_constant": "key_dwell_cv",
    "key_rhythm": "key_rhythm_cv",
    "constant_speed": "move_speed_cv",
    "no_pressure": "no_pressure",
    "fractional": "fractional_percent",
    "window_offset": "window_offset",
    "untrusted": "untrusted",
    "input_without_key": "input_without_key_ms",
    "scroll_without_cause": "scroll_without_cause_ms",
}
FRACTIONAL = [[MOVE, 16 + step % 5, 32, step, step * 2] for step in range(8)]


def events(entries: hands.Entries) -> tuple[Event, ...]:
    return parse_events(json.dumps(entries).encode())


@pytest.mark.parametrize("name", hands.REGULAR)
def test_people_are_regular(name: str) -> None:
    """Mouse, keys alone, a finger, a wheel, assistive technology: each alone is enough."""
    assert score(events(hands.REGULAR[name]), DEFAULTS).word == REGULAR


@pytest.mark.parametrize("rule", hands.IRREGULAR)
def test_drivers_are_irregular(rule: str) -> None:
    """Each rule is broken by what it is for, and by its name."""
    found = score(events(hands.IRREGULAR[rule]), DEFAULTS)
    assert (found.word, found.rules) == (IRREGULAR, (rule,))


@pytest.mark.parametrize("rule", hands.IRREGULAR)
def test_a_rule_that_is_off_is_silent(rule: str) -> None:
    """0 switches it off: what it was for is a person then, or shows nothing."""
    rules = msgspec.structs.replace(DEFAULTS, **{OFF[rule]: 0})
    found = score(events(hands.IRREGULAR[rule]), rules)
    assert found.word != IRREGULAR
    assert rule not in found.rules


def test_fractional_offsets_count_where_the_operator_says_so() -> None:
    """Off as packaged: a hand on Wayland may be as exact."""
    assert score(events(FRACTIONAL), DEFAULTS).word == REGULAR
    assert score(events(FRACTIONAL), SequenceRules(fractional_percent=20)).rules == ("fractional",)


def test_every_rule_has_a_case() -> None:
    """No rule without a test of both sides."""
    assert {name for name, _ in (*BY_DRIVER, *BY_SCRIPT)} == set(hands.IRREGULAR) | {"fractional"} == set(OFF)


def test_what_a_driver_does_is_not_washed_by_a_person() -> None:
    """A hand beside a driven press stays irregular; beside what a page's script may do it does not, unless `strict`."""
    driven = [*hands.movement(), *hands.typed(), *hands.press(dwell_ms=1)]
    assert score(events(driven), DEFAULTS).word == IRREGULAR
    scripted = [*hands.movement(), *hands.IRREGULAR["untrusted"]]
    found = score(events(scripted), DEFAULTS)
    assert (found.word, found.rules) == (REGULAR, ("untrusted",))
    assert score(events(scripted), SequenceRules(strict=True)).word == IRREGULAR


def test_nothing_shown_is_no_verdict() -> None:
    """A pointer that moved twice, a scroll of the browser's own, a focus: neither regular nor irregular."""
    for entries in ([[MOVE, 16, 0, 1, 1]] * 2, [[SCROLL, 200, 0]], [[11, 10, 0]], [[KEY_DOWN, 900, 0]]):
        assert score(events(entries), DEFAULTS).word == NO_EVIDENCE


def test_the_beginning_of_a_report_is_forgiven() -> None:
    """What came before it is not known: neither the key of an input nor the cause of a scroll."""
    assert score(events([[INPUT, 300, 0]]), DEFAULTS).word == NO_EVIDENCE
    assert score(events([[SCROLL, 1400, 0], [SCROLL, 20, 0], [SCROLL, 20, 0]]), DEFAULTS).word == NO_EVIDENCE
    # A release without its press, a key that went up without having gone down.
    assert score(events([[2, 500, 0], [5, 2, 0], *hands.typed()]), DEFAULTS).word == REGULAR


def test_a_few_keys_held_alike_are_a_person() -> None:
    """Five presses of Tab are alike by chance now and then; of ten, hardly ever: in 20,000 reports of a hand fewer than 10."""
    assert score(events(hands.typed(gaps_ms=(400,) * 5, dwells_ms=(70, 71, 70, 72, 70))), DEFAULTS).word == REGULAR
    draw = random.Random(11)
    alike = 0
    for _ in range(20_000):
        held = tuple(round(draw.lognormvariate(4.4, 0.2)) for _ in range(10))
        alike += score(tuple(typed_events(held, draw)), DEFAULTS).word == IRREGULAR
    assert alike < 10


def typed_events(held_ms: tuple[int, ...], draw: random.Random) -> Iterator[Event]:
    """Keys that are held so long, with the pauses of a hand."""
    for ms in held_ms:
        yield Event(KEY_DOWN, round(draw.lognormvariate(5.0, 0.4)), 0)
        yield Event(KEY_UP, ms, 0)


def test_pasting_is_typing() -> None:
    """An input after a paste has its cause."""
    assert score(events([[PASTE, 5000, 0], [INPUT, 3, 0]]), DEFAULTS).word == NO_EVIDENCE


def test_momentum_goes_on() -> None:
    """A scroll that was begun by a finger may go on for seconds after it."""
    entries = [*hands.REGULAR["finger that scrolls"], *([[SCROLL, 60, 2]] * 60)]
    assert score(events(entries), DEFAULTS).rules == ()


def test_thresholds_stand_where_they_are_documented() -> None:
    """Eight ms pass, seven do not; a median, so that one short press of several does not count."""
    assert score(events([*hands.movement(), *hands.press(dwell_ms=8)]), DEFAULTS).word == REGULAR
    assert score(events([*hands.movement(), *hands.press(dwell_ms=7)]), DEFAULTS).word == IRREGULAR
    thrice = [*hands.movement(), *hands.press(), *hands.press(dwell_ms=3), *hands.press(dwell_ms=80)]
    assert score(events(thrice), DEFAULTS).word == REGULAR


@given(
    st.lists(
        st.tuples(
            st.integers(0, 11), st.integers(0, 5000), st.integers(0, 255), st.integers(-999, 999), st.integers(-999, 999)
        ),
        min_size=1,
        max_size=MAX_EVENTS,
    )
)
def test_any_events_are_scored(drawn: list[tuple[int, int, int, int, int]]) -> None:
    """No sequence raises; an irregular one names its rules."""
    found = score(tuple(Event(*fields) for fields in drawn), DEFAULTS)
    assert found.word in (REGULAR, IRREGULAR, NO_EVIDENCE)
    assert (found.word != IRREGULAR) or found.rules
