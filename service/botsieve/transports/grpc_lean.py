"""The messages of proto/botsieve/v1 once more, with the smaller ones in them left as the bytes they came in.

Law of the file: the wire is the same and so is what can be told; nothing stands here that is not made from the proto itself.  A
sub-message and a byte string look alike on the wire (length-delimited, protobuf.dev "Message structure"), so a reader may leave
one unread.  The header fields of one browser are the same in most of its requests: as bytes they can be looked up, as messages
each costs three Python objects [measured: 0.35 us a field against 0.12].  And what is broken in one observation of a batch is that
one's own fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from botsieve.errors import InvalidObservation
from botsieve.v1 import decision_pb2, decision_service_pb2, error_reason_pb2

# Messages and the fields of them that stay bytes.  All repeated: a reader joins what came in pieces (protobuf.dev, "Last One Wins").
LEFT_AS_BYTES = {
    "Observation": frozenset(["headers", "tls"]),
    "CheckRequest": frozenset(["observation"]),
    "CheckStreamRequest": frozenset(["observations"]),
}


class LeanObservation(Protocol):
    """An Observation as it is read here.  `headers`: each a Header message; `tls`: pieces of one TlsFingerprint."""

    client_address: bytes
    peer_address: bytes
    edge_time_s: float
    request_id: bytes
    method: bytes
    scheme: bytes
    host: bytes
    uri: bytes
    http_version: int
    headers_cut: bool
    header_order: bytes
    lease_id: bytes

    @property
    def headers(self) -> Sequence[bytes]: ...
    @property
    def tls(self) -> Sequence[bytes]: ...
    @property
    def sight(self) -> Sequence[int]: ...


class LeanCheck(Protocol):
    """A CheckRequest.  `observation`: pieces of one Observation; none: there is none."""

    want_answer: bool

    @property
    def observation(self) -> Sequence[bytes]: ...


class LeanBatch(Protocol):
    """A CheckStreamRequest.  `observations`: each an Observation."""

    batch: int
    want_answer: bool

    @property
    def observations(self) -> Sequence[bytes]: ...


def observation(raw: bytes) -> LeanObservation:
    """An Observation from its bytes.  Errors: InvalidObservation for bytes that are none."""
    message: LeanObservation = parsed(_OBSERVATION, raw)
    return message


def check(raw: bytes) -> LeanCheck:
    """A CheckRequest from its bytes.  Errors: InvalidObservation for bytes that are none."""
    message: LeanCheck = parsed(_CHECK, raw)
    return message


def batch(raw: bytes) -> LeanBatch:
    """A CheckStreamRequest from its bytes.  Errors: InvalidObservation for bytes that are none."""
    message: LeanBatch = parsed(_BATCH, raw)
    return message


def parsed(kind: Any, raw: bytes) -> Any:
    """A message of a class from its bytes.  Errors: InvalidObservation, without a byte of them."""
    try:
        return kind.FromString(raw)
    except DecodeError:
        name = kind.DESCRIPTOR.name
        raise InvalidObservation(
            "UNSPECIFIED", "message", f"the message is no {name}; accepted: one encoded as proto/botsieve/v1 says"
        ) from None


def _classes() -> tuple[Any, Any, Any]:
    pool = descriptor_pool.DescriptorPool()
    for module in (error_reason_pb2, decision_pb2, decision_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _leave_as_bytes(message)
        pool.Add(file)
    observation, check, batch = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"botsieve.v1.{name}"))
        for name in ("Observation", "CheckRequest", "CheckStreamRequest")
    )
    return observation, check, batch


def _leave_as_bytes(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.name in LEFT_AS_BYTES.get(message.name, ()):
            field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
            field.label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
            field.ClearField("type_name")


_OBSERVATION, _CHECK, _BATCH = _classes()
