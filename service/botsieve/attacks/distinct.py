"""How many different subjects take part in an attack, in 2 KiB, whatever their number.

Law of the file: constant size, and right to a few in a hundred up to 50,000 (exact for the first few).  Linear counting (Whang,
Vander-Zanden, Taylor 1990): a subject sets one of 16,384 bits; the share of bits that are still clear tells how many came.
"""

from __future__ import annotations

from math import log

_BITS = 16_384  # 50,000 subjects leave one bit in twenty clear


class Distinct:
    """Counts different keys.  Keys are keyed hashes already (state/hashing.py), so their first bytes are evenly spread."""

    __slots__ = ("_bits", "_clear")

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)
        self._clear = _BITS

    def add(self, key: bytes) -> None:
        """One subject (8 bytes), seen before or not."""
        at = int.from_bytes(key[:4], "big") % _BITS
        mask = 1 << (at & 7)
        if not self._bits[at >> 3] & mask:
            self._bits[at >> 3] |= mask
            self._clear -= 1

    @property
    def count(self) -> int:
        """How many different ones came, estimated."""
        return round(_BITS * log(_BITS / max(1, self._clear)))
