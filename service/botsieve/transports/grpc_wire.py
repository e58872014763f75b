"""The fields of an Observation and of a CheckStreamRequest (proto/botsieve/v1) from their bytes.

Law of the file: what the bytes mean is what protobuf says they mean.  As machine code (docs/decisions/0013) `read` and `read_batch`
take them from the wire as nearly every encoder writes them (protobuf.dev, "Message structure"), at a third of protobuf's cost
[measured]; what they do not know (other fields, numbers and texts of more bytes) they leave to protobuf, and so does the plain form.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from botsieve.transports import grpc_lean as lean

# Field number << 3 | kind of value, as they stand before each value; those with a length in front of it, and those of a number.
_CLIENT, _PEER, _REQUEST_ID, _METHOD, _SCHEME, _HOST, _URI = 0x0A, 0x12, 0x22, 0x2A, 0x32, 0x3A, 0x42
_HEADER, _ORDER, _TLS, _SIGHT, _LEASE = 0x52, 0x62, 0x6A, 0x72, 0x7A
_TIME, _HTTP_VERSION, _CUT = 0x19, 0x48, 0x58
# The same of a CheckStreamRequest.
_NUMBER_OF_BATCH, _OBSERVATION, _WANT_ANSWER = 0x08, 0x12, 0x18
_LONG = 0x80  # from here on a length or number goes on in the next byte
_MOST_BITS = 56  # of a number in eight bytes

_double = Struct("<d").unpack_from


class Sent(msgspec.Struct, frozen=True, gc=False):
    """What a gateway sent of one request, as the proto names it.

    `block`: the header fields as they stand on the wire, with tags and lengths; b"": `headers` has them, each the bytes of a
    Header.  `tls`: of a TlsFingerprint, in one piece.  `sight`: a byte for each value, 0 for unknown ones.
    """

    client_address: bytes
    peer_address: bytes
    edge_time_s: float
    request_id: bytes
    method: bytes
    scheme: bytes
    host: bytes
    uri: bytes
    http_version: int
    headers: list[bytes]
    block: bytes
    headers_cut: bool
    header_order: bytes
    tls: bytes
    sight: bytes
    lease_id: bytes


class SentBatch(msgspec.Struct, frozen=True, gc=False):
    """A CheckStreamRequest.  `raws`: its observations, each as the proto's bytes."""

    batch: int
    want_answer: bool
    raws: list[bytes]


def sent_batch(raw: bytes) -> SentBatch:
    """A batch of observations.  Errors: InvalidObservation for bytes that are none."""
    known = read_batch(raw) if _IS_COMPILED else None
    if known is not None:
        return known
    message = lean.batch(raw)
    return SentBatch(message.batch, message.want_answer, [*message.observations[:]])


def read_batch(raw: bytes) -> SentBatch | None:
    """The same, None for what only protobuf can tell."""
    batch, want_answer = 0, False
    raws: list[bytes] = []
    at, end = 0, len(raw)
    while at < end:
        tag = raw[at]
        at += 1
        number, shift = 0, 0
        while at < end and raw[at] >= _LONG and shift < _MOST_BITS:
            number |= (raw[at] & _LONG - 1) << shift
            shift += 7
            at += 1
        if at == end or raw[at] >= _LONG:
            return None
        number |= raw[at] << shift
        at += 1
        if tag == _OBSERVATION and number <= end - at:
            raws.append(raw[at : at + number])
            at += number
        elif tag == _NUMBER_OF_BATCH:
            batch = number
        elif tag == _WANT_ANSWER:
            want_answer = number != 0
        else:
            return None
    return SentBatch(batch, want_answer, raws)


def sent(raw: bytes) -> Sent:
    """The fields of one Observation.  Errors: InvalidObservation for bytes that are none."""
    known = read(raw) if _IS_COMPILED else None
    return by_protobuf(raw) if known is None else known


def by_protobuf(raw: bytes) -> Sent:
    """The same, read by protobuf."""
    message = lean.observation(raw)
    return Sent(
        message.client_address,
        message.peer_address,
        message.edge_time_s,
        message.request_id,
        message.method,
        message.scheme,
        message.host,
        message.uri,
        message.http_version,
        [*message.headers[:]],
        b"",
        message.headers_cut,
        message.header_order,
        b"".join(message.tls[:]),
        # `[:]`: to walk over the values themselves ends with an exception, which is formatted.
        bytes([value if 0 <= value < _LONG else 0 for value in message.sight[:]]),
        message.lease_id,
    )


def read(raw: bytes) -> Sent | None:
    """The same, None for what only protobuf can tell."""
    client = peer = request_id = method = scheme = host = uri = order = tls = sight = lease = b""
    time_s, http_version, is_cut = 0.0, 0, False
    at, end = 0, len(raw)
    block_from = block_to = 0
    while at + 1 < end:
        begun, tag, size = at, raw[at], raw[at + 1]
        at += 2
        if tag & 7 == 2:
            if size >= _LONG:
                if at == end or raw[at] >= _LONG:
                    return None
                size += (raw[at] << 7) - _LONG
                at += 1
            at += size
            if tag == _HEADER:
                if block_to == 0:
                    block_from = begun
                elif block_to != begun:  # nobody writes them in two places
                    return None
                # Those behind it, as long as they are short: they are most of the fields.
                while at + 1 < end and raw[at] == _HEADER and raw[at + 1] < _LONG:
                    at += raw[at + 1] + 2
                block_to = at
                continue
            value = raw[at - size : at]
            if tag == _CLIENT:
                client = value
            elif tag == _PEER:
                peer = value
            elif tag == _REQUEST_ID:
                request_id = value
            elif tag == _METHOD:
                method = value
            elif tag == _SCHEME:
                scheme = value
            elif tag == _HOST:
                host = value
            elif tag == _URI:
                uri = value
            elif tag == _ORDER:
                order = value
            elif tag == _TLS:
                tls = tls + value if tls else value  # nearly always the first piece
            elif tag == _SIGHT and value.isascii():
                sight = sight + value if sight else value
            elif tag == _LEASE:
                lease = value
            else:
                return None
        elif tag == _TIME and at + 7 <= end:
            time_s = _double(raw, at - 1)[0]
            at += 7
        elif tag == _HTTP_VERSION and size < _LONG:
            http_version = size
        elif tag == _CUT and size < _LONG:
            is_cut = size != 0
        else:
            return None
    if at != end:  # it breaks off in the middle of a field
        return None
    block = raw[block_from:block_to]
    return Sent(
        client, peer, time_s, request_id, method, scheme, host, uri, http_version, [], block, is_cut, order, tls, sight, lease
    )


# Interpreted, `read` costs more than protobuf.
_IS_COMPILED: bool = not hasattr(read, "__code__")
