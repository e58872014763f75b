"""HTTP/1.1 on the wire: requests in, answers out, keep-alive, bounded.

Law of the file: it knows nothing of bots.  No input makes it slow, close without an answer, or answer 5xx: nginx counts those
as failures of the service, and three of them open the gate for everybody.  httptools parses; what it refuses although nginx let it
through (control bytes in names, for one) is read by a tolerant parser of our own.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Protocol, cast

import httptools

from botsieve.observation import pack_address
from botsieve.transports.http_readers import LISTS, MAX_BODY, Request, read_tolerantly
from botsieve.transports.surplus import Surplus
from botsieve.transports.whole_request import LENIENT, WholeRequest

MAX_HEAD = 65_536 + 16_384  # 64 KiB of the client's headers, and ours
MAX_CONNECTIONS = (
    4_096  # 64 workers of nginx keep 64 each; above it the edge says `overloaded`; above four times it nobody is listened to
)
_READ_TIMEOUT_S = 30.0  # for a request that was begun; an idle keep-alive connection may stay
_LINGER_S = 5.0  # a refused request is read to its end, or the refusal would be lost with a reset

# One for all connections: what it is asked about is whole or not.
_whole = WholeRequest()


class Edge(Protocol):
    """Who answers.  None of these may raise."""

    def handle(self, request: Request) -> bytes:
        """The whole answer to one request."""

    def known(self, data: bytes, peer: bytes) -> Any:
        """What these bytes ask, if they are one whole request that is known without parsing; None: parse it."""

    def verdict(self, asked: Any, peer: bytes) -> bytes:
        """The whole answer to what `known` found."""

    def overloaded(self, request: Request) -> bytes:
        """The whole answer where there are too many connections or requests."""

    def surplus(self, head: bytes) -> bytes | None:
        """The same at a glance at the bytes of a request; None: read it first."""

    def refused(self) -> bytes:
        """The whole answer to what is no request, or too large a one."""


class HttpConnection:
    """One connection of an edge: an asyncio.Protocol in all but the name, which would keep it from being compiled."""

    __slots__ = (
        "_answered",
        "_begun",
        "_body",
        "_edge",
        "_headers",
        "_is_done",
        "_is_last",
        "_is_local",
        "_is_over",
        "_open",
        "_parser",
        "_peer",
        "_raw",
        "_surplus",
        "_target",
        "_timer",
        "_transport",
        "_waiting",
    )

    def __init__(
        self, edge: Edge, open_now: set[HttpConnection], *, is_local: bool = True, surplus: Surplus | None = None
    ) -> None:
        self._edge = edge
        self._surplus = surplus
        self._open = open_now
        self._is_local = is_local
        self._is_over = False
        self._is_last = False  # the next answer is the last one
        self._is_done = False  # answered for good: what still arrives is read and dropped
        self._peer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: dict[bytes, bytes] = {}
        self._target = b""
        self._body = b""
        self._raw = b""
        self._waiting = b""  # arrived, and to be read when its turn comes
        self._answered = 0  # requests at the beginning of `_raw` that have their answer
        self._new_parser()

    def _new_parser(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(**LENIENT)
        self._begun = False

    # ---- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was opened."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._is_local:
            self._peer = _peer_of(transport)
        self._open.add(self)
        self._is_over = len(self._open) > MAX_CONNECTIONS
        if len(self._open) > 4 * MAX_CONNECTIONS:
            self._transport.abort()

    def announce_end(self) -> None:
        """The next answer says that it is the last one."""
        self._is_last = True

    def finish(self) -> None:
        """Closes when the request that is under way, if any, has its answer."""
        self._is_last = True
        if not self._begun and not self._waiting and self._transport is not None:
            self._transport.close()

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
        self._stop_timer()

    def pause_writing(self) -> None:
        """Who does not read answers is not asked for more requests."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The answers were read."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived: parses them and answers every request that is complete, unless there is overload."""
        surplus = self._surplus
        if surplus is not None and (surplus.has_line or self._waiting) and self._is_put_off(data, surplus):
            return
        self._read(data)

    def _read(self, data: bytes) -> None:
        if not self._begun and self._answer_known(data):
            return
        while data and not self._is_done and self._transport is not None:
            data = self._feed(data)
        if self._begun and not self._is_done:
            self._bound()

    def go_on(self) -> None:
        """Reads what waited for its turn."""
        data, self._waiting = self._waiting, b""
        self._read(data)

    def _answer_known(self, data: bytes) -> bool:
        """Answers one request that needs no parser, on a connection that stays; whether it was one."""
        transport = self._transport
        if self._is_done or self._is_last or self._is_over or transport is None:
            return False
        edge = self._edge
        asked = edge.known(data, self._peer)
        if asked is None:
            return False
        surplus = self._surplus
        is_judged = surplus is None or surplus.admits()
        answer = edge.verdict(asked, self._peer) if is_judged else edge.surplus(data)
        assert answer is not None
        transport.write(answer)
        return True

    def _is_put_off(self, data: bytes, surplus: Surplus) -> bool:
        """Lets bytes wait for their turn, or answers one request too many without reading it, which costs more than all the rest.

        What is answered so is surely one request, on a connection that stays; anything else takes the long way.
        """
        if self._waiting:
            self._waiting += data
            if len(self._waiting) > MAX_HEAD + MAX_BODY:
                self.go_on()
            return True
        if self._is_done or self._is_last or self._is_over or self._transport is None:
            return False
        if surplus.takes(self):
            self._waiting = data
            return True
        if self._begun or not _whole.is_one(data):
            return False
        answer = self._edge.surplus(data)
        if answer is None:
            return False
        surplus.admits()
        self._transport.write(answer)
        return True

    def _feed(self, data: bytes) -> bytes:
        """Parses; returns what a new parser has to go on with, mostly nothing."""
        if self._begun:
            self._raw += data
        else:
            self._raw = data
            self._answered = 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # nobody agreed on one: the next bytes are a request like any
            self._new_parser()
            return data[upgrade.args[0] :]
        except httptools.HttpParserError:
            return self._tolerate()
        return b""

    def _bound(self) -> None:
        """A request is under way: at most so large, at most so long."""
        if len(self._raw) > MAX_HEAD + MAX_BODY:
            self._refuse()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_READ_TIMEOUT_S, self._refuse)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
        known = _LOWER.get(name)
        if known is None:
            known = _lower(name)
        headers = self._headers
        if known not in headers:
            headers[known] = value
        elif known in LISTS:
            headers[known] += LISTS[known] + value

    def on_body(self, body: bytes) -> None:
        """A part of the body; what is above the bound is dropped, the handler sees that it is too long."""
        if len(self._body) <= MAX_BODY:
            self._body += body

    def on_message_complete(self) -> None:
        """A request is whole."""
        request = Request(self._parser.get_method().decode("latin-1"), self._target, self._headers, self._body, self._peer)
        self._answer(request, keep=self._parser.should_keep_alive())

    # ---- answers

    def _answer(self, request: Request, *, keep: bool) -> None:
        self._begun = False
        self._answered += 1
        if self._timer is not None:
            self._stop_timer()
        if self._is_done or self._transport is None:
            return
        edge = self._edge
        is_judged = not self._is_over and (self._surplus is None or self._surplus.admits())
        answer = edge.handle(request) if is_judged else edge.overloaded(request)
        if keep and not self._is_last and not self._is_over:
            self._transport.write(answer)
        else:
            self._write_last(answer)

    def _write_last(self, answer: bytes) -> None:
        """Writes an answer that says that it is the last one, and closes."""
        self._is_done = True
        assert self._transport is not None
        self._transport.write(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        self._transport.close()

    def _refuse(self) -> None:
        """Answers what is no request.  The rest of it is read, not thrown back: a reset would overtake the answer."""
        transport = self._transport
        if self._is_done or transport is None:
            return
        self._is_done = True
        self._raw = b""
        self._stop_timer()
        transport.write(self._edge.refused().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        if transport.can_write_eof():
            transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(_LINGER_S, transport.abort)

    # ---- what httptools refuses

    def _tolerate(self) -> bytes:
        """Reads by its lines what httptools does not: the first request of `_raw` that has no answer yet.  Returns the rest."""
        raw, skipped = self._raw, self._answered
        while not self._is_done:
            found = read_tolerantly(raw, self._peer)
            if found is None:  # more is to come; the broken parser says so again then
                self._begun = True
                self._raw, self._answered = raw, skipped
                break
            if found.request is None or (skipped and not found.keep):
                self._refuse()
                break
            raw = found.rest
            if skipped:
                skipped -= 1
                continue
            self._answer(found.request, keep=found.keep)
            if not self._is_done:
                self._new_parser()
                return raw
        return b""


# Names as they are spelled, in lower case: one object for each, which is hashed once.  Few on a real edge; emptied by a flood.
_LOWER: dict[bytes, bytes] = {}
_MAX_LOWER, _MAX_NAME = 1_024, 64


def _lower(name: bytes) -> bytes:
    lower = name.lower()
    if len(name) <= _MAX_NAME:
        if len(_LOWER) >= _MAX_LOWER:
            _LOWER.clear()
        _LOWER[name] = lower
    return lower


def _peer_of(transport: asyncio.BaseTransport) -> bytes:
    name = transport.get_extra_info("peername")
    return pack_address(name[0].partition("%")[0]) if isinstance(name, tuple) and name else b"\xff" * 16


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def render(status: int, headers: list[tuple[str, str]] | tuple[tuple[str, str], ...], body: bytes = b"") -> bytes:
    """A whole answer.  `headers` without Content-Length; values are ours; a line break in one raises ValueError."""
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Status')}"]
    for name, value in headers:
        if "\r" in value or "\n" in value:
            raise ValueError(f"a line break in {name}")
        lines.append(f"{name}: {value}")
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body
