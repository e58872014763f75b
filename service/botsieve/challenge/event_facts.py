"""What a report says, added up: the numbers that the rules of sequences.py look at.

Law of the file: one pass, nothing is judged.  Where the report begins, what came before is not known: a cause may have been the
last thing that was reported before it, so nothing is held against the first moments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botsieve.challenge.events import (
    CLICK,
    COMPOSED,
    DISPLACED,
    FRACTIONAL,
    INPUT,
    KEY_DOWN,
    KEY_UP,
    MOVE,
    NO_POINTER,
    NO_PRESSURE,
    PASTE,
    PRESS,
    RELEASE,
    SCROLL,
    TOUCH,
    TOUCH_MOVE,
    UNTRUSTED,
    WHEEL,
    Event,
)
from botsieve.challenge.sequence_settings import SequenceRules

# A frame of a slow screen: moves that lie farther apart belong to two movements.
_FRAME_MS = 60
# A scroll goes on (momentum) for as long as its events come so close.
_SCROLL_GOES_ON_MS = 300
# Up to so many moves before a press are a jump, if they cover `teleport_px` or the press comes within so many ms of the last.
_JUMP_MOVES = 2
_JUMP_MS = 12
# After so long a rest it is another movement.
_REST_MS = 500
# A key that is held for longer went up where we did not hear it.
_HELD_MS = 3_000
_NEVER = -1_000_000


class Facts:
    """Counts of trusted events, and lists of times (ms) and lengths (pixels).  `untrusted` counts deeds made by script."""

    def __init__(self, events: tuple[Event, ...], rules: SequenceRules) -> None:
        self.moves = self.presses = self.keys = self.wheels = self.touch_moves = self.assisted = 0
        self.untrusted = self.jumps = self.pressureless = self.fractional = self.displaced = 0
        self.unexplained_inputs = self.uncaused_scrolls = 0
        self.speeds: list[float] = []
        self.dwells: list[int] = []
        self.taps: list[int] = []
        self.key_dwells: list[int] = []
        self.key_gaps: list[int] = []
        self._rules = rules
        self._now = self._typed_at = self._caused_at = 0
        self._moved_at = self._pressed_at = self._scrolled_at = self._key_at = _NEVER
        self._down: list[int] = []
        self._run, self._far = 0, 0.0
        self._is_caused = True
        for event in events:
            self._now += event.gap_ms
            if event.flags & UNTRUSTED:
                self.untrusted += event.kind in (PRESS, CLICK, KEY_DOWN)
            elif event.kind in _READERS:
                _READERS[event.kind](self, event)

    def _move(self, event: Event) -> None:
        length = abs(complex(event.dx, event.dy))
        if self._now - self._moved_at > _REST_MS:
            self._run, self._far = 0, 0.0
        if self._moved_at != _NEVER:
            self._far += length
            if self._now - self._moved_at <= _FRAME_MS:
                self.speeds.append(length)
        self.moves += 1
        self.fractional += bool(event.flags & FRACTIONAL)
        self.displaced += bool(event.flags & DISPLACED)
        self._run += 1
        self._moved_at = self._now

    def _press(self, event: Event) -> None:
        self._pressed_at = self._caused_at = self._now
        if event.flags & (TOUCH | NO_POINTER):  # no rule of a mouse is for a finger
            return
        self.presses += 1
        self.pressureless += bool(event.flags & NO_PRESSURE)
        self.displaced += bool(event.flags & DISPLACED)
        if self._moved_at != _NEVER:
            self._far += abs(complex(event.dx, event.dy))
        if self._run <= _JUMP_MOVES:
            sudden = self._run > 0 and self._now - self._moved_at <= _JUMP_MS
            self.jumps += sudden or self._far > self._rules.teleport_px
        self._run, self._far = 0, 0.0
        self._moved_at = self._now

    def _release(self, event: Event) -> None:
        self._caused_at = self._now
        if self._pressed_at != _NEVER:
            (self.taps if event.flags & TOUCH else self.dwells).append(self._now - self._pressed_at)
            self._pressed_at = _NEVER

    def _click(self, event: Event) -> None:
        # By key, or by a screen reader or voice: nothing that a driver can make without an event of another kind.
        self.assisted += bool(event.flags & NO_POINTER)

    def _key_down(self, event: Event) -> None:
        self._typed_at = self._caused_at = self._now
        self.keys += 1
        if event.flags & (TOUCH | COMPOSED):  # a phone's keyboard has no keys that go down and up
            return
        if self._key_at != _NEVER:
            self.key_gaps.append(self._now - self._key_at)
        self._key_at = self._now
        self._down.append(self._now)

    def _key_up(self, event: Event) -> None:
        while self._down:
            held_ms = self._now - self._down.pop(0)
            if held_ms <= _HELD_MS:
                self.key_dwells.append(held_ms)
                return

    def _input(self, event: Event) -> None:
        if not event.flags & (TOUCH | COMPOSED):
            self.unexplained_inputs += self._now - self._typed_at > self._rules.input_without_key_ms

    def _paste(self, event: Event) -> None:
        self._typed_at = self._now

    def _wheel(self, event: Event) -> None:
        self._caused_at = self._now
        self.wheels += 1

    def _touch_move(self, event: Event) -> None:
        self._caused_at = self._now
        self.touch_moves += 1

    def _scroll(self, event: Event) -> None:
        goes_on = self._now - self._scrolled_at <= _SCROLL_GOES_ON_MS
        self._is_caused = (goes_on and self._is_caused) or (self._now - self._caused_at <= self._rules.scroll_without_cause_ms)
        self.uncaused_scrolls += not self._is_caused
        self._scrolled_at = self._now


_READERS: Mapping[int, Callable[[Facts, Event], None]] = {
    MOVE: Facts._move,
    PRESS: Facts._press,
    RELEASE: Facts._release,
    CLICK: Facts._click,
    KEY_DOWN: Facts._key_down,
    KEY_UP: Facts._key_up,
    INPUT: Facts._input,
    PASTE: Facts._paste,
    WHEEL: Facts._wheel,
    TOUCH_MOVE: Facts._touch_move,
    SCROLL: Facts._scroll,
}
