"""Sets of address ranges: exception lists, crawlers' published ranges, trusted peers.

Law of the file: addresses are 16 packed bytes; ranges are merged once and looked up by bisection, O(log n), no allocation.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable

_V4_PREFIX = b"\0" * 10 + b"\xff\xff"


def parse_range(text: str) -> tuple[bytes, bytes]:
    """First and last address of `203.0.113.0/24`, `2001:db8::/32` or a single address, packed in 16 bytes.

    Errors: ValueError, with what would be accepted, for anything else; host bits set are a mistake too.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=True)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network ({error}); accepted: 203.0.113.0/24, 2001:db8::/32 or one address") from None
    first, last = network.network_address.packed, network.broadcast_address.packed
    return (first, last) if network.version == 6 else (_V4_PREFIX + first, _V4_PREFIX + last)


class RangeSet:
    """An immutable set of addresses.  `in` takes 16 packed bytes."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[bytes, bytes]] = ()) -> None:
        firsts: list[bytes] = []
        lasts: list[bytes] = []
        for first, last in sorted(ranges):
            if lasts and first <= lasts[-1]:
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)
        self._firsts = firsts
        self._lasts = lasts

    @classmethod
    def parse(cls, texts: Iterable[str]) -> RangeSet:
        """From text forms.  Errors: ValueError as `parse_range`."""
        return cls(parse_range(text) for text in texts)

    def __contains__(self, address: bytes) -> bool:
        at = bisect_right(self._firsts, address) - 1
        return at >= 0 and address <= self._lasts[at]

    def __len__(self) -> int:
        """How many ranges are left after merging."""
        return len(self._firsts)
