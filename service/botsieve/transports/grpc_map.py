"""The gRPC contract in our own values and back: proto Observation to Observation, Decision to proto Decision.

Law of the file: any proto message gives an Observation or InvalidObservation.  An error is the gateway's mistake and holds no
byte of a client; what only a client can influence (odd bytes, an unknown scheme) is judged.  Bounds and meanings are those of
proto/botsieve/v1/decision.proto; what is absent there is "not known" here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Protocol

from botsieve import observation as seen
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, ENFORCE, MONITOR, Decision, Measure, Signal
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation, make_observation, widen_address
from botsieve.v1 import decision_pb2 as pb

EDGE = "grpc"

# Bounds of decision.proto that only this edge knows, in bytes.
MAX_TLS_ERROR, MAX_LEASE_ID = 64, 16
# An edge's clock further away than this is not used (decision.proto, `edge_time_s`).
MAX_CLOCK_APART_S = 5.0

_LIMITS = (
    ("request_id", seen.MAX_REQUEST_ID),
    ("host", seen.MAX_HOST),
    ("uri", seen.MAX_URI),
    ("header_order", seen.MAX_ORDER),
    ("lease_id", MAX_LEASE_ID),
)
_TLS_LIMITS = (
    ("ja3", seen.MAX_FINGERPRINT),
    ("ja3_md5", 32),
    ("ja4", seen.MAX_FINGERPRINT),
    ("tls_sig", seen.MAX_FINGERPRINT),
    ("error", MAX_TLS_ERROR),
)
_SIGHT: dict[int, int] = {
    pb.SIGHT_TLS: seen.SEES_TLS,
    pb.SIGHT_HEADER_ORDER: seen.SEES_HEADER_ORDER,
    pb.SIGHT_HEADER_CASE: seen.SEES_HEADER_CASE,
    pb.SIGHT_ACCEPT_ENCODING: seen.SEES_ACCEPT_ENCODING,
    pb.SIGHT_HTTP_VERSION: seen.SEES_HTTP_VERSION,
}
_HTTP = {
    pb.HTTP_VERSION_1_0: b"HTTP/1.0",
    pb.HTTP_VERSION_1_1: b"HTTP/1.1",
    pb.HTTP_VERSION_2: b"HTTP/2.0",
    pb.HTTP_VERSION_3: b"HTTP/3.0",
}
_VERDICTS = {ALLOW: pb.VERDICT_ALLOW, CHALLENGE: pb.VERDICT_CHALLENGE, BLOCK: pb.VERDICT_BLOCK}
_MODES = {MONITOR: pb.MODE_MONITOR, ENFORCE: pb.MODE_ENFORCE}
_SUBJECTS = {
    "address": pb.SUBJECT_ADDRESS,
    "network": pb.SUBJECT_NETWORK,
    "fingerprint": pb.SUBJECT_FINGERPRINT,
    "client": pb.SUBJECT_CLIENT,
    "session": pb.SUBJECT_SESSION,
    "device": pb.SUBJECT_DEVICE,
    "site": pb.SUBJECT_SITE,
}
# What a gateway passes on as the client sent it.  Accept-Encoding is not among it: Go proxies add one of their own.
_SHOWN = frozenset(
    b"accept accept-language cookie origin referer sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode "
    b"sec-fetch-site sec-fetch-user sec-purpose upgrade-insecure-requests user-agent x-requested-with".split()
)
_SCHEMES = frozenset([b"http", b"https"])
_MD5 = re.compile(rb"[0-9a-f]{32}")
_PORT = re.compile(rb":[0-9]{0,5}\Z")
# No header fields of a client: pseudo-header fields of HTTP/2, and what an edge says and nobody else (docs/headers.md).
_NOT_THE_CLIENTS = (b":", b"x-botsieve-", b"x_botsieve_", b"x-ja3-fingerprint", b"x-ja4-fingerprint")


class Answer(Protocol):
    """The complete HTTP answer in place of the application's."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def body(self) -> bytes: ...


def to_observation(message: pb.Observation, *, now_s: float, sees: int = 0) -> Observation:
    """What a gateway told, checked and completed.

    `now_s`: the service's clock, seconds since 1970.  `sees`: SEES_* bits of the edge's profile, for a message without `sight`.
    Errors: InvalidObservation.
    """
    client = _address(message.client_address, "client_address")
    peer = _address(message.peer_address, "peer_address") if message.peer_address else client
    for field, limit in _LIMITS:
        _bounded(getattr(message, field), field, limit)
    headers, duplicated = to_headers(message.headers)
    sight = _sight(message.sight) if message.sight else sees
    headers_seen = _headers_seen(headers, sight, is_cut=message.headers_cut)
    tls = message.tls
    ja3 = _ja3(tls)
    for field, limit in _TLS_LIMITS:
        _bounded(getattr(tls, field), f"tls.{field}", limit)
    return make_observation(
        client=client,
        peer=peer,
        method=message.method,
        uri=message.uri,
        headers=headers,
        headers_seen=headers_seen,
        edge_time_s=_edge_time_s(message.edge_time_s, now_s),
        edge=EDGE,
        host=_host(message.host),
        scheme=message.scheme if message.scheme in _SCHEMES else b"",
        http=_HTTP.get(message.http_version, b""),
        request_id=message.request_id,
        sight=sight | seen.SEES_ALL_HEADERS if headers_seen is None else sight,
        ja3=ja3,
        ja4=tls.ja4,
        tls_sig=tls.tls_sig or tls.ja4,
        tls_error=tls.error,
        header_order=message.header_order,
        duplicated=duplicated,
    )


