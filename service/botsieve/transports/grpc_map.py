"""The gRPC contract in our own values and back: proto Observation to Observation, Decision to proto Decision.

Law of the file: any proto message gives an Observation or InvalidObservation.  An error is the gateway's mistake and holds no
byte of a client; what only a client can influence (odd bytes, an unknown scheme) is judged.  Bounds and meanings are those of
proto/botsieve/v1/decision.proto; what is absent there is "not known" here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

import msgspec

from botsieve import observation as seen
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, ENFORCE, MONITOR, Decision, Measure, Signal
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation, canonical_path, classify, widen_address
from botsieve.remembered import Answers
from botsieve.v1 import decision_pb2 as pb

EDGE = "grpc"

# Bounds of decision.proto that only this edge knows, in bytes.
MAX_TLS_ERROR, MAX_LEASE_ID, MAX_MD5 = 64, 16, 32
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
    ("ja3_md5", MAX_MD5),
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
_NONE: frozenset[bytes] = frozenset()
_NO_TLS = (b"", b"", b"", b"")
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


class _Names(msgspec.Struct, frozen=True, gc=False):
    """What a list of header names means.  `size`: bytes of all of them.  `are_plain`: each is there once, is within its bound
    and is the client's.  `shown`: the names whose absence means something when these came and not everything is shown.
    """

    lower: tuple[bytes, ...]
    size: int
    are_plain: bool
    shown: frozenset[bytes]


def _names_of(names: tuple[bytes, ...]) -> _Names:
    lower = tuple([name.lower() for name in names])
    are_plain = len(set(lower)) == len(lower) and all(
        0 < len(name) <= seen.MAX_HEADER_NAME and not name.startswith(_NOT_THE_CLIENTS) for name in lower
    )
    return _Names(lower, sum(map(len, lower)), are_plain, _SHOWN.union(lower))


# Every visitor with one browser sends the same list, so it is worked out once.  Who invents names pays for them and pushes
# only such lists out; what is held has 40 names and 1 KiB of them, so all of it at most 4 MiB.
_names = Answers(256, _names_of, lambda names: len(names) <= 40 and sum(map(len, names)) <= 1024)


def to_observation(message: pb.Observation, *, now_s: float, sees: int = 0) -> Observation:
    """What a gateway told, checked and completed.

    `now_s`: the service's clock, seconds since 1970.  `sees`: SEES_* bits of the edge's profile, for a message without `sight`.
    Errors: InvalidObservation.  Cost: 11 us for a browser's 14 header fields, most of it reading the message.
    """
    client = _address(message.client_address, "client_address")
    peer = _address(message.peer_address, "peer_address") if message.peer_address else client
    uri, host, request_id, order = message.uri, message.host, message.request_id, message.header_order
    # Which of them it was is looked up only when it is asked for.
    if (
        len(uri) > seen.MAX_URI
        or len(host) > seen.MAX_HOST
        or len(request_id) > seen.MAX_REQUEST_ID
        or len(order) > seen.MAX_ORDER
        or len(message.lease_id) > MAX_LEASE_ID
    ):
        _check_bounds(message, _LIMITS)
    headers, duplicated, shown = to_headers(message.headers)
    sight = (_sight(message.sight) if message.sight else sees) | seen.DELIVERS_COOKIE
    headers_seen: frozenset[bytes] | None = shown
    if message.headers_cut:
        headers_seen = frozenset(headers)
    elif sight & seen.SEES_ACCEPT_ENCODING:
        headers_seen = None
        sight |= seen.SEES_ALL_HEADERS
    ja3, ja4, tls_sig, tls_error = _tls(message.tls) if message.HasField("tls") else _NO_TLS
    scheme = message.scheme
    method, scheme = message.method, message.scheme
    if not method or not uri or len(method) > seen.MAX_METHOD:
        _check_required(method, uri)
    path = canonical_path(uri)
    # By position: to name these arguments costs 3 us.
    return Observation(
        client,
        peer,
        _edge_time_s(message.edge_time_s, now_s),
        method,
        uri,
        path,
        uri.partition(b"?")[2],
        headers,
        classify(method, path, headers, accept_seen=headers_seen is None or b"accept" in headers_seen),
        EDGE,
        _host(host),
        scheme if scheme in _SCHEMES else b"",
        _HTTP.get(message.http_version, b""),
        request_id,
        sight,
        headers_seen,
        ja3,
        ja4,
        tls_sig,
        tls_error,
        order,
        duplicated,
    )


def to_headers(fields: Sequence[pb.Header]) -> tuple[dict[bytes, bytes], frozenset[bytes], frozenset[bytes]]:
    """Lower-case names with the first value of each, the names that came more than once, and `shown` of `_Names`.

    Several Cookie fields are one list in HTTP/2 (RFC 9113 section 8.2.3) and are joined.  Pseudo-header fields (`:path`) and
    what only an edge may say (`X-Botsieve-*`) are left out.  Errors: InvalidObservation for more than the proto allows.
    """
    if len(fields) > seen.MAX_HEADERS:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"there are {len(fields)} header fields; accepted: at most {seen.MAX_HEADERS}, others cut and headers_cut set",
        )
    pairs = [(field.name, field.value) for field in fields]
    names = _names[tuple([name for name, _ in pairs])]
    values = [value for _, value in pairs]
    total = names.size + sum(map(len, values))
    # No value is longer than all of them, so most requests need no look at each.
    if total > seen.MAX_HEADER_VALUE:
        for value in values:
            _bounded(value, "headers.value", seen.MAX_HEADER_VALUE)
    if total > seen.MAX_HEADER_BYTES:
        raise InvalidObservation(
            "TOO_MANY_HEADERS",
            "headers",
            f"the header fields have {total} bytes; accepted: at most {seen.MAX_HEADER_BYTES}, others cut and headers_cut set",
        )
    if names.are_plain:
        return dict(zip(names.lower, values, strict=True)), _NONE, names.shown
    return _sorted_out(names.lower, values)


def _sorted_out(lower: tuple[bytes, ...], values: list[bytes]) -> tuple[dict[bytes, bytes], frozenset[bytes], frozenset[bytes]]:
    """`to_headers` for names that are repeated, overlong, empty or not the client's."""
    headers: dict[bytes, bytes] = {}
    duplicated: set[bytes] = set()
    for name, value in zip(lower, values, strict=True):
        _bounded(name, "headers.name", seen.MAX_HEADER_NAME)
        if not name or name.startswith(_NOT_THE_CLIENTS):
            continue
        if name not in headers:
            headers[name] = value
        elif name == b"cookie":
            headers[name] += b"; " + value
        else:
            duplicated.add(name)
    return headers, frozenset(duplicated), _SHOWN.union(headers)


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


