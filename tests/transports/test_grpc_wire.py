"""service/botsieve/transports/grpc_wire.py: the fields of an Observation, read by us and by protobuf."""

from __future__ import annotations

import pytest
from botsieve.errors import InvalidObservation
from botsieve.transports import grpc_lean as lean
from botsieve.transports.grpc_headers import fields_of
from botsieve.transports.grpc_wire import Sent, by_protobuf, read, read_batch, sent, sent_batch
from botsieve.v1 import decision_pb2 as pb
from hypothesis import example, given
from hypothesis import strategies as st

from tests.transports.grpc_harness import header
from tests.transports.test_grpc_map import MESSAGES

# Every field, each in the form in which encoders write it.
WHOLE = pb.Observation(
    client_address=bytes(4),
    peer_address=bytes(16),
    edge_time_s=1.5,
    request_id=b"r",
    method=b"GET",
    scheme=b"https",
    host=b"shop.example",
    uri=b"/" + b"x" * 16382,  # the longest of two bytes of length
    http_version=pb.HTTP_VERSION_2,
    headers=[header(b"user-agent", b"v" * 200), header(b"accept", b"")],
    headers_cut=True,
    header_order=b"o" * 32,
    tls=pb.TlsFingerprint(ja4=b"t13d"),
    sight=[pb.SIGHT_TLS, pb.SIGHT_HTTP_VERSION, 77],
    lease_id=b"l" * 16,
)


def fields(raw: bytes) -> tuple[object, ...] | None:
    """What `read` makes of it, None for nothing."""
    found = read(raw)
    return None if found is None else told(found)


def told(message: Sent) -> tuple[object, ...]:
    headers = fields_of(message.block) or message.headers
    names = [field.name for field in pb.Observation.DESCRIPTOR.fields if field.name != "headers"]
    return headers, *[repr(getattr(message, name)) for name in names]


def test_what_encoders_write_is_read() -> None:
    """Every field of the proto stands under its name; the empty message is one."""
    assert {field.name for field, _ in WHOLE.ListFields()} == {field.name for field in pb.Observation.DESCRIPTOR.fields}
    raw = WHOLE.SerializeToString()
    found = read(raw)
    assert found is not None
    assert (found.client_address, found.edge_time_s, found.uri, found.lease_id) == (bytes(4), 1.5, WHOLE.uri, b"l" * 16)
    assert (found.headers_cut, found.sight) == (True, bytes([pb.SIGHT_TLS, pb.SIGHT_HTTP_VERSION, 77]))
    assert told(found) == told(by_protobuf(raw)) == told(sent(raw))
    assert fields(b"") == told(by_protobuf(b""))


@given(MESSAGES)
def test_every_message_is_read_as_protobuf_reads_it(message: pb.Observation) -> None:
    """Whatever the fields hold, both say the same, or only protobuf says it."""
    raw = message.SerializeToString()
    meant = told(by_protobuf(raw))
    assert fields(raw) in (meant, None)
    assert told(sent(raw)) == meant


PIECES = [
    WHOLE.SerializeToString()[:60],
    b"\x0a\x01a",
    b"\x52\x02\x0a\x00",
    b"\x72\x01\x05",
    b"\x70\x05",
    b"\x48\x81\x00",
    b"\x58\x02",
]
ODD = st.one_of(st.binary(max_size=40), st.sampled_from(PIECES), st.binary(min_size=1, max_size=1))


@given(st.lists(ODD, max_size=6))
@example([b"\x0a\x81\x00a"])  # a length of one that takes two bytes
@example([b"\x0a\x80\x80\x00"])
@example([b"\x0a\x05abc"])
@example([b"\x19\x00\x00\x00\x00\x00\x00\xf8"])
@example([b"\x72\x02\x81\x01"])
@example([b"\x6a\x02\x1a\x00", b"\x6a\x02\x22\x00"])
@example([b"\x02\x00"])
@example([b"\x82\x01\x00"])
def test_any_bytes_mean_what_protobuf_says(pieces: list[bytes]) -> None:
    """Odd order, repeated and unknown fields, overlong numbers, what breaks off: never another meaning, and the declared error."""
    same(b"".join(pieces))


def same(raw: bytes) -> None:
    """What we read is what protobuf reads, errors included."""
    try:
        meant = told(by_protobuf(raw))
    except InvalidObservation:
        assert read(raw) is None
        with pytest.raises(InvalidObservation):
            sent(raw)
        return
    assert fields(raw) in (meant, None)
    assert told(sent(raw)) == meant


@given(st.integers(0, 1_000))
def test_what_breaks_off_is_none(length: int) -> None:
    """The beginning of a message is read only where a field ends."""
    same(WHOLE.SerializeToString()[16_000:][:length])


def batch_of(raw: bytes) -> tuple[object, ...] | None:
    """What protobuf reads in a CheckStreamRequest, None for what is none."""
    try:
        message = lean.batch(raw)
    except InvalidObservation:
        return None
    return message.batch, message.want_answer, [*message.observations]


def told_batch(raw: bytes) -> tuple[object, ...] | None:
    """What `read_batch` does, None for nothing."""
    found = read_batch(raw)
    return None if found is None else (found.batch, found.want_answer, found.raws)


@given(st.integers(0, 2**64 - 1), st.lists(st.binary(max_size=300), max_size=4), st.booleans())
@example(2**64 - 1, [], True)
@example(2**62, [b""], False)
@example(1, [bytes(127), bytes(128), bytes(16_384)], True)
def test_a_batch_is_read_as_it_was_written(number: int, raws: list[bytes], want_answer: bool) -> None:
    """Its name, its observations in their order, and whether answers are wanted; the largest names are left to protobuf."""
    written = lean._BATCH(batch=number, observations=raws, want_answer=want_answer).SerializeToString()
    meant = (number, want_answer, raws)
    assert told_batch(written) == (meant if number < 2**63 else None)
    found = sent_batch(written)
    assert (found.batch, found.want_answer, found.raws) == meant


PARTS = [
    b"\x08\x05",
    b"\x08\x81\x00",
    b"\x12\x02ab",
    b"\x12\x81\x00c",
    b"\x12\x05",
    b"\x18\x01",
    b"\x18\x80\x02",
    b"\x22\x01x",
    b"\x10\x01",
]


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PARTS)), max_size=6))
@example([b"\x08" + b"\x80" * 10 + b"\x00"])
@example([b"\x12" + b"\xff" * 9 + b"\x01"])
@example([b"\x12\x80"])
def test_any_bytes_are_the_batch_that_protobuf_says(pieces: list[bytes]) -> None:
    """Odd order, repeated and unknown fields, overlong numbers, what breaks off: never another meaning, and the declared error."""
    raw = b"".join(pieces)
    meant = batch_of(raw)
    assert told_batch(raw) in (meant, None)
    if meant is None:
        with pytest.raises(InvalidObservation):
            sent_batch(raw)
    else:
        found = sent_batch(raw)
        assert (found.batch, found.want_answer, found.raws) == meant