def to_headers(fields: Sequence[pb.Header]) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """Lower-case names with the first value of each, and the names that came more than once.

    Several Cookie fields are one list in HTTP/2 (RFC 9113 section 8.2.3) and are joined.  Pseudo-header fields (`:path`) and
    what only an edge may say (`X-Botsieve-*`) are left out.  Errors: InvalidObservation for more than the proto allows.
    """
    if len(fields) > seen.MAX_HEADERS:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"there are {len(fields)} header fields; accepted: at most {seen.MAX_HEADERS}, others cut and headers_cut set",
        )
    headers: dict[bytes, bytes] = {}
    duplicated: set[bytes] = set()
    total = 0
    for field in fields:
        name, value = field.name.lower(), field.value
        _bounded(name, "headers.name", seen.MAX_HEADER_NAME)
        _bounded(value, "headers.value", seen.MAX_HEADER_VALUE)
        total += len(name) + len(value)
        if not name or name.startswith(_NOT_THE_CLIENTS):
            continue
        if name not in headers:
            headers[name] = value
        elif name == b"cookie":
            headers[name] += b"; " + value
        else:
            duplicated.add(name)
    if total > seen.MAX_HEADER_BYTES:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"the header fields have {total} bytes; accepted: at most {seen.MAX_HEADER_BYTES}, others cut and headers_cut set",
        )
    return headers, frozenset(duplicated)


def _address(packed: bytes, field: str) -> bytes:
    if not packed:
        raise InvalidObservation("FIELD_MISSING", field, f"{field} is empty; accepted: 4 or 16 bytes in network byte order")
    if len(packed) not in (4, 16):
        raise InvalidObservation(
            "ADDRESS_MALFORMED", field, f"{field} has {len(packed)} bytes; accepted: 4 or 16 in network byte order, never text"
        )
    return widen_address(packed)


def _bounded(value: bytes, field: str, limit: int) -> None:
    if len(value) > limit:
        raise InvalidObservation("FIELD_TOO_LONG", field, f"{field} has {len(value)} bytes; accepted: at most {limit}")


def _edge_time_s(told_s: float, now_s: float) -> float:
    # NaN fails every comparison, so it ends at the time of arrival too.
    return told_s if abs(told_s - now_s) <= MAX_CLOCK_APART_S else now_s


def _host(host: bytes) -> bytes:
    """As nginx's $host: lower case, without port and final dot.  A gateway that passes the Host header on forgets all three."""
    host = host.lower()
    if b":" in host and (host.startswith(b"[") or host.count(b":") == 1):
        host = _PORT.sub(b"", host)
    return host.removesuffix(b".")


def _sight(values: Sequence[int]) -> int:
    bits = 0
    for value in values:
        bits |= _SIGHT.get(value, 0)
    return bits


def _headers_seen(headers: Collection[bytes], sight: int, *, is_cut: bool) -> frozenset[bytes] | None:
    """The names whose absence means something: all (None), or those that came, with or without what a gateway always shows."""
    if is_cut:
        return frozenset(headers)
    return None if sight & seen.SEES_ACCEPT_ENCODING else _SHOWN.union(headers)


def _ja3(tls: pb.TlsFingerprint) -> bytes:
    """The MD5 form, from the string where only that was told; b"" for what is no MD5."""
    md5 = tls.ja3_md5.lower()
    if not md5 and tls.ja3 and len(tls.ja3) <= seen.MAX_FINGERPRINT:
        return hashlib.md5(tls.ja3, usedforsecurity=False).hexdigest().encode()
    return md5 if _MD5.fullmatch(md5) else b""


def to_decision(decision: Decision, answer: Answer | None = None) -> pb.Decision:
    """A decision as the proto says it; `answer` is what the client is to get, if it was asked for and is not allow."""
    return pb.Decision(
        id=decision.id,
        verdict=_VERDICTS[decision.verdict],
        would_be=_VERDICTS[decision.would_be],
        mode=_MODES[decision.mode],
        score=decision.score,
        signals=[_signal(signal) for signal in decision.signals],
        policy=decision.policy,
        rule=decision.rule,
        config=decision.config,
        retry_after_s=decision.retry_after_s,
        set_cookie=decision.set_cookie,
        answer=None if answer is None else _answer(answer),
    )


def _signal(signal: Signal) -> pb.Signal:
    return pb.Signal(
        id=signal.id,
        points=signal.points,
        detail=signal.detail,
        subject=_SUBJECTS.get(signal.subject, pb.SUBJECT_UNSPECIFIED),
        measures=[_measure(measure) for measure in signal.measures],
        attack_type=signal.attack_type,
    )


def _measure(measure: Measure) -> pb.Measure:
    return pb.Measure(name=measure.name, value=measure.value, limit=measure.limit)


def _answer(answer: Answer) -> pb.Answer:
    headers = [pb.Header(name=name.encode("latin-1"), value=value.encode("latin-1")) for name, value in answer.headers]
    return pb.Answer(status=answer.status, headers=headers, body=answer.body)
