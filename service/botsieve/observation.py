"""What the edge saw of one request.  The only parser of outside data: HTTP, gRPC, log lines and case files all end here.

Law of the file: any bytes that a web server lets through give an Observation; a mistake of the edge gives InvalidObservation;
nothing else is ever raised.  Whatever a client wrote stays `bytes`, unchanged, until a sink renders it.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote_to_bytes

import msgspec

from botsieve.errors import InvalidObservation

# What an edge can see (docs/headers.md, proto Sight).  What it cannot see is never evidence.
SEES_TLS = 1
SEES_HEADER_ORDER = 2
SEES_HEADER_CASE = 4
SEES_ACCEPT_ENCODING = 8
SEES_HTTP_VERSION = 16
SEES_ALL_HEADERS = 32
# No sight, but said in the same place: what the service sets as a cookie reaches the visitor beside the application's answer.
DELIVERS_COOKIE = 64
# The words of `X-Botsieve-Edge` and of `edges.*.sees`.
SIGHT_WORDS = {
    "tls": SEES_TLS,
    "order": SEES_HEADER_ORDER,
    "header_order": SEES_HEADER_ORDER,
    "header_case": SEES_HEADER_CASE,
    "accept_encoding": SEES_ACCEPT_ENCODING,
    "http_version": SEES_HTTP_VERSION,
    "cookie": DELIVERS_COOKIE,
}

# Kinds of request (docs/names.md).
NAVIGATION, SUBRESOURCE, XHR, API, FEED, PREFLIGHT, OTHER = (
    "navigation",
    "subresource",
    "xhr",
    "api",
    "feed",
    "preflight",
    "other",
)
KINDS = (NAVIGATION, SUBRESOURCE, XHR, API, FEED, PREFLIGHT, OTHER)
# Page views and data calls: what behaviour looks at.
COUNTED_KINDS = frozenset({NAVIGATION, XHR, API})

# Bounds of proto/botsieve/v1/decision.proto, in bytes.
MAX_METHOD, MAX_HOST, MAX_URI, MAX_REQUEST_ID, MAX_ORDER = 32, 255, 16384, 64, 32
MAX_HEADERS, MAX_HEADER_BYTES, MAX_HEADER_NAME, MAX_HEADER_VALUE = 200, 65536, 256, 16384
MAX_FINGERPRINT = 4096

_SLASH, _DOT, _PERCENT, _HASH = 0x2F, 0x2E, 0x25, 0x23
_SHORT = 64  # letters of a path

_MAPPED = b"\0" * 10 + b"\xff\xff"
# A byte of an IPv4 address as it is written, and in no other way.
_OCTETS = {str(number): number for number in range(256)}
DIGITS = [str(number) for number in range(256)]  # the other way round

# Files that a page pulls in: behaviour never looks at them, whatever fetched them (players and maps fetch by script).
_STATIC_ENDINGS = frozenset(
    b"avif bmp css cur eot gif heic ico jpeg jpg js m3u8 m4a m4s map mjs mp3 mp4 mpd mvt ogg opus otf pbf png svg ts ttf vtt wasm wav "
    b"webm webmanifest webp woff woff2".split()
)
_FEED_ENDINGS = frozenset([b"rss", b"atom"])
_FEED_NAMES = frozenset([b"feed", b"feeds", b"rss", b"atom.xml", b"rss.xml", b"feed.xml", b"index.rdf"])
_SUBRESOURCE_DESTS = frozenset(
    b"audio audioworklet embed font image manifest object paintworklet report script serviceworker sharedworker style track video "
    b"webidentity worker xslt".split()
)
_FRAME_DESTS = frozenset([b"iframe", b"frame"])
_DOCUMENT_DESTS = _FRAME_DESTS | {b"document"}
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain")  # what <form> can send


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One request as the edge saw it.  Nothing in it is a judgement.

    `client`, `peer`: 16 packed bytes, IPv4 as IPv4-mapped.  `uri`: path and query as sent.  `path`: decoded, canonical.
    `query`: as sent, without `?`.  `headers`: lower-case names, the first value of each, bytes as sent.  `http`: `HTTP/2.0`
    or "" (not known).  `sight`: SEES_* bits and DELIVERS_COOKIE.  `headers_seen`: the names that this edge is able to show, None for all.
    `edge_time_s`: seconds since 1970, the edge's clock.  Empty text or bytes mean absent.
    """

    client: bytes
    peer: bytes
    edge_time_s: float
    method: bytes
    uri: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    kind: str
    edge: str = "nginx"
    host: bytes = b""
    scheme: bytes = b""
    http: bytes = b""
    request_id: bytes = b""
    sight: int = 0
    headers_seen: frozenset[bytes] | None = None
    ja3: bytes = b""
    ja4: bytes = b""
    tls_sig: bytes = b""
    tls_error: bytes = b""
    header_order: bytes = b""
    duplicated: frozenset[bytes] = frozenset()

    def header(self, name: bytes) -> bytes:
        """The first value of a header, b"" if it was not sent or not seen."""
        return self.headers.get(name, b"")

    def lacks(self, name: bytes) -> bool:
        """The header was not sent (or is empty), and this edge would have shown it: absence is then a fact."""
        if self.headers.get(name):
            return False
        return self.headers_seen is None or name in self.headers_seen

    @property
    def user_agent(self) -> bytes:
        """The User-Agent, b"" if absent."""
        return self.headers.get(b"user-agent", b"")

    @property
    def behind_proxy(self) -> bool:
        """Somebody between the client and the edge opened the connection: the TLS fingerprint is that one's."""
        return self.peer != self.client

    @property
    def has_fingerprint(self) -> bool:
        """There is a TLS fingerprint and it is the client's own."""
        return bool(self.ja4) and self.peer == self.client

    @property
    def is_counted(self) -> bool:
        """A page view or data call of the client itself: what behaviour looks at."""
        return self.kind in COUNTED_KINDS and not self.is_prefetch

    @property
    def is_prefetch(self) -> bool:
        """The browser fetched it ahead of the person (Sec-Purpose, or the older Purpose and X-Moz)."""
        headers = self.headers
        if b"sec-purpose" in headers:
            return b"prefetch" in headers[b"sec-purpose"]
        return headers.get(b"purpose") == b"prefetch" or headers.get(b"x-moz") == b"prefetch"

    @property
    def is_foreign(self) -> bool:
        """A cross-site request that is no top-level navigation: anybody's page can make a visitor's browser send it."""
        if self.headers.get(b"sec-fetch-site") != b"cross-site":
            return False
        return self.kind != NAVIGATION or self.headers.get(b"sec-fetch-dest") in _FRAME_DESTS

    @property
    def is_upgrade(self) -> bool:
        """It says that it opens a WebSocket.  Only the answer shows whether it does: an application without one sends a page."""
        return self.kind == OTHER and b"upgrade" in self.headers

    @property
    def is_ambiguous(self) -> bool:
        """Somebody behind us may read another path than we do: `..;` is `..` to servlets, `\\` is `/` to a WHATWG parser, and some
        decode twice, or read on behind a `#`.  Such a path is an exception for nobody.
        """
        return _AMBIGUOUS.search(self.path) is not None or self.uri.find(b"#") >= 0

    @property
    def is_embedded_file(self) -> bool:
        """A file (by its ending) that a page of another host pulls in: a picture, a style, a font."""
        if self.kind != SUBRESOURCE or self.headers.get(b"sec-fetch-site") not in (b"cross-site", b"same-site"):
            return False
        return self.path[self.path.rfind(b".") + 1 :].lower() in _STATIC_ENDINGS and self.method == b"GET"

    @property
    def wants_document(self) -> bool:
        """A page can be shown as the answer (docs/headers.md, "The second hop")."""
        dest = self.headers.get(b"sec-fetch-dest")
        if dest and dest != b"empty":
            return dest == b"document" or dest in _DOCUMENT_DESTS
        if b"text/html" not in self.headers.get(b"accept", b""):
            return False
        if dest:  # a service worker passes a page load on
            return self.headers.get(b"sec-fetch-mode") == b"navigate"
        # No Fetch Metadata: plain http, and browsers of before 2023.  Their forms show pages too.
        is_form = self.method == b"POST" and self.headers.get(b"content-type", b"").startswith(_FORMS)
        return (self.method == b"GET" or is_form) and self.kind != XHR

    @property
    def network(self) -> bytes:
        """The /24 of an IPv4 client (15 bytes) or the /48 of an IPv6 client (6 bytes)."""
        return network_of(self.client)