def _check_required(method: bytes, uri: bytes) -> None:
    for field, value, example in (("method", method, "GET"), ("uri", uri, "/items/17?ref=a")):
        if not value:
            raise InvalidObservation("FIELD_MISSING", field, f"{field} is empty; accepted: it as sent, such as {example}")
    _bounded(method, "method", seen.MAX_METHOD)


def _check_bounds(message: pb.Observation | pb.TlsFingerprint, limits: tuple[tuple[str, int], ...], prefix: str = "") -> None:
    for field, limit in limits:
        _bounded(getattr(message, field), prefix + field, limit)


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


def _tls(tls: pb.TlsFingerprint) -> tuple[bytes, bytes, bytes, bytes]:
    """JA3 as MD5, JA4, stable form, error.  Errors: InvalidObservation for an overlong one."""
    ja3, md5, ja4, tls_sig, error = tls.ja3, tls.ja3_md5, tls.ja4, tls.tls_sig, tls.error
    if len(md5) > MAX_MD5 or len(error) > MAX_TLS_ERROR or len(ja3) + len(ja4) + len(tls_sig) > seen.MAX_FINGERPRINT:
        _check_bounds(tls, _TLS_LIMITS, "tls.")
    return _ja3(ja3, md5.lower()), ja4, tls_sig or ja4, error


def _ja3(text: bytes, md5: bytes) -> bytes:
    """The MD5 form, from the string where only that was told; b"" for what is no MD5."""
    if not md5 and text:
        return hashlib.md5(text, usedforsecurity=False).hexdigest().encode()
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
