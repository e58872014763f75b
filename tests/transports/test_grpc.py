"""service/botsieve/transports/grpc.py and grpc_calls.py: real clients against the real server, on a Unix socket and on TCP."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from botsieve.config.settings import EdgeSettings
from botsieve.ranges import RangeSet
from botsieve.transports import grpc_calls
from botsieve.transports.grpc import GrpcTransport
from botsieve.transports.grpc_calls import Limits
from botsieve.v1 import decision_pb2, decision_service_pb2, decision_service_pb2_grpc, error_reason_pb2

from tests.pace import in_time
from tests.transports.grpc_harness import (
    Edge,
    Held,
    Judge,
    batch,
    check,
    header,
    observation,
    on_socket,
    refusal,
    serving,
    stream,
    until,
)

Code = grpc.StatusCode
LOOPBACK = Limits(trusted=RangeSet.parse(["127.0.0.0/8"]), deadline_ms=2000)
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


def raw_check(channel: grpc.Channel, raw: bytes) -> Any:
    return channel.unary_unary("/botsieve.v1.DecisionService/Check")(raw, timeout=60)


# ---------------------------------------------------------------------------------------------------------------- verdicts


def test_a_request_is_judged_over_the_socket(edge: Edge, channel: grpc.Channel) -> None:
    """An ordinary call gets the decision of the service, and the service sees what the gateway saw."""
    decision = check(channel, observation(headers=CURL))
    assert decision.verdict == decision_pb2.VERDICT_BLOCK
    assert [(signal.id, signal.detail) for signal in decision.signals] == [("agent.bot_useragent", "curl")]
    assert edge.judge.seen[0].edge == "grpc"
    assert edge.judge.seen[0].user_agent == b"curl/8.5.0"
    assert abs(edge.judge.seen[0].edge_time_s - time.time()) < 60
    assert edge.unjudged == []


def test_an_answer_comes_when_it_is_wanted_and_needed(channel: grpc.Channel) -> None:
    """`want_answer` brings the page for what is not allowed; without it, and for allow, there is none."""
    assert check(channel, observation(headers=CURL), want_answer=True).answer.body.startswith(b"refused \xff")
    assert not check(channel, observation(headers=CURL)).HasField("answer")
    assert not check(channel, observation(), want_answer=True).HasField("answer")


def test_odd_bytes_are_judged(edge: Edge, channel: grpc.Channel) -> None:
    """Every byte, valid UTF-8 or not, in every place that a client fills: judged, never refused."""
    odd = bytes(range(256))
    request = observation(
        uri=b"/" + odd,
        host=odd[:255],
        scheme=odd,
        request_id=odd[128:192],
        headers=[header(odd, odd), header(b"\x00", b"\xff\xfe")],
    )
    assert check(channel, request).verdict == decision_pb2.VERDICT_ALLOW
    assert edge.judge.seen[0].uri == b"/" + odd
    assert edge.judge.seen[0].headers[odd.lower()] == odd


def test_what_a_newer_gateway_adds_is_ignored(channel: grpc.Channel) -> None:
    """Unknown fields and unknown enum values change nothing."""
    raw = decision_service_pb2.CheckRequest(observation=observation(sight=[99], http_version=99)).SerializeToString()
    unknown_field = b"\xfa\x3e\x03abc"
    answered = decision_service_pb2.CheckResponse.FromString(raw_check(channel, raw + unknown_field))
    assert answered.decision.verdict == decision_pb2.VERDICT_ALLOW


def test_the_request_id_reaches_the_service(edge: Edge, channel: grpc.Channel) -> None:
    """The name by which a repeated call is known as the same request is handed on unchanged."""
    for _ in range(2):
        check(channel, observation(request_id=b"\xffabc"))
    assert [o.request_id for o in edge.judge.seen] == [b"\xffabc", b"\xffabc"]


def test_a_hundred_calls_at_once_are_all_judged(edge: Edge) -> None:
    """Concurrent calls on one connection each get their own decision."""

    async def all_of_them() -> list[str]:
        async with grpc.aio.insecure_channel(edge.target) as connected:
            stub = decision_service_pb2_grpc.DecisionServiceStub(connected)
            request = decision_service_pb2.CheckRequest(observation=observation())
            answers = await asyncio.gather(*[stub.Check(request, timeout=60) for _ in range(100)])
            return [answer.decision.id for answer in answers]

    assert len(set(edge.run(all_of_them()))) == 100
    assert edge.transport.in_flight == 0


# ------------------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "OBSERVATION_MISSING"),
        (observation(client_address=b"203.0.113.7"), "ADDRESS_MALFORMED"),
        (observation(peer_address=b"x"), "ADDRESS_MALFORMED"),
        (observation(client_address=b""), "FIELD_MISSING"),
        (observation(method=b""), "FIELD_MISSING"),
        (observation(uri=b""), "FIELD_MISSING"),
        (observation(host=b"h" * 300), "FIELD_TOO_LONG"),
        (observation(headers=[header(b"a", b"")] * 201), "TOO_MANY_HEADERS"),
        (observation(headers=[header(b"a", bytes(16384))] * 4), "TOO_MANY_HEADERS"),
    ],
)
def test_a_malformed_observation_is_refused_with_its_reason(
    edge: Edge, channel: grpc.Channel, message: Any, reason: str
) -> None:
    """INVALID_ARGUMENT, the name of the ErrorReason in `botsieve-reason`, and one sentence; counted as a fault of the edge."""
    code, told, text = refusal(lambda: check(channel, message))
    assert (code, told) == (Code.INVALID_ARGUMENT, f"ERROR_REASON_{reason}")
    assert told in error_reason_pb2.ErrorReason.keys()  # noqa: SIM118 (an enum wrapper is no mapping)
    assert "accepted" in text
    assert edge.unjudged == ["edge_fault"]
    assert [(told["event"], told["error"]) for told in edge.told] == [("edge_fault", text)]
    assert edge.judge.seen == []


def test_bytes_that_are_no_message_are_refused(edge: Edge, channel: grpc.Channel) -> None:
    """What does not parse is the gateway's mistake too; the connection and the next call are unharmed."""
    code, reason, text = refusal(lambda: raw_check(channel, b"\xff\xff\xff SECRET"))
    assert (code, reason) == (Code.INVALID_ARGUMENT, "ERROR_REASON_UNSPECIFIED")
    assert "SECRET" not in text
    assert check(channel, observation()).verdict == decision_pb2.VERDICT_ALLOW


