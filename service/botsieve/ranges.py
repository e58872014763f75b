"""Sets of address ranges: exception lists, crawlers' published ranges, reputation, trusted peers.

One packed form for all of them: four columns of 64-bit numbers (the halves of first and last address), merged and in ascending
order.  200,000 ranges are 6.4 MB, four objects, taken over by copying: nothing to build, and nothing for the collector to look at.

Law of the file: addresses are 16 packed bytes; ranges are merged once and looked up by bisection, O(log n), at most three of them
and for IPv4 one.
"""

from __future__ import annotations

import ipaddress
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from struct import Struct

V4_PREFIX = b"\0" * 10 + b"\xff\xff"  # RFC 4291, 2.5.5.2: an IPv4 address in 16 bytes
_halves = Struct(">QQ").unpack
_LOW = 2**64 - 1
_V4_LOW = 0xFFFF_0000_0000  # the low half of the first such address
_COLUMNS = 4
# From so many ranges on it is remembered which of them begin in each /16: looking for that is most of looking.
_MANY = 256
_UNKNOWN = -1
_PLACE_BITS = 30
_WIDTH = 8


def parse_range(text: str) -> tuple[bytes, bytes]:
    """First and last address of `203.0.113.0/24`, `2001:db8::/32` or a single address, packed in 16 bytes.

    Errors: ValueError, with what would be accepted, for anything else; host bits set are a mistake too.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=True)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network ({error}); accepted: 203.0.113.0/24, 2001:db8::/32 or one address") from None
    first, last = network.network_address.packed, network.broadcast_address.packed
    return (first, last) if network.version == 6 else (V4_PREFIX + first, V4_PREFIX + last)


class RangeSet:
    """An immutable set of addresses.  `in` takes 16 packed bytes.  `size`: how many ranges are left after merging."""

    __slots__ = ("_first_high", "_first_low", "_last_high", "_last_low", "_narrow", "_spans", "size")

    def __init__(self, ranges: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """`ranges`: first and last address of each, in any order; they may overlap."""
        firsts: list[bytes] = []
        lasts: list[bytes] = []
        for first, last in sorted(ranges):
            if lasts and first <= lasts[-1]:
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)
        first_halves, last_halves = [_halves(first) for first in firsts], [_halves(last) for last in lasts]
        self._take(
            array("Q", [high for high, _ in first_halves]),
            array("Q", [low for _, low in first_halves]),
            array("Q", [high for high, _ in last_halves]),
            array("Q", [low for _, low in last_halves]),
        )

    def _take(self, first_high: array[int], first_low: array[int], last_high: array[int], last_low: array[int]) -> None:
        self._first_high = first_high
        self._first_low = first_low
        self._last_high = last_high
        self._last_low = last_low
        self.size = len(first_low)  # the hot path asks for it: len() is a call
        # How many begin in the first 2^64 addresses, where all of IPv4 is: these are in the order of their low halves alone.
        self._narrow = bisect_right(first_high, 0)
        # By the first two bytes of an IPv4 address: the places of the first range that begins there or later, and of the first that
        # begins behind them, in one number.  Filled as it is asked for.
        self._spans = array("q", [_UNKNOWN]) * 2**16 if self._narrow >= _MANY else array("q")

    @classmethod
    def parse(cls, texts: Iterable[str]) -> RangeSet:
        """From text forms.  Errors: ValueError as `parse_range`."""
        return cls(parse_range(text) for text in texts)

    @classmethod
    def of_numbers(cls, ranges: Iterable[tuple[int, int]]) -> RangeSet:
        """From first and last addresses as numbers of 128 bits, ascending, without overlap: kept as they are, also where they touch."""
        columns = [array("Q") for _ in range(_COLUMNS)]
        first_high, first_low, last_high, last_low = (column.append for column in columns)
        for first, last in ranges:
            first_high(first >> 64)
            first_low(first & _LOW)
            last_high(last >> 64)
            last_low(last & _LOW)
        made = cls()
        made._take(*columns)
        return made

    @classmethod
    def unpack(cls, packed: bytes) -> RangeSet:
        """What `pack` gave.  About 3 ms for 200,000 ranges.  Errors: ValueError when it cannot be that."""
        if len(packed) % (_COLUMNS * _WIDTH):
            raise ValueError(f"{len(packed)} bytes are no packed ranges")
        view, each = memoryview(packed), len(packed) // _COLUMNS
        columns = []
        for at in range(_COLUMNS):
            column = array("Q")
            column.frombytes(view[at * each : (at + 1) * each])
            columns.append(_little(column))
        made = cls()
        made._take(*columns)
        return made

    def pack(self) -> bytes:
        """The four columns, one after the other, each number as 8 bytes, the lowest first: the same on every machine."""
        columns = (self._first_high, self._first_low, self._last_high, self._last_low)
        return b"".join(_little(column[:]).tobytes() for column in columns)

    def numbers(self) -> Iterator[tuple[int, int]]:
        """First and last address of each range as numbers of 128 bits, ascending: what `of_numbers` takes."""
        for first_high, first_low, last_high, last_low in zip(
            self._first_high, self._first_low, self._last_high, self._last_low, strict=True
        ):
            yield first_high << 64 | first_low, last_high << 64 | last_low

    def find(self, address: bytes) -> int:
        """The place of the range that holds an address (16 packed bytes), counted from 0 in ascending order; -1 if none does."""
        if self._narrow >= _MANY and address.startswith(V4_PREFIX):
            return self._find_of_many(address)
        high, low = _halves(address)
        if not high:
            at = bisect_right(self._first_low, low, 0, self._narrow) - 1
        else:
            end = bisect_right(self._first_high, high)
            # Without one that begins in its own 2^64 at or below it, this is the last one before: it may reach as far.
            at = bisect_right(self._first_low, low, bisect_left(self._first_high, high, 0, end), end) - 1
        if at < 0:
            return -1
        last_high = self._last_high[at]
        return at if high < last_high or (high == last_high and low <= self._last_low[at]) else -1

    def _find_of_many(self, address: bytes) -> int:
        """As `find`, for an IPv4 address."""
        two_bytes = address[12] << 8 | address[13]
        span = self._spans[two_bytes]
        if span == _UNKNOWN:
            first = _V4_LOW + (two_bytes << 16)
            begin = bisect_left(self._first_low, first, 0, self._narrow)
            span = begin << _PLACE_BITS | bisect_left(self._first_low, first + 2**16, begin, self._narrow)
            self._spans[two_bytes] = span
        begin, end = span >> _PLACE_BITS, span & (1 << _PLACE_BITS) - 1
        if not end:
            return -1
        low = _V4_LOW + (two_bytes << 16 | address[14] << 8 | address[15])
        at = (bisect_right(self._first_low, low, begin, end) if begin < end else begin) - 1
        return at if at >= 0 and (low <= self._last_low[at] or self._last_high[at]) else -1

    def __contains__(self, address: bytes) -> bool:
        return self.find(address) >= 0

    def __len__(self) -> int:
        return self.size


def _little(column: array[int]) -> array[int]:
    """The numbers of a column from, or to, the order of bytes of the packed form."""
    if sys.byteorder == "big":
        column.byteswap()
    return column
