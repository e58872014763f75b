"""ranges.py: a set of ranges holds an address just when one of its ranges does."""

from __future__ import annotations

import ipaddress

import pytest
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet, parse_range
from hypothesis import given
from hypothesis import strategies as st

four = st.builds(
    lambda address, bits: ipaddress.ip_network((int(address) >> (32 - bits) << (32 - bits) if bits else 0, bits)),
    st.ip_addresses(v=4),
    st.integers(0, 32),
)
six = st.builds(
    lambda address, bits: ipaddress.IPv6Network((int(address) >> (128 - bits) << (128 - bits) if bits else 0, bits)),
    st.ip_addresses(v=6),
    st.integers(0, 128),
)


@given(st.lists(st.one_of(four, six), max_size=12), st.data())
def test_equals_the_standard_library(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], data: st.DataObject
) -> None:
    """Overlapping, touching, nested, of both families: membership is that of any single range."""
    ranges = RangeSet.parse(str(network) for network in networks)
    assert len(ranges) <= len(networks)
    edges = [edge for network in networks for edge in (network[0], network[-1])]
    near = [type(edge)((int(edge) + by) % 2 ** (32 if edge.version == 4 else 128)) for edge in edges for by in (-1, 0, 1)]
    for address in [*near, data.draw(st.ip_addresses())]:
        if address.version == 6 and address.ipv4_mapped is not None:
            continue
        wide = ipaddress.IPv6Address(f"::ffff:{address}") if address.version == 4 else address
        held = any(address in network for network in networks if network.version == address.version) or any(
            wide in network for network in networks if network.version == 6
        )
        assert (pack_address(str(address)) in ranges) == held


@pytest.mark.parametrize("text", ["203.0.113.0/33", "203.0.113.7/24", "shop.example", "", "1.2.3.4/-1", "2001:db8::/129"])
def test_what_is_no_network(text: str) -> None:
    """The error repeats what was written and says what would be accepted; host bits are a mistake."""
    with pytest.raises(ValueError, match="accepted: 203"):
        parse_range(text)


def test_one_address_and_none() -> None:
    """A single address is a range of one; an empty set holds nobody."""
    assert pack_address("203.0.113.7") in RangeSet.parse(["203.0.113.7"])
    assert pack_address("203.0.113.8") not in RangeSet.parse(["203.0.113.7"])
    assert pack_address("203.0.113.7") not in RangeSet()
