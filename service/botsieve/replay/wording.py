"""What a log wrote in escapes, as the client sent it; and figures in words.

Law of the file: what a client sent is bytes; printable.py makes text of it.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\bfnrtv]))')
_LETTERS = {b'"': b'"', b"\\": b"\\", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def unescape(field: bytes) -> bytes:
    """What the client sent, from what nginx (`\\xNN`) or Apache (`\\"`, `\\n`) wrote into a log."""
    if b"\\" not in field:
        return field
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else _LETTERS[found[2]], field)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 client`, `1,650 clients`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ordinal(number: int | None) -> str:
    """`1st`, `2nd`, `11th`; `-` for None."""
    if number is None:
        return "-"
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def span_text(seconds: float) -> str:
    """How long a log is, in the largest unit of which there are two, rounded: `3 days`, `90 minutes`."""
    for size_s, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size_s:
            return counted(round(seconds / size_s), unit)
    return counted(round(seconds), "second")
