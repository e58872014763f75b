"""service/botsieve/transports/grpc_calls.py, CheckStream: real clients against the real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from botsieve.transports import grpc_calls
from botsieve.v1 import decision_pb2, decision_service_pb2, error_reason_pb2

from tests.transports.grpc_harness import Edge, batch, check, header, observation, on_socket, refusal, stream, until

Code = grpc.StatusCode
CURL = [header(b"user-agent", b"curl/8.5.0")]


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    """The edge on a Unix socket."""
    with on_socket(tmp_path) as running:
        yield running


@pytest.fixture
def channel(edge: Edge) -> Iterator[grpc.Channel]:
    """A connection to the edge."""
    with edge.channel() as connected:
        yield connected


def _first_and_wait(done: threading.Event) -> Iterator[Any]:
    yield batch(1, observation())
    done.wait(10)


def test_a_stream_answers_batches_in_order(channel: grpc.Channel) -> None:
    """One result an observation, in order; the batch's name comes back; a malformed one gets its own error."""
    asked = [
        batch(7, observation(), observation(headers=CURL), observation(uri=b"")),
        batch(2**64 - 1, observation(headers=CURL), want_answer=True),
    ]
    first, second = stream(channel, iter(asked))
    assert (first.batch, second.batch) == (7, 2**64 - 1)
    allowed, blocked, wrong = first.results
    assert (allowed.decision.verdict, blocked.decision.verdict) == (decision_pb2.VERDICT_ALLOW, decision_pb2.VERDICT_BLOCK)
    assert wrong.WhichOneof("result") == "error"
    assert wrong.error.reason == error_reason_pb2.ERROR_REASON_FIELD_MISSING
    assert "accepted" in wrong.error.message
    assert second.results[0].decision.answer.status == 403


@pytest.mark.parametrize("size", [0, 257])
def test_the_size_of_a_batch_is_bounded(channel: grpc.Channel, size: int) -> None:
    """1 to 256 observations: anything else ends the stream with BATCH_SIZE."""
    code, reason, _ = refusal(lambda: list(stream(channel, iter([batch(1, *[observation()] * size)]))))
    assert (code, reason) == (Code.INVALID_ARGUMENT, "ERROR_REASON_BATCH_SIZE")


def test_a_batch_of_256_is_answered(channel: grpc.Channel) -> None:
    """The largest batch is fine."""
    (answer,) = stream(channel, iter([batch(1, *[observation()] * 256)]))
    assert len(answer.results) == 256


def test_observations_under_way_are_bounded(edge: Edge, channel: grpc.Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that there is no room for: each observation gets OVERLOADED and is counted, and the stream goes on."""
    monkeypatch.setattr(grpc_calls, "MAX_JUDGING", 4)
    refused, judged = stream(channel, iter([batch(1, *[observation()] * 5), batch(2, *[observation()] * 4)]))
    assert [result.error.reason for result in refused.results] == [error_reason_pb2.ERROR_REASON_OVERLOADED] * 5
    assert all(result.HasField("decision") for result in judged.results)
    assert edge.unjudged == ["overloaded"] * 5
    assert len(edge.judge.seen) == 4


def test_batches_that_are_sent_ahead_are_answered_in_order(channel: grpc.Channel) -> None:
    """A gateway need not wait for an answer before its next batch."""
    asked = [batch(number, *[observation()] * (1 + number % 3)) for number in range(50)]
    answers = list(stream(channel, iter(asked)))
    assert [(answer.batch, len(answer.results)) for answer in answers] == [(n, 1 + n % 3) for n in range(50)]


def test_streams_are_bounded(edge: Edge, channel: grpc.Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stream more than allowed is shed; a stream that ended makes room."""
    monkeypatch.setattr(grpc_calls, "MAX_STREAMS", 1)
    done = threading.Event()
    first = stream(channel, _first_and_wait(done))
    next(first)
    code, reason, _ = refusal(lambda: list(stream(channel, iter([batch(1, observation())]))))
    assert (code, reason) == (Code.RESOURCE_EXHAUSTED, "ERROR_REASON_OVERLOADED")
    done.set()
    assert list(first) == []
    (answer,) = stream(channel, iter([batch(1, observation())]))
    assert len(answer.results) == 1


def test_a_stream_that_goes_away_is_forgotten(edge: Edge, channel: grpc.Channel) -> None:
    """A gateway that vanishes in mid-stream leaves nothing behind, and nothing is logged as a fault of ours."""
    done = threading.Event()
    gone = stream(channel, _first_and_wait(done))
    next(gone)
    assert edge.transport.streams == 1
    gone.cancel()
    done.set()
    until(lambda: edge.transport.streams == 0)
    assert check(channel, observation()).verdict == decision_pb2.VERDICT_ALLOW
    assert edge.told == []


@pytest.mark.parametrize(
    ("broken", "name"), [(b"\x52\x01\xff", "Header"), (b"\x52\x09\xff", "Observation"), (b"\xff", "Observation")]
)
def test_what_is_no_message_gets_its_own_error(edge: Edge, channel: grpc.Channel, broken: bytes, name: str) -> None:
    """Broken bytes inside one observation: an error for that one; its neighbours are judged and the stream goes on."""
    broken = observation().SerializeToString() + broken
    whole = observation(headers=CURL).SerializeToString()
    raw = b"".join(b"\x12" + bytes([len(one)]) + one for one in (whole, broken, whole))
    call = channel.stream_stream("/botsieve.v1.DecisionService/CheckStream")
    for answer in call(iter([raw, raw]), timeout=10):
        first, second, third = decision_service_pb2.CheckStreamResponse.FromString(answer).results
        assert first.decision.verdict == third.decision.verdict == decision_pb2.VERDICT_BLOCK
        assert second.error.reason == error_reason_pb2.ERROR_REASON_UNSPECIFIED
        assert f"no {name}; accepted" in second.error.message
    assert edge.unjudged == ["edge_fault"] * 2
