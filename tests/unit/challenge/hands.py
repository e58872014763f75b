"""Reports of pages as web/h.js writes them: what a person's hand does, and what drivers do."""

from __future__ import annotations

import json
from collections.abc import Sequence

from botsieve.challenge.events import (
    CLICK,
    INPUT,
    KEY_DOWN,
    KEY_UP,
    MOVE,
    NO_POINTER,
    NO_PRESSURE,
    PRESS,
    RELEASE,
    SCROLL,
    TOUCH,
    TOUCH_MOVE,
    UNTRUSTED,
    WHEEL,
)

Entries = list[list[int]]

# The steps of one movement that xdotool made under Xvfb along a bent path: bell-shaped speed, whole numbers.
PATH = ((2, 1), (5, 2), (11, 4), (19, 6), (27, 8), (30, 7), (26, 4), (18, 1), (10, -1), (5, -2), (2, -1), (1, 0))


def movement(first_ms: int = 900) -> Entries:
    """A hand moves the mouse."""
    return [[MOVE, first_ms if at == 0 else 16 + at % 3, 0, dx, dy] for at, (dx, dy) in enumerate(PATH)]


def press(dwell_ms: int = 90, after_ms: int = 140, flags: int = 0) -> Entries:
    """A click with the mouse where it is."""
    return [[PRESS, after_ms, flags, 0, 0], [RELEASE, dwell_ms, 0], [CLICK, 0, 0, 1]]


def typed(
    gaps_ms: Sequence[int] = (140, 95, 180, 120, 210, 90), dwells_ms: Sequence[int] = (71, 64, 88, 59, 93, 70)
) -> Entries:
    """Keys; each goes up before the next goes down, and writes a letter."""
    return [
        entry
        for gap_ms, dwell_ms in zip(gaps_ms, dwells_ms, strict=True)
        for entry in ([KEY_DOWN, gap_ms, 0], [INPUT, 1, 0], [KEY_UP, dwell_ms, 0])
    ]


def tapped(dwell_ms: int = 70) -> Entries:
    """A finger."""
    return [[PRESS, 1200, TOUCH, 200, 300], [RELEASE, dwell_ms, TOUCH], [CLICK, 1, TOUCH, 1]]


_HELD = (50, 39, 61, 34, 66, 30, 70, 35, 65, 50)
REGULAR = {
    "mouse": [*movement(), *press()],
    "mouse that only moves": movement(),
    "press where the pointer was when the page came": press(),
    "keys": typed(),
    "tab and enter": [[KEY_DOWN, 2000, 0], [KEY_UP, 83, 0], [KEY_DOWN, 420, 0], [CLICK, 1, NO_POINTER], [KEY_UP, 64, 0]],
    "finger": tapped(),
    "finger that scrolls": [[PRESS, 900, TOUCH, 9, 9], *([[TOUCH_MOVE, 50, TOUCH], [SCROLL, 2, TOUCH]] * 6)],
    "a screen reader's click": [[CLICK, 5000, NO_POINTER]],
    "wheel": [[WHEEL, 800, 0], [SCROLL, 9, 0], [WHEEL, 71, 0], [SCROLL, 50, 0], [WHEEL, 66, 0], [SCROLL, 60, 0]],
    "a phone's keyboard": [*tapped(), *([[KEY_DOWN, 150, TOUCH | 128], [INPUT, 1, TOUCH | 128], [KEY_UP, 1, TOUCH | 128]] * 6)],
    "a page that scrolls itself under a hand": [*movement(), *([[SCROLL, 2000, 0]] * 5)],
    "a page that clicks itself under a hand": [*movement(), [CLICK, 3, UNTRUSTED | NO_POINTER, 0]],
}
IRREGULAR = {
    "untrusted": [[CLICK, 700, UNTRUSTED | NO_POINTER, 0]],
    "input_without_key": [[INPUT, 900, 0]],
    "scroll_without_cause": [[SCROLL, 1800, 0], [SCROLL, 100, 0], [SCROLL, 100, 0]],
    "teleport": [*movement(), [MOVE, 700, 0, 400, 200], *press(after_ms=200)],
    "press_dwell": [*movement(), *press(dwell_ms=2)],
    "tap_dwell": tapped(dwell_ms=1),
    "key_dwell": typed(dwells_ms=(2, 1, 3, 2, 2, 1)),
    "key_dwell_constant": typed(gaps_ms=(140, 95, 180, 120, 210, 90, 130, 75, 160, 105), dwells_ms=(50, 51, 50, 50, 51) * 2),
    "key_rhythm": typed(gaps_ms=[100, *(99 - held for held in _HELD[:-1])], dwells_ms=_HELD),
    "constant_speed": [[MOVE, 16, 0, 13, 7] for _ in range(20)],
    "no_pressure": [*movement(), *press(flags=NO_PRESSURE)],
    "window_offset": [[MOVE, 16 + step % 5, 64, step, step * 2] for step in range(8)],
}


def body(token: str, entries: Entries, number: int = 0) -> bytes:
    """What the script posts."""
    return f"{token}\n{number}\n{json.dumps(entries, separators=(',', ':'))}".encode()