def network_of(address: bytes) -> bytes:
    """The /24 (15 bytes) or /48 (6 bytes) of a packed address."""
    return address[:15] if address.startswith(_MAPPED) else address[:6]


def pack_address(text: str) -> bytes:
    """An address in text form as 16 bytes, IPv4 as IPv4-mapped.

    Errors: InvalidObservation(ADDRESS_MALFORMED) for anything else, `unix:` and zone ids included.
    """
    try:
        parts = text.split(".")
        if len(parts) == 4 and ":" not in text:
            # The common case, twenty times faster than ipaddress; it refuses what ipaddress refuses.
            return _MAPPED + bytes([_OCTETS[parts[0]], _OCTETS[parts[1]], _OCTETS[parts[2]], _OCTETS[parts[3]]])
        if "%" in text:
            raise ValueError(text)
        return ipaddress.IPv6Address(text).packed
    except (ValueError, KeyError):
        raise InvalidObservation(
            "ADDRESS_MALFORMED",
            "client_address",
            "the client's address is no IPv4 or IPv6 address; accepted: 203.0.113.7, 2001:db8::7",
        ) from None


def widen_address(packed: bytes) -> bytes:
    """4 or 16 address bytes as 16.  Errors: InvalidObservation(ADDRESS_MALFORMED) for any other length."""
    if len(packed) == 16:
        return packed
    if len(packed) == 4:
        return _MAPPED + packed
    raise InvalidObservation("ADDRESS_MALFORMED", "client_address", f"an address has {len(packed)} bytes; accepted: 4 or 16")


