"""The calls of `botsieve.v1.DecisionService`: who may call, how many at a time, what is answered, and how a call fails.

Law of the file: a call ends with a decision or with one of the statuses that decision_service.proto names.  No text of an
exception and no byte of a client leaves with it.  Nothing that a client wrote makes a call fail.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from time import perf_counter
from typing import Any, cast

import grpc
import msgspec

from botsieve.config.settings import EdgeSettings
from botsieve.errors import InvalidObservation
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet
from botsieve.transports import grpc_lean as lean
from botsieve.transports.grpc_batch import Batch, Service, told
from botsieve.transports.grpc_map import EDGE, to_observation
from botsieve.transports.grpc_told import to_check_response, to_check_stream_response
from botsieve.transports.grpc_turns import Turns
from botsieve.transports.grpc_wire import SentBatch, sent_batch
from botsieve.v1 import decision_service_pb2 as pb

SERVICE_NAME = "botsieve.v1.DecisionService"
# The name of the trailing metadata that holds the name of an ErrorReason.
REASON_KEY = "botsieve-reason"
# Bound of CheckStreamRequest.observations.
MAX_BATCH = 256
# A stream lives as long as its gateway: one or a few for each, and a leak of a gateway must not become ours.
MAX_STREAMS = 64
# Observations of all streams that are being judged: more than eight of the largest batches would wait for 100 ms and longer.
MAX_JUDGING = 2048
# How long an admitted call may hold its place before its message is there: the gateway's budget is 50 ms.
MESSAGE_WAIT_S = 1.0

Context = grpc.aio.ServicerContext[Any, Any]

_Code = grpc.StatusCode
_EOF: Any = cast(Any, grpc.aio).EOF  # the stubs of grpc do not know it
# What a status means for the counter of unjudged requests.  UNAVAILABLE judges nobody either: the gateway asks again elsewhere.
_UNJUDGED = {
    _Code.INVALID_ARGUMENT: "edge_fault",
    _Code.PERMISSION_DENIED: "edge_fault",
    _Code.RESOURCE_EXHAUSTED: "overloaded",
    _Code.DEADLINE_EXCEEDED: "deadline",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Who may call and how much.

    `trusted`: addresses believed on a TCP listener; empty: none.  Callers on a Unix socket are trusted by its file permissions.
    `max_in_flight`: Check calls between arrival and answer.  `sees`: SEES_* bits for an observation without `sight`.
    `deadline_ms`: a Check that took longer ends with DEADLINE_EXCEEDED, and the gateway does what it chose beforehand.
    """

    trusted: RangeSet = RangeSet()
    max_in_flight: int = 256
    deadline_ms: int = 20
    sees: int = 0

    @classmethod
    def of(cls, settings: EdgeSettings) -> Limits:
        """What `edges.grpc` says of it."""
        return cls(
            trusted=settings.trusted,
            max_in_flight=settings.max_in_flight,
            deadline_ms=settings.deadline_ms,
            sees=settings.sight or 0,
        )


