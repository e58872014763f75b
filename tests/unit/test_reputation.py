"""reputation.py: what the lists say of an address."""

from __future__ import annotations

import pytest
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation


def test_an_address_has_the_listing_of_its_range() -> None:
    """The finding has no points and names the category; outside there is nothing."""
    lists = Reputation(
        RangeSet.parse(["192.0.2.0/24", "203.0.113.0/24"]), b"\1\0", [Listing("spam", "alarm"), Listing("scan", "block")]
    )
    listing = lists.find(pack_address("192.0.2.9"))
    assert listing is not None
    assert (listing.category, listing.blocks) == ("scan", True)
    assert (listing.signal.id, listing.signal.points, listing.signal.detail, listing.signal.reason) == (
        "network.reputation",
        0,
        "scan",
        "reputation:scan",
    )
    assert lists.is_bad(pack_address("203.0.113.1")) == "spam"
    assert lists.is_bad(pack_address("198.51.100.1")) == ""
    assert lists.find(pack_address("198.51.100.1")) is None
    assert len(lists) == 2


@pytest.mark.parametrize("which", [b"", b"\0\0", b"\1"])
def test_what_does_not_fit_together_is_refused(which: bytes) -> None:
    """One place for each range, each of a list that exists."""
    with pytest.raises(ValueError, match="1 ranges of 1 lists"):
        Reputation(RangeSet.parse(["192.0.2.0/24"]), which, [Listing("spam", "alarm")])
