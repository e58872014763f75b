"""Requests read from their bytes without httptools: the ordinary ones because that is quicker, the odd ones because it refuses them.

Law of the file: pure.  What `read_quickly` says of a request is what httptools says of it; whatever is not plain is left to that.
"""

from __future__ import annotations

import re

import msgspec

MAX_BODY = 65_536
# Several lines of one name: these are lists, and a proxy may add a line instead of an element.  Of all others the first counts.
LISTS = {b"cookie": b"; ", b"x-forwarded-for": b", "}


class Request(msgspec.Struct, gc=False):
    """One request.  `headers`: lower-case names, the first value of each.  `peer`: packed address, b"" on a Unix socket."""

    method: str
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    peer: bytes


# Header lines that most requests of a client repeat are read once.  Nothing here is a secret, and a flood of others only empties it.
_REPEATED = frozenset(
    b"accept accept-encoding accept-language cache-control dnt host pragma priority sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform "
    b"sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc upgrade-insecure-requests user-agent x-botsieve-edge "
    b"x-botsieve-host x-botsieve-http x-botsieve-method x-botsieve-scheme x-botsieve-tls-sig x-ja3-fingerprint "
    b"x-ja4-fingerprint".split()
)
LINES: dict[bytes, tuple[bytes, bytes]] = {}
MAX_LINES, _MAX_LINE = 8_192, 512
# Names as sent: many clients spell the same ones, and a name that was seen before has its hash.
NAMES_SEEN: dict[bytes, bytes] = {}
MAX_NAMES, _MAX_NAME = 1_024, 64
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"/[\x21-\x7e]*")
_ODD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# What says something about the connection or a body is httptools' business.
_FRAMING = frozenset(b"connection content-length expect keep-alive proxy-connection trailer transfer-encoding upgrade".split())
_NOT_QUICK = (b"", b"")


def read_quickly(data: bytes, peer: bytes) -> Request | None:
    """What nearly every call is: one whole GET without a body, all of it in order.  None: have it parsed.

    It says the same of a request as httptools does (a property test holds them together), for a fourth of the price.
    """
    if data.find(b"\r\n\r\n") != len(data) - 4:
        return None
    lines = data.split(b"\r\n")
    first = lines[0].split(b" ")
    if len(first) != 3 or first[0] != b"GET" or first[2] != b"HTTP/1.1" or _TARGET.fullmatch(first[1]) is None:
        return None
    headers: dict[bytes, bytes] = {}
    for at in range(1, len(lines) - 2):
        line = lines[at]
        known = LINES.get(line)
        if known is None:
            known = _read_line(line)
        name = known[0]
        if not name:
            return None
        if name not in headers:
            headers[name] = known[1]
        elif name in LISTS:
            headers[name] += LISTS[name] + known[1]
    return Request("GET", first[1], headers, b"", peer)


def _read_line(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a header line; an empty name for what is not to be read quickly."""
    at = line.find(b":")
    sent = line[:at] if at > 0 else b""
    name = NAMES_SEEN.get(sent)
    if name is None:
        name = _read_name(sent)
    value = line[at + 1 :].strip(b" \t")
    if not name or _ODD_VALUE.search(value) is not None:
        return _NOT_QUICK
    if name not in _REPEATED:
        return name, value
    if len(line) <= _MAX_LINE:
        if len(LINES) >= MAX_LINES:
            LINES.clear()
        LINES[line] = (name, value)
    return name, value


def _read_name(sent: bytes) -> bytes:
    name = sent.lower()
    if _NAME.fullmatch(sent) is None or name in _FRAMING:
        return b""
    if len(sent) <= _MAX_NAME:
        if len(NAMES_SEEN) >= MAX_NAMES:
            NAMES_SEEN.clear()
        NAMES_SEEN[sent] = name
    return name


class Tolerated(msgspec.Struct, frozen=True):
    """A request read by its lines.  `keep`: it is clear where it ends, and the connection may stay.  `rest`: what follows it."""

    request: Request | None
    keep: bool = False
    rest: bytes = b""


def read_tolerantly(raw: bytes, peer: bytes) -> Tolerated | None:
    """The first request of some bytes, None while more is to come, one without `request` when there is no request line.

    Any bytes are fine in names and values.  LIMIT: a chunked body is not read; the connection ends after such a request.
    """
    raw = raw.lstrip(b"\r\n")
    head, mark, rest = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method, _, after = lines[0].partition(b" ")
    target, http, version = after.rpartition(b" HTTP/")
    if (len(lines) > 1 or mark) and not (http and method and target):
        return Tolerated(None)
    if not mark:
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if colon and name not in headers:
            headers[name] = value
        elif colon and name in LISTS:
            headers[name] += LISTS[name] + value
    length = headers.get(b"content-length", b"0")
    is_clear = b"transfer-encoding" not in headers and length.isdigit() and len(length) < 10
    size = int(length) if is_clear else 0
    if len(rest) < size:
        return None
    keep = is_clear and version == b"1.1" and headers.get(b"connection", b"").lower() != b"close"
    return Tolerated(
        Request(method.decode("latin-1"), target, headers, rest[: min(size, MAX_BODY + 1)], peer), keep, rest[size:]
    )