def test_a_message_without_end_is_refused(channel: grpc.Channel) -> None:
    """5 MiB are more than the listener takes: a clear status, and the next call is answered."""
    huge = observation(headers=[header(b"a", bytes(5 * 1024 * 1024))])
    assert refusal(lambda: check(channel, huge))[0] == Code.RESOURCE_EXHAUSTED
    assert check(channel, observation()).verdict == decision_pb2.VERDICT_ALLOW


def test_an_unknown_method_is_unimplemented(channel: grpc.Channel) -> None:
    """A call that the contract does not have says so."""
    call = channel.unary_unary("/botsieve.v1.DecisionService/Guess")
    assert refusal(lambda: call(b"", timeout=60))[0] == Code.UNIMPLEMENTED


def test_a_fault_of_ours_tells_nothing(edge: Edge, channel: grpc.Channel) -> None:
    """An exception that nobody foresaw is INTERNAL without its text; the log gets kind and line; the next call is answered."""
    edge.judge.fails = True
    assert refusal(lambda: check(channel, observation())) == (Code.INTERNAL, "", "internal error")
    (told,) = edge.told
    assert (told["event"], told["edge"], told["error"]) == ("service_failed", "grpc", "RuntimeError")
    assert told["where"].startswith("grpc_harness.py:")
    assert "secret" not in str(told)
    edge.judge.fails = False
    assert check(channel, observation()).verdict == decision_pb2.VERDICT_ALLOW
    assert edge.transport.in_flight == 0


def test_a_stranger_on_tcp_is_refused() -> None:
    """With an empty `trusted` nobody is believed on TCP: neither Check nor CheckStream is served, and nothing is judged."""
    with serving(Judge(), "127.0.0.1:0") as edge, edge.channel() as connected:
        expected = (Code.PERMISSION_DENIED, "ERROR_REASON_EDGE_UNKNOWN")
        assert refusal(lambda: check(connected, observation()))[:2] == expected
        assert refusal(lambda: list(stream(connected, iter([batch(1, observation())]))))[:2] == expected
        assert edge.judge.seen == []
        assert edge.unjudged == ["edge_fault", "edge_fault"]


def test_a_trusted_peer_on_tcp_is_served() -> None:
    """An address in `trusted` is an edge."""
    with serving(Judge(), "127.0.0.1:0", LOOPBACK) as edge, edge.channel() as connected:
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


