"""ranges.py: a set of ranges holds an address just when one of its ranges does."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import random
import time

import pytest
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet, parse_range
from hypothesis import given
from hypothesis import strategies as st

from tests.pace import own_heap

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
    unpacked = RangeSet.unpack(ranges.pack())
    for address in [*near, data.draw(st.ip_addresses())]:
        if address.version == 6 and address.ipv4_mapped is not None:
            continue
        wide = ipaddress.IPv6Address(f"::ffff:{address}") if address.version == 4 else address
        held = any(address in network for network in networks if network.version == address.version) or any(
            wide in network for network in networks if network.version == 6
        )
        assert (pack_address(str(address)) in ranges) == held
        assert (pack_address(str(address)) in unpacked) == held


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


def test_the_place_of_the_range_that_holds_an_address() -> None:
    """Counted in ascending order, IPv4 before IPv6; -1 outside."""
    ranges = RangeSet.parse(["2001:db8::/32", "203.0.113.0/24", "2001:db8:0:1::/64", "192.0.2.0/25", "192.0.2.0/24"])
    assert len(ranges) == 3
    found = {
        text: ranges.find(pack_address(text)) for text in ("192.0.2.255", "203.0.113.0", "2001:db8::1", "192.0.3.0", "::1")
    }
    assert found == {"192.0.2.255": 0, "203.0.113.0": 1, "2001:db8::1": 2, "192.0.3.0": -1, "::1": -1}
    assert ranges.find(bytes(16)) == -1
    assert ranges.find(b"\xff" * 16) == -1


def test_from_numbers_ranges_that_touch_stay_apart() -> None:
    """Each keeps its place, so that something can be known of each."""
    ranges = RangeSet.of_numbers([(0, 2**64 + 5), (2**64 + 6, 2**127), (2**128 - 1, 2**128 - 1)])
    at = [
        ranges.find(number.to_bytes(16, "big")) for number in (0, 2**64, 2**64 + 5, 2**64 + 6, 2**127, 2**127 + 1, 2**128 - 1)
    ]
    assert at == [0, 0, 0, 1, 1, -1, 2]


@given(st.binary(max_size=200))
def test_any_bytes_are_packed_ranges_or_a_value_error(raw: bytes) -> None:
    """What cannot be ranges is refused; what can be is looked up without an error."""
    with contextlib.suppress(ValueError):
        assert isinstance(RangeSet.unpack(raw).find(raw[:16].ljust(16, b"\0")), int)


def test_the_packed_form_is_four_columns_lowest_byte_first() -> None:
    """The same on every machine, 32 bytes a range; nothing for the empty set."""
    packed = RangeSet.parse(["1.2.3.4", "2001:db8::/32"]).pack()
    assert packed.hex(" ", 8).split() == [
        *("0000000000000000", "00000000b80d0120"),
        *("04030201ffff0000", "0000000000000000"),
        *("0000000000000000", "ffffffffb80d0120"),
        *("04030201ffff0000", "ffffffffffffffff"),
    ]
    assert RangeSet().pack() == b""
    assert len(RangeSet.unpack(b"")) == 0


def test_200_000_ranges_are_taken_over_at_once_and_cheap_to_look_up() -> None:
    """No pause to take them over, nothing for the collector, about a microsecond a lookup (the bars leave room for a busy machine)."""
    chance = random.Random(4)
    starts = sorted(chance.sample(range(2**24), 200_000))
    packed = RangeSet.of_numbers(
        (0xFFFF_0000_0000 + (start << 8), 0xFFFF_0000_0000 + (start << 8) + 99) for start in starts
    ).pack()
    tracked = len(gc.get_objects())
    with own_heap():
        begun_s = time.thread_time()
        ranges = RangeSet.unpack(packed)
        taken_s = time.thread_time() - begun_s
    assert len(gc.get_objects()) - tracked < 10
    asked = [b"\0" * 10 + b"\xff\xff" + chance.randbytes(4) for _ in range(20_000)]
    rounds_s = []
    for _ in range(3):
        begun_s = time.thread_time()
        held = sum(address in ranges for address in asked)
        rounds_s.append((time.thread_time() - begun_s) / len(asked))
    assert held
    print(f"taken over in {taken_s * 1e3:.1f} ms, {min(rounds_s) * 1e6:.2f} us a lookup")
    assert taken_s < 0.05
    assert min(rounds_s) < 5e-6


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_many_ranges_are_looked_up_as_few_are(more: list[int], asked: list[int]) -> None:
    """Beyond some hundred ranges it is remembered where those of each /16 begin; the answers stay the same."""
    first = 0xFFFF_0000_0000
    spread = [first + (n << 24 | 0x7FFF00) for n in range(256)]  # each reaches over the border between two /16
    firsts = sorted({*spread, *(first + number for number in more)})
    ends = [*firsts[1:], first + 2**32]
    ranges = [(begin, min(begin + 0x1FF, end - 1)) for begin, end in zip(firsts, ends, strict=True)]
    found = RangeSet.of_numbers(ranges)
    borders = [edge for begin, end in ranges for edge in (begin - 1, begin, end, end + 1) if first <= edge < first + 2**32]
    for number in [*borders, *(first + one for one in asked), *borders]:
        place = next((at for at, (begin, end) in enumerate(ranges) if begin <= number <= end), -1)
        assert found.find(number.to_bytes(16, "big")) == place
    assert found.find((0xFFFE_FFFF_FFFF).to_bytes(16, "big")) == found.find((2**64).to_bytes(16, "big")) == -1
