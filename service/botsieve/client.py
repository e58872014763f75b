"""A gateway written in Python asks Botsieve over gRPC: `BotsieveClient(...).check(describe(...))`.

Law of the file: `check` and `check_many` always return outcomes and never raise for what a visitor sent, or for a service that
is slow, gone or overloaded: the failure mode was chosen beforehand (`on_failure`), and the outcome says that it was used.
The guide is docs/grpc.md.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, NamedTuple

import grpc

from botsieve import observation as bounds
from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.v1 import decision_pb2, decision_service_pb2, decision_service_pb2_grpc, error_reason_pb2

_WORDS = {decision_pb2.VERDICT_ALLOW: ALLOW, decision_pb2.VERDICT_CHALLENGE: CHALLENGE, decision_pb2.VERDICT_BLOCK: BLOCK}
_HTTP = {
    "HTTP/1.0": decision_pb2.HTTP_VERSION_1_0,
    "HTTP/1.1": decision_pb2.HTTP_VERSION_1_1,
    "HTTP/2.0": decision_pb2.HTTP_VERSION_2,
    "HTTP/3.0": decision_pb2.HTTP_VERSION_3,
}
_BATCH = 256  # decision_service.proto, CheckStreamRequest.observations
# With grpcio's own values a client saw UNAVAILABLE for 0.9 s after the service was back [measured]; with these, for 0.1 s.
_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.http2.bdp_probe", 0),
    # A service that vanished without a word is noticed, not asked for ever.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # A second try would only spend the visitor's time: the budget of a call is 50 ms.
    ("grpc.enable_retries", 0),
)


class Outcome(NamedTuple):
    """What to do with one request.

    `verdict`: `allow`, `challenge` or `block`.  `judged`: Botsieve said so; False: the failure mode did.  `decision`: all that
    Botsieve said (proto botsieve.v1.Decision), None when it judged nothing.  `why`: "" when judged, else what went wrong, such
    as `DEADLINE_EXCEEDED` or `INVALID_ARGUMENT ERROR_REASON_ADDRESS_MALFORMED`: the gateway's own log wants to know.
    """

    verdict: str
    judged: bool
    decision: decision_pb2.Decision | None
    why: str


class BotsieveClient:
    """A synchronous client, safe to share between threads.  Make one for each process, after any fork.

    `target`: `unix:/run/botsieve/grpc.sock` or `127.0.0.1:9483`.  `timeout_s`: what a request may wait at most; above 0.
    `on_failure`: the verdict when nobody judged in time: `allow` (fail open) or `block` (fail closed).  `channel`: used in
    place of a new one (TLS, tests).  Errors: ValueError for a wrong argument.  Nothing is connected before the first check.
    """

    def __init__(
        self, target: str, timeout_s: float = 0.05, on_failure: str = ALLOW, *, channel: grpc.Channel | None = None
    ) -> None:
        if not timeout_s > 0:
            raise ValueError(f"timeout_s is {timeout_s}; accepted: seconds above 0, such as 0.05")
        if on_failure not in (ALLOW, BLOCK):
            raise ValueError(f"on_failure is {on_failure!r}; accepted: 'allow' or 'block'")
        self._channel = channel if channel is not None else grpc.insecure_channel(target, options=_CHANNEL_OPTIONS)
        self._stub = decision_service_pb2_grpc.DecisionServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._timeout_s = timeout_s
        self._on_failure = on_failure

    def check(self, observation: decision_pb2.Observation, *, want_answer: bool = False) -> Outcome:
        """Asks for one request.  `want_answer`: `decision.answer` then holds what to send to the visitor if not allowed."""
        request = decision_service_pb2.CheckRequest(observation=observation, want_answer=want_answer)
        try:
            decision = self._stub.Check(request, timeout=self._timeout_s).decision
        except grpc.RpcError as error:
            return self._unjudged(_why(error))
        return self._judged(decision)

    def check_many(
        self, observations: Iterable[decision_pb2.Observation], *, want_answer: bool = False, timeout_s: float | None = None
    ) -> list[Outcome]:
        """Asks for many requests in one call, 256 a message; one outcome for each, in order.

        `timeout_s`: for all of them, None: that of the client.  What was answered in time is judged, the rest is not.
        """
        asked = list(observations)
        if not asked:
            return []
        batches = (
            decision_service_pb2.CheckStreamRequest(observations=asked[at : at + _BATCH], want_answer=want_answer)
            for at in range(0, len(asked), _BATCH)
        )
        outcomes: list[Outcome] = []
        why = "the answers ended early"
        try:
            for answer in self._stub.CheckStream(batches, timeout=self._timeout_s if timeout_s is None else timeout_s):
                outcomes.extend(map(self._outcome, answer.results))
        except grpc.RpcError as error:
            why = _why(error)
        return [*outcomes, *[self._unjudged(why)] * (len(asked) - len(outcomes))][: len(asked)]

    def _outcome(self, result: decision_service_pb2.CheckResult) -> Outcome:
        if result.WhichOneof("result") == "error":
            reason = error_reason_pb2.ErrorReason
            known = result.error.reason in reason.values()
            return self._unjudged(reason.Name(result.error.reason) if known else "ERROR_REASON_UNSPECIFIED")
        return self._judged(result.decision)

    def _judged(self, decision: decision_pb2.Decision) -> Outcome:
        if decision.verdict not in _WORDS:
            return self._unjudged("unknown verdict")
        return Outcome(_WORDS[decision.verdict], True, decision, "")

    def _unjudged(self, why: str) -> Outcome:
        return Outcome(self._on_failure, False, None, why)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> BotsieveClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def describe(
    *,
    client: str,
    method: str | bytes,
    uri: str | bytes,
    headers: Iterable[tuple[str | bytes, str | bytes]] = (),
    peer: str = "",
    host: str | bytes = b"",
    scheme: str = "",
    http: str = "",
    request_id: str | bytes = b"",
    edge_time_s: float = 0.0,
    sight: Iterable[decision_pb2.Sight] = (),
    tls: decision_pb2.TlsFingerprint | None = None,
) -> decision_pb2.Observation:
    """One request as proto/ wants it, within its bounds: no visitor can make a call fail with an overlong header.

    `client`, `peer`: addresses as text.  `uri`: path and query as sent.  `headers`: in the order of arrival, repeated ones
    repeated; fields beyond the bounds are left out and `headers_cut` is set.  `http`: `HTTP/1.1`, `HTTP/2.0`...; other text
    means not known.  `sight`: what this gateway is able to see (SIGHT_*).  Text is sent as UTF-8, bytes as they are.
    Errors: ValueError when `client` or `peer` is no address.
    """
    kept, cut = _within_bounds(headers)
    name = _bytes(request_id)
    return decision_pb2.Observation(
        client_address=ipaddress.ip_address(client).packed,
        peer_address=ipaddress.ip_address(peer).packed if peer else b"",
        edge_time_s=edge_time_s,
        # Half a name could be another request's: an overlong one is no name.
        request_id=name if len(name) <= bounds.MAX_REQUEST_ID else b"",
        method=_bytes(method)[: bounds.MAX_METHOD],
        scheme=scheme.encode(),
        host=_bytes(host)[: bounds.MAX_HOST],
        uri=_bytes(uri)[: bounds.MAX_URI],
        http_version=_HTTP.get(http, decision_pb2.HTTP_VERSION_UNSPECIFIED),
        headers=kept,
        headers_cut=cut,
        tls=tls,
        sight=sight,
    )


def _within_bounds(headers: Iterable[tuple[str | bytes, str | bytes]]) -> tuple[list[decision_pb2.Header], bool]:
    kept: list[decision_pb2.Header] = []
    cut = False
    total = 0
    for pair in headers:
        name, value = map(_bytes, pair)
        size = len(name) + len(value)
        if (
            len(name) > bounds.MAX_HEADER_NAME
            or len(value) > bounds.MAX_HEADER_VALUE
            or total + size > bounds.MAX_HEADER_BYTES
            or len(kept) == bounds.MAX_HEADERS
        ):
            cut = True
            continue
        total += size
        kept.append(decision_pb2.Header(name=name, value=value))
    return kept, cut


def _bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        # Python hands over bytes that are no UTF-8 as lone surrogates: they are sent as what they were.
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _why(error: grpc.RpcError) -> str:
    code = error.code().name
    metadata: Any = error.trailing_metadata()
    reasons = [str(value) for key, value in metadata or () if key == "botsieve-reason"]
    return " ".join([code, *reasons])
