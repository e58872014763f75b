"""service/botsieve/transports/grpc_lean.py: the messages with their small parts left as bytes."""

from __future__ import annotations

import pytest
from botsieve.errors import InvalidObservation
from botsieve.transports import grpc_lean as lean
from botsieve.v1 import decision_pb2 as pb
from botsieve.v1 import decision_service_pb2 as service_pb
from hypothesis import given

from tests.transports.test_grpc_map import MESSAGES


def same(read: lean.LeanObservation, meant: pb.Observation) -> None:
    """Every field of the proto, none forgotten."""
    for field in pb.Observation.DESCRIPTOR.fields:
        if field.name == "headers":
            assert [pb.Header.FromString(raw) for raw in read.headers] == list(meant.headers)
        elif field.name == "tls":
            assert bool(read.tls) == meant.HasField("tls")
            assert pb.TlsFingerprint.FromString(b"".join(read.tls)) == meant.tls
        elif field.name == "sight":
            assert list(read.sight) == list(meant.sight)
        elif field.name == "edge_time_s":
            assert repr(read.edge_time_s) == repr(meant.edge_time_s)
        else:
            assert getattr(read, field.name) == getattr(meant, field.name)


@given(MESSAGES)
def test_what_was_written_is_read(message: pb.Observation) -> None:
    """Any Observation, alone, in a Check and in a batch, field by field."""
    same(lean.observation(message.SerializeToString()), message)
    check = lean.check(service_pb.CheckRequest(observation=message, want_answer=True).SerializeToString())
    assert check.want_answer
    same(lean.observation(b"".join(check.observation)), message)
    asked = service_pb.CheckStreamRequest(batch=2**64 - 1, observations=[message, message])
    batch = lean.batch(asked.SerializeToString())
    assert (batch.batch, batch.want_answer, len(batch.observations)) == (2**64 - 1, False, 2)
    for one in batch.observations:
        same(lean.observation(one), message)


def test_an_empty_message_is_one() -> None:
    """No bytes: every field is absent."""
    assert len(lean.check(b"").observation) == 0
    assert len(lean.batch(b"").observations) == 0


@pytest.mark.parametrize(
    ("read", "name"), [(lean.observation, "Observation"), (lean.check, "CheckRequest"), (lean.batch, "CheckStreamRequest")]
)
def test_what_is_no_message_is_named(read: object, name: str) -> None:
    """Bytes that do not parse: the declared error, which says what was expected."""
    assert callable(read)
    with pytest.raises(InvalidObservation, match=f"no {name}; accepted") as caught:
        read(b"\xff")
    assert (caught.value.reason, caught.value.field) == ("UNSPECIFIED", "message")


def test_the_rest_of_the_process_keeps_its_messages() -> None:
    """The messages here are others than those of botsieve.v1, which stay what the proto says."""
    message = pb.Observation(headers=[pb.Header(name=b"a", value=b"b")])
    assert message.headers[0].value == b"b"
    assert lean.observation(message.SerializeToString()).headers == [message.headers[0].SerializeToString()]