class CallError(Exception):
    """A call ends without a decision.  `reason` is the name of an ErrorReason, "" where the proto names none."""

    def __init__(self, code: grpc.StatusCode, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Calls:
    """Answers Check and CheckStream.

    `on_unjudged` hears why each request was not judged (docs/names.md, `why`).  `tell(event, **keys)` hears what an operator
    should know: `edge_fault`, `service_failed`.
    """

    def __init__(
        self,
        service: Service,
        limits: Limits,
        now_s: Callable[[], float],
        on_unjudged: Callable[[str], None],
        tell: Callable[..., None],
    ) -> None:
        self.in_flight = 0
        self.streams = 0
        self.judging = 0
        self._service = service
        self.apply(limits)
        self._now_s = now_s
        self._on_unjudged = on_unjudged
        self._tell = tell
        self._turns = Turns()
        self._draining = False
        self._waiting: set[asyncio.Future[Any]] = set()

    def apply(self, limits: Limits) -> None:
        """Puts other limits in force, from the next call on."""
        self._limits = limits
        self._is_edge = lru_cache(maxsize=1024)(lambda peer: is_edge(peer, limits.trusted))

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        """The table for the server.

        Messages arrive and leave as bytes: one that does not parse is answered by us, not by a traceback.  Check is a unary call on
        the wire; it is served as a stream of one message, because a unary handler is called when the message is there, and a
        stranger who withholds it would hold a place that belongs to a gateway.
        """
        table = {
            "Check": grpc.stream_unary_rpc_method_handler(self._check),
            "CheckStream": grpc.stream_stream_rpc_method_handler(self._check_stream),
        }
        return grpc.method_handlers_generic_handler(SERVICE_NAME, table)

    def drain(self) -> None:
        """Ends the streams that wait for their next batch; calls that were admitted are still answered."""
        self._draining = True
        for reading in self._waiting:
            reading.cancel()

    async def _check(self, _messages: object, context: Context) -> bytes | None:
        try:
            self._admit(context)
            with self._place():
                async with asyncio.timeout(MESSAGE_WAIT_S):
                    raw = await context.read()
                return await self._answer_check(raw, context)
        except Exception as error:
            refusal = self._refusal(error)
        await _end(context, refusal)
        return None

    async def _check_stream(self, _messages: object, context: Context) -> None:
        try:
            self._admit(context)
            with self._stream_place():
                await self._serve_stream(context)
            return
        except Exception as error:
            refusal = self._refusal(error)
        await _end(context, refusal)

    async def _serve_stream(self, context: Context) -> None:
        """Answers batch after batch; the next one is fetched meanwhile, and none after it."""
        reading = asyncio.ensure_future(context.read())
        try:
            while (raw := await self._next_batch(reading)) is not _EOF:
                reading = asyncio.ensure_future(context.read())
                await context.write(await self._answer_batch(sent_batch(raw)))
        finally:
            reading.cancel()

    def _admit(self, context: Context) -> None:
        if not self._is_edge(context.peer()):
            raise CallError(
                _Code.PERMISSION_DENIED,
                "EDGE_UNKNOWN",
                "the peer is not configured as an edge; accepted: the Unix socket, and addresses in edges.grpc.trusted",
            )

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self.in_flight >= self._limits.max_in_flight:
            raise _overloaded(f"{self._limits.max_in_flight} calls are in flight, as many as edges.grpc.max_in_flight allows")
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    @contextlib.contextmanager
    def _stream_place(self) -> Iterator[None]:
        if self.streams >= MAX_STREAMS:
            raise _overloaded(f"{MAX_STREAMS} streams are open, as many as are accepted")
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    async def _next_batch(self, reading: asyncio.Future[Any]) -> Any:
        """What `reading` brings.  Errors: CallError when a drain came first."""
        if self._draining:
            raise CallError(_Code.UNAVAILABLE, "", "draining")
        self._waiting.add(reading)
        try:
            return await reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the caller went away; otherwise it was `drain`
                raise
            raise CallError(_Code.UNAVAILABLE, "", "draining") from None
        finally:
            self._waiting.discard(reading)

    async def _answer_check(self, raw: Any, context: Context) -> bytes:
        begun_s = perf_counter()
        remaining_s = context.time_remaining()
        if remaining_s is not None and remaining_s <= 0:
            raise CallError(_Code.DEADLINE_EXCEEDED, "", "the deadline had passed before the request was judged")
        request = lean.check(b"" if raw is _EOF else raw)  # a call without a message counts as an empty one
        if not request.observation:
            raise InvalidObservation("OBSERVATION_MISSING", "observation", "there is no observation; accepted: one to judge")
        await self._turns.take()
        o = to_observation(b"".join(request.observation[:]), now_s=self._now_s(), sees=self._limits.sees)
        decision = self._service.judge_in_time(o, begun_s + self._limits.deadline_ms * 1e-3)
        self._turns.has_time()
        self._turns.leave()
        if decision is None:
            raise CallError(_Code.DEADLINE_EXCEEDED, "", f"judging took more than {self._limits.deadline_ms} ms")
        return to_check_response(told(self._service, o, decision, want_answer=request.want_answer))

    async def _answer_batch(self, request: SentBatch) -> bytes:
        count = len(request.raws)
        if not 1 <= count <= MAX_BATCH:
            raise InvalidObservation(
                "BATCH_SIZE", "observations", f"the batch has {count} observations; accepted: 1 to {MAX_BATCH}"
            )
        if self.judging + count > MAX_JUDGING:
            results = [self._failed(_overloaded(_BUSY)) for _ in range(count)]
            return to_check_stream_response(request.batch, results)
        self.judging += count
        try:
            results = await self._judge_each(request)
        finally:
            self.judging -= count
        return to_check_stream_response(request.batch, results)

    async def _judge_each(self, request: SentBatch) -> list[bytes]:
        batch = Batch(self._service, request.raws, self._limits.sees, self._failed, want_answer=request.want_answer)
        turns = self._turns
        await turns.take()
        while batch.go_on(turns, self._now_s()):
            await turns.take()
        turns.leave()
        return batch.results

    def _failed(self, error: Exception) -> bytes:
        refusal = self._refusal(error)
        fault = pb.CheckError(reason=f"ERROR_REASON_{refusal.reason}", message=str(refusal))
        return pb.CheckResult(error=fault).SerializeToString()

    def _refusal(self, error: Exception) -> CallError:
        """Every way a call can fail, in one place: what the caller is told, and who hears of it."""
        match error:
            case CallError():
                refusal = error
            case InvalidObservation():
                refusal = self._told_wrong(error)
            case TimeoutError():
                refusal = CallError(_Code.DEADLINE_EXCEEDED, "", f"no message came within {MESSAGE_WAIT_S} s")
            case _:
                # The kind and the line, never the text or the values: those may hold a client's bytes.
                self._tell("service_failed", edge=EDGE, error=type(error).__name__, where=where_of(error))
                refusal = CallError(_Code.INTERNAL, "", "internal error")
        if refusal.code in _UNJUDGED:
            self._on_unjudged(_UNJUDGED[refusal.code])
        return refusal

    def _told_wrong(self, fault: InvalidObservation) -> CallError:
        self._tell("edge_fault", edge=EDGE, header=fault.field, error=str(fault))
        return CallError(_Code.INVALID_ARGUMENT, fault.reason, str(fault))


def where_of(error: BaseException) -> str:
    """File and line where it was raised: enough to find it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else ""


def is_edge(peer: str, trusted: RangeSet) -> bool:
    """Whether a peer, as grpcio names it (`unix:`, `ipv4:127.0.0.1:5000`, `ipv6:%5B::1%5D:5000`), is believed."""
    kind, _, rest = peer.partition(":")
    if kind in ("unix", "unix-abstract"):
        return True
    address = rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")
    try:
        return pack_address(address) in trusted
    except InvalidObservation:
        return False


_BUSY = f"{MAX_JUDGING} observations of all streams are being judged, as many as are accepted; this one was not"


def _overloaded(message: str) -> CallError:
    return CallError(_Code.RESOURCE_EXHAUSTED, "OVERLOADED", message)


async def _end(context: Context, refusal: CallError) -> None:
    metadata = ((REASON_KEY, f"ERROR_REASON_{refusal.reason}"),) if refusal.reason else ()
    await context.abort(refusal.code, str(refusal), trailing_metadata=metadata)
