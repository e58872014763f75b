"""What a request is, and a reader for those that httptools refuses although a web server let them through.

Law of the file: pure, and any bytes are fine.  Source of what is tolerated: tests/nginx/test_bytes.py.
"""

from __future__ import annotations

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
