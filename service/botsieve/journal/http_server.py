"""A very small HTTP server for operators: the metrics port and the control socket share it.

One request a connection, no body, answered at once and closed.

Law of the file: everything is bounded (head 8 KiB, 5 s, 32 connections); any bytes get an answer or a closed connection.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import cast

import msgspec

from botsieve.errors import MachineError
from botsieve.unix_socket import bound

MAX_HEAD, MAX_CONNECTIONS, TIMEOUT_S = 8192, 32, 5.0
_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,1024}) HTTP/1\.[01]\r?\n")
_END = re.compile(rb"\r?\n\r?\n")


class Answer(msgspec.Struct, frozen=True):
    """What a handler returns."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


def as_json(value: object, status: int = 200) -> Answer:
    """A value as a JSON answer, with a line feed for people at a terminal."""
    return Answer(msgspec.json.encode(value) + b"\n", status)


# A handler gets what follows its prefix ("" for an exact path).  A path that ends in `/` is a prefix.
Routes = Mapping[tuple[str, str], Callable[[str], Answer]]


def answer(routes: Routes, method: str, path: str) -> Answer:
    """The answer to one request, 404 and 405 included."""
    asked = "GET" if method == "HEAD" else method
    methods = set()
    for (route_method, route_path), handler in routes.items():
        rest = path[len(route_path) :] if path.startswith(route_path) else None
        if rest is None or (rest and not route_path.endswith("/")) or (not rest and route_path.endswith("/")):
            continue
        if route_method == asked:
            return handler(rest)
        methods.add(route_method)
    if methods:
        return as_json({"error": f"{path} takes no {method}; accepted: {', '.join(sorted(methods))}"}, 405)
    accepted = ", ".join(f"{known_method} {known_path}" for known_method, known_path in routes)
    return as_json({"error": f"there is no such path; accepted: {accepted}"}, 404)


class _Connection(asyncio.Protocol):
    """One connection: reads the head of one request, answers, closes."""

    def __init__(self, routes: Routes, open_now: set[_Connection]) -> None:
        self._routes = routes
        self._open_now = open_now
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(TIMEOUT_S, self._transport.abort)
        self._open_now.add(self)
        if len(self._open_now) > MAX_CONNECTIONS:
            self._reply(as_json({"error": f"more than {MAX_CONNECTIONS} connections"}, 503))

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._head += data
        if len(self._head) > MAX_HEAD:
            self._reply(as_json({"error": f"the head is above {MAX_HEAD} bytes"}, 431))
            return
        if not _END.search(self._head):
            return
        line = _REQUEST_LINE.match(self._head)
        if line is None:
            self._reply(as_json({"error": "this is no HTTP/1.1 request"}, 400))
            return
        method, path = line[1].decode("ascii"), line[2].decode("ascii").partition("?")[0]
        self._reply(answer(self._routes, method, path), with_body=method != "HEAD")

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_now.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def abort(self) -> None:
        """Closes at once."""
        if self._transport is not None:
            self._transport.abort()

    def _reply(self, reply: Answer, *, with_body: bool = True) -> None:
        assert self._transport is not None
        head = (
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nContent-Type: {reply.content_type}\r\n"
            f"Content-Length: {len(reply.body)}\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode("ascii") + (reply.body if with_body else b""))
        self._transport.close()


class Listener:
    """A server that listens.  `address`: what it listens on, text."""

    def __init__(self, server: asyncio.Server, address: str, open_now: set[_Connection], unlink: str = "") -> None:
        self._server = server
        self._open_now = open_now
        self._unlink = unlink
        self.address = address

    def close(self) -> None:
        """Stops listening, closes what is open, removes its socket file."""
        self._server.close()
        for connection in list(self._open_now):
            connection.abort()
        if self._unlink:
            try:
                os.unlink(self._unlink)
            except OSError:
                self._unlink = ""  # somebody was faster, or took the directory from us: nothing is left to do


async def listen_tcp(listen: str, routes: Routes, key: str = "web.listen") -> Listener:
    """Listens on `127.0.0.1:9482` or `[::1]:9482` (port 0: any free one).  Errors: MachineError, naming `key`."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or int(port) > 65535:
        raise MachineError(f"{key}: {listen!r} is no address; accepted: 127.0.0.1:9482 or [::1]:9482")
    open_now: set[_Connection] = set()
    try:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(routes, open_now), host, int(port))
    except OSError as error:
        raise MachineError(
            f"{key}: {listen}: {os.strerror(error.errno) if error.errno else error}; accepted: a free port"
        ) from error
    name = server.sockets[0].getsockname()
    return Listener(server, f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}", open_now)


async def listen_unix(path: str, routes: Routes) -> Listener:
    """Listens on a Unix socket with mode 0600.  A socket that a killed service left is replaced.

    Errors: MachineError when another service answers there, or the directory is not writable.
    """
    open_now: set[_Connection] = set()
    taken = "another botsieve uses this state.dir; accepted: one service a directory"
    sock = bound(path, 0o600, "state.dir", taken=taken, accepted="a state.dir that this user may write")
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Connection(routes, open_now), sock=sock)
    return Listener(server, f"unix:{path}", open_now, unlink=path)
