"""What the operator's lists say of an address: its category, and what is to be done about it.

Law of the file: pure.  An address has one listing: of several that hold it the strictest, and of these the one whose list stands
first in the configuration.  That is settled when the lists are read (lookups/layers.py); here is one lookup.
Source: docs/mission.md S2-39 (categories with an alarm or block flag).
"""

from __future__ import annotations

from collections.abc import Sequence

from botsieve.attacks.types import STOP
from botsieve.decision import Signal
from botsieve.ranges import RangeSet

SIGNAL = "network.reputation"
MAX_LISTS = 100  # which of them holds a range is one byte


class Listing:
    """One list as a decision uses it: its category, whether it blocks, and the finding that it gives, made once."""

    __slots__ = ("blocks", "category", "signal")

    def __init__(self, category: str, action: str) -> None:
        """`category`: the operator's word.  `action`: alarm or block; lists that are ignored are not even read."""
        self.category = category
        self.blocks = action == STOP
        self.signal = Signal(SIGNAL, 0, category, "address")


class Reputation:
    """Every list together.  Immutable."""

    __slots__ = ("_listings", "_ranges", "_which")

    def __init__(self, ranges: RangeSet, which: bytes, listings: Sequence[Listing]) -> None:
        """`which`: for each range the place of its list in `listings`.  Errors: ValueError when these do not fit together."""
        if len(which) != len(ranges) or which.translate(None, bytes(range(len(listings)))):
            raise ValueError(f"{len(which)} places for {len(ranges)} ranges of {len(listings)} lists")
        self._ranges = ranges
        self._which = which
        self._listings = tuple(listings)

    def find(self, address: bytes) -> Listing | None:
        """The listing of an address (16 packed bytes), None for most.  About 1 us."""
        at = self._ranges.find(address)
        return None if at < 0 else self._listings[self._which[at]]

    def is_bad(self, address: bytes) -> str:
        """The category under which an address is listed, "" if it is not."""
        listing = self.find(address)
        return "" if listing is None else listing.category

    def __len__(self) -> int:
        """How many ranges there are."""
        return len(self._ranges)