def test_a_reload_changes_who_is_trusted() -> None:
    """Other limits hold from the next call on, without a new listener."""
    with serving(Judge(), "127.0.0.1:0") as edge, edge.channel() as connected:
        assert refusal(lambda: check(connected, observation()))[0] == Code.PERMISSION_DENIED
        edge.transport.apply(EdgeSettings(name="grpc", trusted=LOOPBACK.trusted, deadline_ms=1000))
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW
        edge.transport.apply(EdgeSettings(name="grpc"))
        assert refusal(lambda: check(connected, observation()))[0] == Code.PERMISSION_DENIED


def test_a_stranger_holds_no_place() -> None:
    """A peer that is not an edge is refused before it is counted, even when it never sends its message."""
    with serving(Judge(), "127.0.0.1:0", Limits(max_in_flight=1)) as edge:
        held = Held(edge)
        assert held.ended_by_the_server() == Code.PERMISSION_DENIED
        assert edge.transport.in_flight == 0


# ---------------------------------------------------------------------------------------------- overload, deadline, health


def test_more_than_max_in_flight_is_shed(tmp_path: Path) -> None:
    """Calls beyond the limit are refused at once with OVERLOADED; those that hold the places are still answered."""
    with on_socket(tmp_path, limits=Limits(max_in_flight=2)) as edge, edge.channel() as connected:
        held = [Held(edge), Held(edge)]
        until(lambda: edge.transport.in_flight == 2)
        code, reason, _ = refusal(lambda: check(connected, observation()))
        assert (code, reason) == (Code.RESOURCE_EXHAUSTED, "ERROR_REASON_OVERLOADED")
        assert edge.unjudged == ["overloaded"]
        for one in held:
            assert one.release().decision.verdict == decision_pb2.VERDICT_ALLOW
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


def test_a_call_that_goes_away_gives_its_place_back(tmp_path: Path) -> None:
    """A cancelled call is in flight no longer."""
    with on_socket(tmp_path, limits=Limits(max_in_flight=1)) as edge, edge.channel() as connected:
        held = Held(edge)
        until(lambda: edge.transport.in_flight == 1)
        held.cancel()
        until(lambda: edge.transport.in_flight == 0)
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


