"""botsieve.journal.ring"""

from __future__ import annotations

from botsieve.journal.packing import pack
from botsieve.journal.ring import MAX_BYTES, MAX_RECORDS, OVERHEAD_BYTES, Ring
from botsieve.observation import make_observation
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.journal.samples import CURL, NOW_S, TIMER, decision, observation


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.binary(max_size=50))), st.integers(1, 6), st.integers(300, 1200))
def test_a_ring_holds_the_newest_within_both_bounds(added: list[tuple[str, bytes]], max_records: int, max_bytes: int) -> None:
    """After any additions: at most so many, at most so many bytes, and what is found is the last under its id."""
    ring = Ring(max_records, max_bytes)
    last: dict[str, bytes] = {}
    for decision_id, packed in added:
        ring.add(decision_id, packed)
        last[decision_id] = packed
        assert len(ring) <= max_records
        assert ring.bytes_held <= max_bytes
        assert ring.find(decision_id) == packed or len(packed) + OVERHEAD_BYTES > max_bytes or len(last) > 1
    held = {name: found for name in last if (found := ring.find(name)) is not None}
    assert held.items() <= last.items()
    assert ring.bytes_held >= sum(len(packed) + OVERHEAD_BYTES for packed in held.values())


def test_the_oldest_goes_first() -> None:
    """With room for three, the fourth takes the place of the first."""
    ring = Ring(3)
    for name in "abcd":
        ring.add(name, b"x")
    assert [ring.find(name) for name in "abcd"] == [None, b"x", b"x", b"x"]


def test_all_of_the_last_are_there() -> None:
    """Many go at a time, and still all of the last ones are found, whenever somebody asks; not many more are held."""
    ring = Ring(160)
    for number in range(1_000):
        ring.add(str(number), b"x")
        assert min(number + 1, 160) <= len(ring) <= 170
        assert all(ring.find(str(one)) == b"x" for one in range(max(0, number - 159), number + 1))
        assert ring.bytes_held == len(ring) * (1 + OVERHEAD_BYTES)


def test_the_second_record_of_an_id_is_found() -> None:
    """Also when the first lies in an older part."""
    ring = Ring(160)
    for number in range(30):
        ring.add(str(number % 15), b"%d" % number)
    assert [ring.find(str(one)) for one in range(15)] == [b"%d" % (one + 15) for one in range(15)]


def test_ordinary_records_fit_fifty_thousand_times() -> None:
    """The byte bound is for purpose-built clients: 50,000 ordinary refused requests stay well below it."""
    packed = pack(observation(), decision(1, CURL, TIMER), NOW_S, 14)
    assert (len(packed) + OVERHEAD_BYTES) * MAX_RECORDS < MAX_BYTES * 0.6


def test_the_longest_requests_are_bounded_too() -> None:
    """A client that writes the longest everything cannot make the ring larger than its bound."""
    o = make_observation(
        client=bytes(16),
        method=b"M" * 32,
        uri=b"/" + b"a" * 16000,
        headers={b"user-agent": b"u" * 16000},
        edge_time_s=NOW_S,
        host=b"h" * 255,
        ja3=b"j" * 4096,
    )
    ring = Ring(1000, 200_000)
    for number in range(1000):
        ring.add(str(number), pack(o, decision(number), NOW_S, 1))
    assert ring.bytes_held <= 200_000
    assert ring.find("999") is not None
