"""What a gateway tells over gRPC in our own values: proto Observation to Observation.

Law of the file: any proto message gives an Observation or InvalidObservation.  An error is the gateway's mistake and holds no
byte of a client; what only a client can influence (odd bytes, an unknown scheme) is judged.  Bounds and meanings are those of
proto/botsieve/v1/decision.proto; what is absent there is "not known" here.
"""

from __future__ import annotations

import hashlib
import re

from botsieve import observation as seen
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation, classify, resolved, widen_address
from botsieve.remembered import Answers
from botsieve.transports.grpc_headers import of_block, shown_beside, to_headers
from botsieve.transports.grpc_lean import parsed
from botsieve.transports.grpc_wire import Sent, sent
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
_HTTP: dict[int, bytes] = {
    pb.HTTP_VERSION_1_0: b"HTTP/1.0",
    pb.HTTP_VERSION_1_1: b"HTTP/1.1",
    pb.HTTP_VERSION_2: b"HTTP/2.0",
    pb.HTTP_VERSION_3: b"HTTP/3.0",
}
_MD5 = re.compile(rb"[0-9a-f]{32}")
_PORT = re.compile(rb":[0-9]{0,5}\Z")


def to_observation(raw: bytes, *, now_s: float, sees: int = 0) -> Observation:
    """What a gateway told, checked and completed.

    `raw`: an Observation of the proto.  `now_s`: the service's clock, seconds since 1970.  `sees`: SEES_* bits of the edge's
    profile, for a message without `sight`.  Errors: InvalidObservation.  Cost: 3 us for a browser's 14 header fields, 9 us in the
    plain form.
    """
    message = sent(raw)
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
    block = message.block
    headers, duplicated = of_block(block) if block else to_headers(message.headers)
    last = _LAST
    if message.sight != last.told_sight:
        last.sight, last.told_sight = _SIGHTS[message.sight], message.sight
    sight = (last.sight if message.sight else sees) | seen.DELIVERS_COOKIE
    headers_seen: frozenset[bytes] | None = None
    if message.headers_cut:
        headers_seen = frozenset(headers)
    elif sight & seen.SEES_ACCEPT_ENCODING:
        sight |= seen.SEES_ALL_HEADERS
    else:
        headers_seen = shown_beside(headers)
    if message.tls != last.told_tls:
        last.tls, last.told_tls = _FINGERPRINTS[message.tls], message.tls
    ja3, ja4, tls_sig, tls_error = last.tls
    if host != last.told_host:
        last.host, last.told_host = _HOSTS[host], host
    method, scheme = message.method, message.scheme
    if not method or not uri or len(method) > seen.MAX_METHOD:
        _check_required(method, uri)
    target, _, query = uri.partition(b"?")
    path = resolved(target)
    # By position: to name these arguments costs 3 us.
    return Observation(
        client,
        peer,
        _edge_time_s(message.edge_time_s, now_s),
        method,
        uri,
        path,
        query,
        headers,
        classify(method, path, headers, accept_seen=headers_seen is None or b"accept" in headers_seen),
        EDGE,
        last.host,
        scheme if scheme == b"https" or scheme == b"http" else b"",  # in a set it would be hashed first
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


def _check_bounds(message: Sent | pb.TlsFingerprint, limits: tuple[tuple[str, int], ...], prefix: str = "") -> None:
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


def _sight(values: bytes) -> int:
    bits = 0
    for value in values:
        bits |= _SIGHT.get(value, 0)
    return bits


def _tls(raw: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """JA3 as MD5, JA4, stable form, error of a TlsFingerprint.  Errors: InvalidObservation for an overlong one."""
    tls: pb.TlsFingerprint = parsed(pb.TlsFingerprint, raw)
    ja3, md5, ja4, tls_sig, error = tls.ja3, tls.ja3_md5, tls.ja4, tls.tls_sig, tls.error
    if len(md5) > MAX_MD5 or len(error) > MAX_TLS_ERROR or len(ja3) + len(ja4) + len(tls_sig) > seen.MAX_FINGERPRINT:
        _check_bounds(tls, _TLS_LIMITS, "tls.")
    return _ja3(ja3, md5.lower()), ja4, tls_sig or ja4, error


def _ja3(text: bytes, md5: bytes) -> bytes:
    """The MD5 form, from the string where only that was told; b"" for what is no MD5."""
    if not md5 and text:
        return hashlib.md5(text, usedforsecurity=False).hexdigest().encode()
    return md5 if _MD5.fullmatch(md5) else b""


# The same for every request of a gateway, a site, a connection.  Together at most 3 MiB.
_SIGHTS = Answers(64, _sight, lambda values: len(values) <= 16)
_HOSTS = Answers(1024, _host, lambda host: len(host) <= 64)
_FINGERPRINTS = Answers(1024, _tls, lambda raw: len(raw) <= 512)


class _Last:
    """What was told last, and what it means: mostly the next is told the same, and to see that costs a tenth of looking it up."""

    __slots__ = ("host", "sight", "tls", "told_host", "told_sight", "told_tls")

    def __init__(self) -> None:
        self.told_sight = self.told_tls = self.told_host = self.host = b""
        self.sight = 0
        self.tls = (b"", b"", b"", b"")


_LAST: _Last = _Last()
