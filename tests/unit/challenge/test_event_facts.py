"""challenge/event_facts.py: what is counted of a report."""

from __future__ import annotations

from botsieve.challenge.event_facts import Facts
from botsieve.challenge.events import (
    CLICK,
    KEY_DOWN,
    KEY_UP,
    MOVE,
    NO_POINTER,
    PRESS,
    RELEASE,
    SCROLL,
    TOUCH,
    UNTRUSTED,
    WHEEL,
    Event,
)
from botsieve.challenge.sequence_settings import SequenceRules


def facts(*events: Event) -> Facts:
    return Facts(events, SequenceRules())


def test_keys_that_overlap_keep_their_own_time() -> None:
    """Fast typing: the first that went down goes up first."""
    found = facts(Event(KEY_DOWN, 100), Event(KEY_DOWN, 40), Event(KEY_UP, 30), Event(KEY_UP, 50))
    assert found.key_dwells == [70, 80]
    assert found.key_gaps == [40]


def test_a_key_that_went_up_elsewhere_is_no_long_press() -> None:
    """Alt-Tab: the release is never heard of, and the next key is not taken for it."""
    found = facts(Event(KEY_DOWN, 100), Event(KEY_DOWN, 60_000), Event(KEY_UP, 80))
    assert found.key_dwells == [80]


def test_a_finger_has_taps_and_a_mouse_presses() -> None:
    """The two are counted apart, and no rule of a mouse looks at a finger."""
    found = facts(
        Event(PRESS, 10, TOUCH | 16),
        Event(RELEASE, 60, TOUCH),
        Event(PRESS, 500, 0, 400, 0),
        Event(RELEASE, 90),
        Event(CLICK, 0),
    )
    assert (found.taps, found.dwells, found.presses, found.pressureless, found.jumps) == ([60], [90], 1, 0, 0)


def test_a_jump_needs_a_place_to_jump_from() -> None:
    """The first place that is known is no jump; a second one far away without a movement is."""
    first = facts(Event(PRESS, 10, 0, 900, 400))
    second = facts(Event(PRESS, 10, 0, 900, 400), Event(RELEASE, 80), Event(PRESS, 900, 0, -500, 0))
    same = facts(Event(PRESS, 10, 0, 900, 400), Event(RELEASE, 80), Event(PRESS, 900, 0, 3, 0))
    assert (first.jumps, second.jumps, same.jumps) == (0, 1, 0)


def test_speed_is_of_one_movement() -> None:
    """Steps across a rest have no speed."""
    found = facts(Event(MOVE, 10, 0, 3, 4), Event(MOVE, 16, 0, 6, 8), Event(MOVE, 5_000, 0, 300, 400), Event(MOVE, 16, 0, 0, 5))
    assert found.speeds == [10.0, 5.0]
    assert found.moves == 4


def test_scripts_are_counted_apart() -> None:
    """What a script made is none of a person's, and only deeds count."""
    found = facts(Event(CLICK, 10, UNTRUSTED | NO_POINTER), Event(MOVE, 10, UNTRUSTED), Event(KEY_DOWN, 10, UNTRUSTED))
    assert (found.untrusted, found.assisted, found.moves, found.keys) == (2, 0, 0, 0)


def test_a_scroll_has_a_cause_for_a_while() -> None:
    """1500 ms after a wheel, no longer; what goes on from there is caused too."""
    at_once = facts(Event(WHEEL, 3_000), Event(SCROLL, 1_500), Event(SCROLL, 200), Event(SCROLL, 200))
    late = facts(Event(WHEEL, 3_000), Event(SCROLL, 1_501), Event(SCROLL, 200), Event(SCROLL, 200))
    assert (at_once.uncaused_scrolls, late.uncaused_scrolls) == (0, 3)
