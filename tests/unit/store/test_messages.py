"""store/messages.py: what goes over the socket."""

from __future__ import annotations

import pytest
from botsieve.store.messages import PACKET_BYTES, Ready, Setup, Status, for_service, for_writer, pack_all
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.store.rows import feedback, incident, minute, sample


def test_what_was_packed_comes_out_again() -> None:
    """Every kind of message, in order, both ways."""
    there = [Setup(30, 256, 90), incident(), sample(), minute(attacks=1), feedback()]
    ((packet, count),) = pack_all(there)
    assert (for_writer(packet), count) == (there, 5)
    back = [incident(), Ready(), Status(5, 1, "full")]
    ((packet, _),) = pack_all(back)
    assert for_service(packet) == back


def test_packets_stay_small() -> None:
    """Many messages are several packets; one that is larger than a packet is left out, and the counts tell."""
    many = [sample(n, path="/" + "x" * 4000) for n in range(100)]
    packets = pack_all([*many, sample(path="x" * PACKET_BYTES), minute()])
    assert len(packets) > 5
    assert all(len(packet) <= PACKET_BYTES for packet, _ in packets)
    assert sum(count for _, count in packets) == 101
    assert [one for packet, _ in packets for one in for_writer(packet)] == [*many, minute()]
    assert pack_all([]) == []


@given(st.binary(max_size=300))
@example(b"\x91\xc1")
@example(b"\x91" * 300)
@example(pack_all([Status(1, 2, "x")])[0][0][:-1])
def test_any_bytes_are_messages_or_an_error(packet: bytes) -> None:
    """A torn or strange packet is ValueError, nothing else."""
    for read in (for_writer, for_service):
        try:
            read(packet)
        except ValueError:
            continue


def test_nobody_says_what_the_other_says() -> None:
    """A packet for the service is none for the writer."""
    with pytest.raises(ValueError, match="not a packet of ours"):
        for_writer(pack_all([Ready()])[0][0])