@pytest.mark.realtime
def test_a_call_without_a_message_does_not_hold_its_place(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that opens a call and says nothing loses it after a while."""
    monkeypatch.setattr(grpc_calls, "MESSAGE_WAIT_S", 0.05)
    held = Held(edge)
    assert held.ended_by_the_server() == Code.DEADLINE_EXCEEDED
    assert edge.unjudged == ["deadline"]
    assert edge.transport.in_flight == 0


class SlowJudge(Judge):
    """Holds the service's loop until told to go on, `wait_s` seconds at most: a pause of the process, as a gateway meets it."""

    def __init__(self, wait_s: float = 60) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.wait_s = wait_s

    def judge(self, o: Any) -> Any:
        self.go_on.wait(self.wait_s)
        return super().judge(o)


@pytest.mark.realtime
def test_a_deadline_is_kept_while_the_service_hangs(tmp_path: Path) -> None:
    """The caller gets its DEADLINE_EXCEEDED in time, whatever the service does; afterwards it judges again."""
    judge = SlowJudge()
    with on_socket(tmp_path, judge) as edge, edge.channel() as connected:
        grpc.channel_ready_future(connected).result(60)
        begun_s = time.monotonic()
        assert refusal(lambda: check(connected, observation(), timeout_s=0.05))[0] == Code.DEADLINE_EXCEEDED
        assert in_time(time.monotonic() - begun_s, 1.0)
        judge.go_on.set()
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


@pytest.mark.realtime
def test_a_judgement_that_came_late_is_no_judgement(tmp_path: Path) -> None:
    """A Check that took longer than `deadline_ms` ends so, and is counted: the gateway's failure mode decides."""
    with on_socket(tmp_path, SlowJudge(wait_s=0.02), patience_ms=1) as edge, edge.channel() as connected:
        assert refusal(lambda: check(connected, observation()))[0] == Code.DEADLINE_EXCEEDED
        assert edge.unjudged == ["deadline"]


def health_stub(connected: grpc.Channel) -> Any:
    from grpc_health.v1 import health_pb2_grpc

    return health_pb2_grpc.HealthStub(connected)


def health_request(service: str) -> Any:
    from grpc_health.v1 import health_pb2

    return health_pb2.HealthCheckRequest(service=service)


@pytest.mark.parametrize("name", ["", "botsieve.v1.DecisionService"])
def test_health_says_serving(channel: grpc.Channel, name: str) -> None:
    """The process and the service by name are SERVING as soon as `start` returned."""
    assert health_stub(channel).Check(health_request(name), timeout=60).status == 1


def test_health_of_an_unknown_service(channel: grpc.Channel) -> None:
    """A name that is not ours is NOT_FOUND, as the protocol says."""
    assert refusal(lambda: health_stub(channel).Check(health_request("x"), timeout=60))[0] == Code.NOT_FOUND


def test_health_needs_no_trust() -> None:
    """A probe comes from wherever it likes: health tells it nothing of visitors."""
    with serving(Judge(), "127.0.0.1:0") as edge, edge.channel() as connected:
        assert health_stub(connected).Check(health_request(""), timeout=60).status == 1


def test_watches_are_bounded(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """One watch more than allowed is refused; a watch that ended makes room."""
    monkeypatch.setattr("botsieve.transports.grpc_health.MAX_WATCHERS", 1)
    with edge.channel() as connected:
        first = health_stub(connected).Watch(health_request(""), timeout=60)
        assert next(first).status == 1
        assert refusal(lambda: next(health_stub(connected).Watch(health_request(""), timeout=60)))[0] == Code.RESOURCE_EXHAUSTED
        first.cancel()
        until(lambda: _watches(connected))


def _watches(connected: grpc.Channel) -> bool:
    try:
        return bool(next(health_stub(connected).Watch(health_request(""), timeout=60)).status == 1)
    except grpc.RpcError:
        return False


def test_reflection_is_off_and_can_be_on(tmp_path: Path) -> None:
    """Nobody can ask for the schema unless the configuration says so."""
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    def services(edge: Edge) -> list[str]:
        with edge.channel() as connected:
            stub = reflection_pb2_grpc.ServerReflectionStub(connected)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answer = next(stub.ServerReflectionInfo(iter([request]), timeout=60))
            return sorted(service.name for service in answer.list_services_response.service)

    with on_socket(tmp_path) as edge:
        assert refusal(lambda: services(edge))[0] == Code.UNIMPLEMENTED
    with on_socket(tmp_path, reflection=True) as edge:
        assert "botsieve.v1.DecisionService" in services(edge)


# ------------------------------------------------------------------------------------------------------------------- drain


def test_a_drain_says_so_first_and_finishes_what_is_here(edge: Edge, channel: grpc.Channel) -> None:
    """A watcher hears NOT_SERVING, the call in flight is answered, an idle stream ends with UNAVAILABLE, new calls too."""
    watch = health_stub(channel).Watch(health_request(""), timeout=60)
    assert next(watch).status == 1
    idle = threading.Event()
    batches = stream(channel, _first_and_wait(idle))
    assert next(batches).batch == 1
    held = Held(edge)
    until(lambda: edge.transport.in_flight == 1)
    draining = asyncio.run_coroutine_threadsafe(edge.transport.drain(60.0), edge.loop)
    assert [answer.status for answer in watch] == [2]
    assert refusal(lambda: next(batches))[0] == Code.UNAVAILABLE
    idle.set()
    assert held.release().decision.verdict == decision_pb2.VERDICT_ALLOW
    begun_s = time.monotonic()
    draining.result(60)
    assert time.monotonic() - begun_s < 50, "the drain waited for more than the calls"
    assert refusal(lambda: check(channel, observation()))[0] == Code.UNAVAILABLE


def _first_and_wait(done: threading.Event) -> Iterator[Any]:
    yield batch(1, observation())
    done.wait(60)


def test_the_grace_ends_what_does_not_end_by_itself(edge: Edge) -> None:
    """A call that never completes holds the drain up for the grace and no longer."""
    Held(edge)
    until(lambda: edge.transport.in_flight == 1)
    begun_s = time.monotonic()
    edge.run(edge.transport.drain(0.1))
    assert in_time(time.monotonic() - begun_s, 5.0)
    assert edge.transport.in_flight == 0


def test_a_drain_of_what_never_started_is_nothing() -> None:
    """A service that failed to start can still be drained."""
    asyncio.run(GrpcTransport(Judge(), now_s=time.time).drain(1.0))
