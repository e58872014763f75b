"""The text of a list of addresses: txt, netset, CSV, CIDR, plain ranges.

A line holds one address (`203.0.113.7`), network (`203.0.113.0/24`) or range (`203.0.113.5-203.0.113.9`), of IPv4 or IPv6.  What
follows `#` or `;` is a comment.  What stands in other columns (commas, tabs, blanks; quotes are taken off) is not looked at: the
first line that is no heading says in which column the addresses stand.

Law of the file: any bytes give ranges or mistakes; a mistake names its line and what is accepted, and both are bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

MAX_BYTES = 32 * 1024 * 1024
MAX_RANGES = 500_000
MAX_LINE = 1_000
MAX_MISTAKES = 10
ACCEPTED = "203.0.113.7, 203.0.113.0/24, 203.0.113.5-203.0.113.9 or the same of IPv6, one a line; comments after # or ;"
_MAX_HEADINGS = 5
_MAX_COLUMNS = 50
_V4 = 0xFFFF << 32
_SHOWN = 60

Span = tuple[int, int]


class Parsed(msgspec.Struct):
    """`spans`: first and last address as numbers of 128 bits (IPv4 as ::ffff:a.b.c.d), as they stand.  `mistakes`: `LINE: text`."""

    spans: list[Span]
    mistakes: list[str]


class NoNetwork(ValueError):
    """A word is no network.  `hint`: why, where that is known."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(hint)
        self.hint = hint


def parse_list(raw: bytes) -> Parsed:
    """Everything that a file says."""
    parsed = Parsed([], [])
    if len(raw) > MAX_BYTES:
        parsed.mistakes.append(f"1: the file has more than {MAX_BYTES >> 20} MiB; accepted: at most that")
        return parsed
    column = -1
    headings = wrong = number = 0
    for number, line in enumerate(BytesIO(raw.removeprefix(b"\xef\xbb\xbf")), 1):
        words = _words(line[:MAX_LINE].decode("latin-1"))
        if not words:
            continue
        try:
            if column < 0:
                column = _column(words)
                if column < 0:
                    headings += 1
                    if headings <= _MAX_HEADINGS and _is_heading(words):
                        continue
                    column = 0
            parsed.spans.append(_span(words, column))
        except NoNetwork as error:
            wrong += 1
            if wrong <= MAX_MISTAKES:
                parsed.mistakes.append(_mistake(number, line, error.hint))
        if len(parsed.spans) > MAX_RANGES:
            parsed.mistakes.append(f"{number}: the file has more than {MAX_RANGES:,} lines; accepted: at most that")
            break
    if wrong > MAX_MISTAKES:
        parsed.mistakes.append(f"{number}: and {wrong - MAX_MISTAKES} more lines are wrong")
    if not parsed.spans and not parsed.mistakes:
        parsed.mistakes.append(f"1: no network stands in the file; accepted: {ACCEPTED}")
    return parsed


def _words(line: str) -> list[str]:
    line = line.partition("#")[0].partition(";")[0]
    if " -" in line or "- " in line:
        line = line.replace(" -", "-").replace("- ", "-")
    return line.replace(",", " ").replace('"', " ").split()[:_MAX_COLUMNS]


def _column(words: Sequence[str]) -> int:
    """The first column that holds a network, -1 if none does."""
    for at, word in enumerate(words):
        try:
            _span_of(word)
        except NoNetwork as error:
            if error.hint:
                return at
        else:
            return at
    return -1


def _is_heading(words: Sequence[str]) -> bool:
    """Names of columns: words without a digit first."""
    return all(not word[0].isdigit() and ":" not in word and "/" not in word for word in words)


def _span(words: Sequence[str], column: int) -> Span:
    if column >= len(words):
        raise NoNetwork("it has fewer columns than the lines above")
    return _span_of(words[column])


def _span_of(word: str) -> Span:
    address, slash, bits = word.partition("/")
    if slash:
        return _network(address, bits)
    first, dash, last = word.partition("-")
    if not dash:
        number, _ = _address(word)
        return number, number
    (low, low_width), (high, high_width) = _address(first), _address(last)
    if low_width != high_width or high < low:
        raise NoNetwork("the range ends before it begins" if low_width == high_width else "the range is of two families")
    return low, high


def _network(address: str, bits: str) -> Span:
    low, width = _address(address)
    if not (bits.isascii() and bits.isdigit()) or len(bits) > 3 or not 1 <= int(bits) <= width:
        raise NoNetwork(f"the prefix is none from /1 to /{width}")
    free = (1 << (width - int(bits))) - 1
    if low & free:
        raise NoNetwork("host bits are set")
    return low, low | free


def _address(word: str) -> tuple[int, int]:
    """The number of an address, and 32 or 128."""
    try:
        if ":" in word:
            return int.from_bytes(inet_pton(AF_INET6, word), "big"), 128
        return _V4 | int.from_bytes(inet_pton(AF_INET, word), "big"), 32
    except (OSError, ValueError):
        raise NoNetwork from None


def _mistake(number: int, line: bytes, hint: str) -> str:
    shown = ascii(line[:MAX_LINE].decode("latin-1").strip())
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    return f"{number}: {shown} is no network{f' ({hint})' if hint else ''}; accepted: {ACCEPTED}"
