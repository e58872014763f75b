"""HTTP/1.1 on the wire: requests in, answers out, keep-alive, bounded.

Law of the file: it knows nothing of bots.  No input makes it slow, close without an answer, or answer 5xx: nginx counts those
as failures of the service, and three of them open the gate for everybody.  httptools parses; what it refuses although nginx let it
through (control bytes in names, for one) is read by a tolerant parser of our own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools
import msgspec

from botsieve.observation import pack_address

MAX_HEAD = 65_536 + 16_384  # 64 KiB of the client's headers, and ours
MAX_BODY = 65_536
MAX_CONNECTIONS = 1_024
_READ_TIMEOUT_S = 30.0  # for a request that was begun; an idle keep-alive connection may stay

_LENIENT = {
    "lenient_headers": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_optional_lf_after_cr": True,
    "lenient_spaces_after_chunk_size": True,
}


class Request(msgspec.Struct, gc=False):
    """One request.  `headers`: lower-case names, the first value of each.  `peer`: packed address, b"" on a Unix socket."""

    method: str
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    peer: bytes


# Gets a request, returns the whole answer as bytes.  Must not raise.
Handler = Callable[[Request], bytes]


class HttpConnection(asyncio.Protocol):
    """One connection of an edge."""

    __slots__ = (
        "_begun",
        "_body",
        "_handler",
        "_headers",
        "_is_local",
        "_open",
        "_parser",
        "_peer",
        "_raw",
        "_target",
        "_timer",
        "_transport",
    )

    def __init__(self, handler: Handler, open_now: set[HttpConnection], *, is_local: bool = True) -> None:
        self._handler = handler
        self._open = open_now
        self._is_local = is_local
        self._peer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: dict[bytes, bytes] = {}
        self._target = b""
        self._body = b""
        self._new_parser()

    def _new_parser(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(**_LENIENT)
        self._begun = False
        self._raw = b""

    # ---- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was opened."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._is_local:
            self._peer = _peer_of(transport)
        self._open.add(self)
        if len(self._open) > MAX_CONNECTIONS:
            self._transport.abort()

    def abort(self) -> None:
        """Closes at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._open.discard(self)
        self._transport = None
        # The parser and this object hold each other; cut here, no garbage collector has to find them.
        self._parser = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived: parses them and answers every request that is complete."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._begun:
            self._raw += data
            if len(self._raw) > MAX_HEAD + MAX_BODY:
                self._refuse()
                return
        else:
            self._raw = data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._tolerate()
            return
        if self._begun and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_READ_TIMEOUT_S, self._transport.abort)

    # ---- httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begun = True
        self._headers = {}
        self._target = b""
        self._body = b""

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        name = name.lower()
        if name not in self._headers:
            self._headers[name] = value

    def on_body(self, body: bytes) -> None:
        """A part of the body; what is above the bound is dropped, the handler sees that it is too long."""
        if len(self._body) <= MAX_BODY:
            self._body += body

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._begun = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        request = Request(self._parser.get_method().decode("latin-1"), self._target, self._headers, self._body, self._peer)
        if self._transport is not None:
            self._transport.write(self._handler(request))
            if self._parser is not None and not self._parser.should_keep_alive():
                self._transport.close()

    # ---- what httptools refuses

    def _tolerate(self) -> None:
        """Reads the request by its lines, answers it, and goes on with a new parser."""
        raw, self._raw = self._raw, b""
        if self._transport is None:
            return
        head, mark, body = raw.partition(b"\r\n\r\n")
        request = read_tolerantly(head, body, self._peer) if mark else None
        self._new_parser()
        if request is None:
            self._refuse()
            return
        self._transport.write(self._handler(request))
        # The stream may hold more than we understood: the next request gets a connection of its own.
        self._transport.close()

    def _refuse(self) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\nX-Botsieve-Verdict: unjudged\r\n\r\n"
            )
            self._transport.close()


def _peer_of(transport: asyncio.BaseTransport) -> bytes:
    name = transport.get_extra_info("peername")
    return pack_address(name[0].partition("%")[0]) if isinstance(name, tuple) and name else b"\xff" * 16


def read_tolerantly(head: bytes, body: bytes, peer: bytes) -> Request | None:
    """A request from the lines of its head; None when there is no request line.  Any bytes are fine in values."""
    lines = head.split(b"\r\n")
    method, _, rest = lines[0].partition(b" ")
    target, mark, _ = rest.rpartition(b" HTTP/")
    if not mark or not method.isalpha() or not target:
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.lower(), value.strip(b" \t"))
    return Request(method.decode("latin-1"), target, headers, body[: MAX_BODY + 1], peer)


_REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
}


def render(status: int, headers: list[tuple[str, str]] | tuple[tuple[str, str], ...], body: bytes = b"") -> bytes:
    """A whole answer.  `headers` without Content-Length; values are ours; a line break in one raises."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
    for name, value in headers:
        if "\r" in value or "\n" in value:
            raise ValueError(f"a line break in {name}")
        lines.append(f"{name}: {value}")
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body
