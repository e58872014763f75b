"""A real gRPC edge on a loop of its own, and a judge whose verdict the test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
import msgspec
import uvloop
from botsieve.decision import ALLOW, BLOCK, ENFORCE, Decision, Measure, Signal
from botsieve.observation import Observation
from botsieve.transports.grpc import GrpcSettings, GrpcTransport
from botsieve.transports.grpc_calls import Limits
from botsieve.v1 import decision_pb2, decision_service_pb2, decision_service_pb2_grpc

T = TypeVar("T")
CURL = Signal("agent.bot_useragent", 40, "curl", "client", (Measure("share_0_1", 0.5, 0.25), Measure("mean_s", 1.0)))


class Answer(NamedTuple):
    """What a visitor gets in place of the application's answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Judge:
    """Blocks what calls itself curl, allows everything else, and keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self.fails = False
        self._ids = itertools.count()

    def judge(self, o: Observation) -> Decision:
        if self.fails:
            raise RuntimeError("secret internals")
        self.seen.append(o)
        signals = (CURL,) if b"curl" in o.user_agent else ()
        verdict = BLOCK if signals else ALLOW
        name = f"0000-0000-0000-{next(self._ids):04d}"
        return Decision(
            name, verdict, verdict, ENFORCE, 40 * len(signals), False, signals, "threshold.block", "shop", "mixed", "0" * 12
        )

    def judge_in_time(self, o: Observation, until_s: float) -> Decision | None:
        decision = self.judge(o)
        return decision if time.perf_counter() <= until_s else None

    def answer(self, o: Observation, decision: Decision) -> Answer:
        return Answer(403, [("Cache-Control", "no-store")], b"refused \xff " + decision.id.encode())


class Edge:
    """A running transport; `run` runs a coroutine on its loop."""

    def __init__(self, judge: Any, loop: asyncio.AbstractEventLoop, target: str, transport: GrpcTransport) -> None:
        self.judge = judge
        self.loop = loop
        self.target = target
        self.transport = transport
        self.unjudged: list[str] = []
        self.told: list[dict[str, Any]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self.target)


@contextlib.contextmanager
def serving(
    judge: Any,
    listen: str,
    limits: Limits | None = None,
    *,
    patience_ms: int = 2000,
    now_s: Callable[[], float] = time.time,
    **more: Any,
) -> Iterator[Edge]:
    """The edge, listening on `listen`; drained afterwards."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    unjudged: list[str] = []
    told: list[dict[str, Any]] = []

    def tell(event: str, **keys: Any) -> None:
        told.append({"event": event, **keys})

    transport = GrpcTransport(judge, now_s=now_s, on_unjudged=unjudged.append, tell=tell)
    try:
        # Two shared cores: a test thread may be put aside for longer than the 20 ms of the packaged default.
        settings = GrpcSettings(
            listen=listen, limits=msgspec.structs.replace(limits or Limits(), deadline_ms=patience_ms), **more
        )
        asyncio.run_coroutine_threadsafe(transport.start(settings), loop).result(60)
        target = f"127.0.0.1:{transport.port}" if transport.port else listen
        edge = Edge(judge, loop, target, transport)
        edge.unjudged, edge.told = unjudged, told
        yield edge
    finally:
        asyncio.run_coroutine_threadsafe(transport.drain(0.2), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def on_socket(folder: Path, judge: Any = None, limits: Limits | None = None, **more: Any) -> Iterator[Edge]:
    """The edge on a Unix socket in `folder`."""
    with serving(judge or Judge(), f"unix:{folder}/grpc.sock", limits, **more) as edge:
        yield edge


def observation(**fields: Any) -> decision_pb2.Observation:
    """A request that nothing is wrong with, changed by `fields`."""
    whole: dict[str, Any] = {"client_address": bytes([203, 0, 113, 7]), "method": b"GET", "uri": b"/items/17?ref=a", **fields}
    return decision_pb2.Observation(**whole)


def header(name: bytes, value: bytes) -> decision_pb2.Header:
    return decision_pb2.Header(name=name, value=value)


def check(
    channel: grpc.Channel, o: decision_pb2.Observation | None, *, want_answer: bool = False, timeout_s: float = 60.0
) -> Any:
    """One call of Check; the decision.  Errors: grpc.RpcError."""
    stub = decision_service_pb2_grpc.DecisionServiceStub(channel)
    return stub.Check(decision_service_pb2.CheckRequest(observation=o, want_answer=want_answer), timeout=timeout_s).decision


def stream(channel: grpc.Channel, batches: Any) -> Any:
    """The answers to a CheckStream of these batches."""
    return decision_service_pb2_grpc.DecisionServiceStub(channel).CheckStream(batches, timeout=60)


def batch(number: int, *observations: decision_pb2.Observation, want_answer: bool = False) -> Any:
    """One message of a CheckStream."""
    return decision_service_pb2.CheckStreamRequest(batch=number, observations=observations, want_answer=want_answer)


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str, str]:
    """Status, ErrorReason and message of a call that must fail."""
    try:
        call()
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or ())
        return error.code(), str(metadata.get("botsieve-reason", "")), error.details() or ""
    raise AssertionError("the call was answered")


class Held:
    """A Check whose message is not sent before `release`: it is in flight until then."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._go: asyncio.Event
        self._task: asyncio.Future[Any]
        edge.run(self._begin())

    async def _begin(self) -> None:
        self._go = asyncio.Event()
        self._task = asyncio.ensure_future(self._call())

    async def _call(self) -> Any:
        async def messages() -> AsyncIterator[bytes]:
            await self._go.wait()
            yield decision_service_pb2.CheckRequest(observation=observation()).SerializeToString()

        async with grpc.aio.insecure_channel(self._edge.target) as channel:
            call = channel.stream_unary("/botsieve.v1.DecisionService/Check")
            return decision_service_pb2.CheckResponse.FromString(await call(messages()))

    def release(self) -> Any:
        """Sends the message; the response."""

        async def finish() -> Any:
            self._go.set()
            return await self._task

        return self._edge.run(finish())

    def ended_by_the_server(self) -> grpc.StatusCode:
        """The status with which the server ends the call although its message was never sent."""

        async def finish() -> grpc.StatusCode:
            try:
                await self._task
            except grpc.aio.AioRpcError as error:
                return error.code()
            raise AssertionError("the call was answered")

        return self._edge.run(finish())

    def cancel(self) -> None:
        async def finish() -> None:
            self._task.cancel()
            await asyncio.wait((self._task,))

        self._edge.run(finish())


def until(true: Callable[[], bool], at_most_s: float = 60.0) -> None:
    """Returns as soon as `true()`; AssertionError when that takes too long."""
    end_s = time.monotonic() + at_most_s
    while not true():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.002)