def address_text(packed: bytes) -> str:
    """A packed address as people write it."""
    if len(packed) == 16 and packed[:12] == _MAPPED:
        return f"{DIGITS[packed[12]]}.{DIGITS[packed[13]]}.{DIGITS[packed[14]]}.{DIGITS[packed[15]]}"
    return str(ipaddress.IPv6Address(packed))


def network_text(address: bytes) -> str:
    """The network of a packed address as people write it: `203.0.113.0/24` or `2001:db8::/48`."""
    if address[:12] == _MAPPED:
        return f"{DIGITS[address[12]]}.{DIGITS[address[13]]}.{DIGITS[address[14]]}.0/24"
    return f"{ipaddress.IPv6Address(address[:6] + bytes(10))}/48"


# What is read in more than one way, in a path that was decoded once.
_AMBIGUOUS = re.compile(rb"\.\.|[%\\;#]")


def canonical_path(uri: bytes) -> bytes:
    """The one spelling of the path of a request target: decoded once, `//`, `.` and `..` resolved as nginx does, no query.

    Always begins with `/`.  An absolute-form target (`http://host/x`) loses scheme and host.  Applying it to its own result
    (with `%`, `?` and `#` quoted) changes nothing.
    """
    return resolved(uri.partition(b"?")[0])


def resolved(path: bytes) -> bytes:
    """The same, of what stands before the `?`."""
    is_canonical = is_plain(path) if _IS_COMPILED and len(path) <= _SHORT else _is_plain_at_a_glance(path)
    if is_canonical:  # nearly all
        return path
    path = path.partition(b"#")[0]
    if not path.startswith(b"/"):
        scheme, mark, rest = path.partition(b"://")
        path = b"/" + rest.partition(b"/")[2] if mark and scheme.isalpha() else b"/" + path
    if b"%" in path:
        path = unquote_to_bytes(path)
    if b"//" not in path and b"/." not in path:
        return path
    segments = path.split(b"/")
    if b"/.." not in path:
        kept = [segment for segment in segments if segment and segment != b"."]
    else:
        kept = []
        for segment in segments:
            if segment == b"..":
                if kept:
                    kept.pop()
            elif segment and segment != b".":
                kept.append(segment)
    tail = b"/" if kept and segments[-1] in (b"", b".", b"..") else b""
    return b"/" + b"/".join(kept) + tail


