"""The first table of docs/headers.md, read: what nginx says of a request, as an Observation.

Law of the file: these headers are believed because of where the call comes from; nothing else that begins so is looked at, and no
header that the client could have set by itself (`X-Real-IP`, `X-Forwarded-*`) is read on this path.
"""

from __future__ import annotations

import msgspec

from botsieve.errors import InvalidObservation
from botsieve.observation import (
    DELIVERS_COOKIE,
    MAX_FINGERPRINT,
    MAX_HOST,
    MAX_ORDER,
    MAX_REQUEST_ID,
    MAX_URI,
    SEES_ACCEPT_ENCODING,
    SEES_ALL_HEADERS,
    SEES_HTTP_VERSION,
    SIGHT_WORDS,
    Observation,
    classify,
    pack_address,
    resolved,
)
from botsieve.remembered import Remembered

# An edge's clock that is further away than this is not believed (proto, Observation.edge_time_s).
MAX_SKEW_S = 5.0

CLIENT_ADDR = b"x-botsieve-client-addr"
_BASE_SIGHT = SEES_ALL_HEADERS | SEES_ACCEPT_ENCODING | SEES_HTTP_VERSION  # what nginx always shows

_sights: dict[bytes, int] = {}
_packed: Remembered[bytes, bytes] = Remembered(16_384)


class Shared(msgspec.Struct, frozen=True):
    """What many requests of one site and kind of client have in common: their header fields, and what they say.  `sees`: SEES_*."""

    headers: dict[bytes, bytes]
    method: bytes
    host: bytes
    scheme: bytes
    http: bytes
    sees: int
    ja3: bytes
    ja4: bytes
    tls_sig: bytes
    tls_error: bytes
    header_order: bytes


def shared_of(headers: dict[bytes, bytes]) -> Shared:
    """What these say of site and client.  `headers`: lower-case names."""
    get = headers.get
    ja4 = get(b"x-ja4-fingerprint", b"")[:64]
    return Shared(
        headers,
        get(b"x-botsieve-method", b"")[:32],
        get(b"x-botsieve-host", b"")[:MAX_HOST],
        get(b"x-botsieve-scheme", b"")[:8],
        get(b"x-botsieve-http", b"")[:8],
        _sight(get(b"x-botsieve-edge", b"")),
        get(b"x-ja3-fingerprint", b"")[:64],
        ja4,
        get(b"x-botsieve-tls-sig", b"")[:64] or ja4,
        get(b"x-botsieve-tls-error", b"")[:64],
        get(b"x-botsieve-header-order", b"")[:MAX_ORDER],
    )


def observation_of(headers: dict[bytes, bytes], now_s: float, edge: str = "nginx", sight: int | None = None) -> Observation:
    """The request that the edge asks about.  `headers`: lower-case names.  `sight`: configured SEES_* bits, None: the edge says.

    Errors: InvalidObservation for a required header that is missing or malformed: an edge fault.
    """
    return completed(shared_of(headers), headers, now_s, edge, sight)


def completed(shared: Shared, headers: dict[bytes, bytes], now_s: float, edge: str, sight: int | None) -> Observation:
    """The same, of what was read before.  `headers`: all of them."""
    address = headers.get(CLIENT_ADDR)
    uri = headers.get(b"x-botsieve-uri")
    method = shared.method
    if not address or not method or not uri:
        raise _missing(address, method)
    if len(uri) > MAX_URI:
        uri = uri[:MAX_URI]
    client = _packed.get(address) or _pack(address)
    peer_text = headers.get(b"x-botsieve-peer-addr")
    peer = client if not peer_text or peer_text == address else _packed.get(peer_text) or _pack(peer_text)
    sent, _, query = uri.partition(b"?")
    path = resolved(sent)
    request_id = headers.get(b"x-botsieve-request-id", b"")
    sees = shared.sees
    return Observation(
        client,
        peer,
        _edge_time(headers.get(b"x-botsieve-time"), now_s),
        method,
        uri,
        path,
        query,
        headers,
        classify(method, path, headers),
        edge,
        shared.host,
        shared.scheme,
        shared.http,
        request_id if len(request_id) <= MAX_REQUEST_ID else request_id[:MAX_REQUEST_ID],
        sees if sight is None else sight | (sees & DELIVERS_COOKIE),
        None,
        shared.ja3,
        shared.ja4,
        shared.tls_sig,
        shared.tls_error,
        shared.header_order,
    )


def _pack(text: bytes) -> bytes:
    packed = pack_address(text.decode("latin-1"))
    _packed.put(text, packed)
    return packed


def _missing(address: bytes | None, method: bytes | None) -> InvalidObservation:
    name = "Client-Addr" if not address else "Method" if not method else "Uri"
    return InvalidObservation(
        "FIELD_MISSING",
        f"X-Botsieve-{name}",
        f"X-Botsieve-{name} is missing; accepted: every header of docs/headers.md that is required",
    )


def _edge_time(text: bytes | None, now_s: float) -> float:
    if text is None:
        return now_s
    try:
        time_s = float(text)
    except ValueError:
        return now_s
    return time_s if -MAX_SKEW_S <= time_s - now_s <= MAX_SKEW_S else now_s


def _sight(text: bytes) -> int:
    """What the edge says that it sees.  Whether it delivers a cookie depends on the location: only it can say."""
    known = _sights.get(text)
    if known is None:
        known = _BASE_SIGHT
        for word in text[:MAX_FINGERPRINT].decode("latin-1").split()[1:9]:
            known |= SIGHT_WORDS.get(word, 0)
        if len(_sights) < 64:  # an edge has one or two of these; a bound all the same
            _sights[text] = known
    return known
