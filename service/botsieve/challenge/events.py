"""What a page's script reports of its visitor: that pointer, keys, touch, wheel and focus were used, and when (web/h.js).

Law of the file: any bytes give a Report or InvalidReport.  A report holds kinds, times and distances: no key, no text, no
place on the page; who has scored it drops it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

# The place of each kind in `kinds` of web/h.js.
MOVE, PRESS, RELEASE, CLICK, KEY_DOWN, KEY_UP, INPUT, PASTE, WHEEL, SCROLL, TOUCH_MOVE, FOCUS = range(12)

# Flags.  TOUCH: of a pointer event, made by touch or pen; of any other, touch was used on this page before.  NO_POINTER: the
# browser names no pointer (a click by key or assistive technology).  COMPOSED: an input method or a phone's keyboard.
UNTRUSTED, TOUCH, NO_POINTER, NO_PRESSURE, FRACTIONAL, DISPLACED, COMPOSED = 1, 2, 8, 16, 32, 64, 128

MAX_REPORT = 4096
MAX_EVENTS = 256
# An hour between two events is as good as a day.
MAX_GAP_MS = 2**31
_MAX_STEP = 100_000


class InvalidReport(ValueError):
    """A body that web/h.js does not send.  The client's fault; the message names the part, never its content."""


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """One event.  `gap_ms`: since the one before it, of the first since the one reported last, or since the page was opened.

    `dx`, `dy`: of MOVE and PRESS, since the pointer was heard of last; of CLICK `dx` is its `detail`.
    """

    kind: Annotated[int, msgspec.Meta(ge=MOVE, le=FOCUS)]
    gap_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_GAP_MS)]
    flags: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    dx: Annotated[int, msgspec.Meta(ge=-_MAX_STEP, le=_MAX_STEP)] = 0
    dy: Annotated[int, msgspec.Meta(ge=-_MAX_STEP, le=_MAX_STEP)] = 0


_DECODER = msgspec.json.Decoder(Annotated[tuple[Event, ...], msgspec.Meta(min_length=1, max_length=MAX_EVENTS)], strict=True)


class Report(msgspec.Struct, frozen=True, gc=False):
    """`token`: of the page.  `number`: the reports of one token count up from 0.  `events`: 1 to 256, in order."""

    token: bytes
    number: int
    events: tuple[Event, ...]


def split_report(body: bytes) -> tuple[bytes, int, bytes]:
    """Token, number and the events unread.  Errors: InvalidReport.  Cheap: the token is looked at before the events are."""
    if len(body) > MAX_REPORT:
        raise InvalidReport(f"the report has more than {MAX_REPORT} bytes")
    token, _, rest = body.partition(b"\n")
    number, mark, events = rest.partition(b"\n")
    if not token or not mark or not number.isdigit() or len(number) > 6:
        raise InvalidReport("the report has no token and number; accepted: a line each, then the events")
    return token, int(number), events


def parse_events(raw: bytes) -> tuple[Event, ...]:
    """The events of a report.  Errors: InvalidReport."""
    try:
        events: tuple[Event, ...] = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidReport(
            "the events are not 1 to 256 lists of kind, time, flags and distances within their bounds"
        ) from error
    return events


def parse_report(body: bytes) -> Report:
    """The whole of it.  Errors: InvalidReport."""
    token, number, events = split_report(body)
    return Report(token, number, parse_events(events))