def is_plain(path: bytes) -> bool:
    """Whether it is its own canonical form at first sight.  Compiled, letter by letter costs least where letters are few."""
    if not path or path[0] != _SLASH:
        return False
    before = 0
    for at in range(len(path)):
        letter = path[at]
        if letter in (_PERCENT, _HASH) or (before == _SLASH and letter in (_SLASH, _DOT)):
            return False
        before = letter
    return True


def _is_plain_at_a_glance(path: bytes) -> bool:
    """The same.  Four looks by `partition` cost a fifth of what one by a regular expression does, by `find` a third."""
    return path.startswith(b"/") and not (
        path.partition(b"%")[1] or path.partition(b"#")[1] or path.partition(b"//")[1] or path.partition(b"/.")[1]
    )


_IS_COMPILED: bool = not hasattr(is_plain, "__code__")


def classify(method: bytes, path: bytes, headers: dict[bytes, bytes], *, accept_seen: bool = True) -> str:
    """The kind of a request (one of KINDS), from what the client says of it and from the file ending.

    Source: Fetch Metadata (Sec-Fetch-*), docs/mission.md S1-32.  `accept_seen=False` is for logs that hold no Accept: a GET of no
    static file then counts as a page load.
    """
    if method == b"OPTIONS":
        return PREFLIGHT if b"access-control-request-method" in headers else OTHER
    if b"upgrade" in headers and headers[b"upgrade"].lower() == b"websocket":
        return OTHER
    mode = headers.get(b"sec-fetch-mode")
    if mode == b"navigate" and headers.get(b"sec-fetch-dest", b"document") not in _SUBRESOURCE_DESTS:
        return NAVIGATION
    name = path[path.rfind(b"/") + 1 :]
    dot = name.rfind(b".")
    ending = name[dot + 1 :].lower() if dot >= 0 else b""
    if ending in _STATIC_ENDINGS or name == b"robots.txt":
        return SUBRESOURCE
    if mode:
        return SUBRESOURCE if headers.get(b"sec-fetch-dest") in _SUBRESOURCE_DESTS else XHR
    if ending in _FEED_ENDINGS or name in _FEED_NAMES:
        return FEED
    if method not in (b"GET", b"POST"):
        return OTHER if method == b"HEAD" else API
    if headers.get(b"x-requested-with", b"").lower() == b"xmlhttprequest":
        return XHR
    if not accept_seen:
        return NAVIGATION
    return NAVIGATION if b"text/html" in headers.get(b"accept", b"") else API


def make_observation(
    *,
    client: bytes,
    method: bytes,
    uri: bytes,
    headers: dict[bytes, bytes],
    edge_time_s: float,
    peer: bytes = b"",
    headers_seen: frozenset[bytes] | None = None,
    **facts: object,
) -> Observation:
    """Checks what an edge said and completes it: path, query, kind.

    `client`, `peer`: 16 packed bytes (`pack_address`, `widen_address`).  `headers`: lower-case names.  `facts`: any other field
    of Observation.  Errors: InvalidObservation for a missing or overlong field; the client's headers are never an error.
    """
    if not method:
        raise InvalidObservation(
            "FIELD_MISSING", "method", "the method is empty; accepted: the method of the request, such as GET"
        )
    if not uri:
        raise InvalidObservation(
            "FIELD_MISSING", "uri", "the uri is empty; accepted: path and query as sent, such as /items/17?ref=a"
        )
    if len(method) > MAX_METHOD:
        raise InvalidObservation(
            "FIELD_TOO_LONG", "method", f"the method has {len(method)} bytes; accepted: at most {MAX_METHOD}"
        )
    if len(uri) > MAX_URI:
        uri = uri[:MAX_URI]  # a client's doing, not the edge's: judged by its beginning
    path = canonical_path(uri)
    accept_seen = headers_seen is None or b"accept" in headers_seen
    return Observation(
        client=client,
        peer=peer or client,
        edge_time_s=edge_time_s,
        method=method,
        uri=uri,
        path=path,
        query=uri.partition(b"?")[2],
        headers=headers,
        kind=classify(method, path, headers, accept_seen=accept_seen),
        headers_seen=headers_seen,
        **facts,  # type: ignore[arg-type]
    )
