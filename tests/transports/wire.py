"""A real HTTP listener on a loop of its own, and raw connections to it: nothing that would tidy up what a test sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import uvloop
from botsieve.config.settings import Address
from botsieve.transports.http_readers import Request
from botsieve.transports.http_wire import Edge, render
from botsieve.transports.listeners import EdgeListener, listen
from botsieve.transports.surplus import Surplus

T = TypeVar("T")


class Reply(NamedTuple):
    """One answer as it stood on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def verdict(self) -> str:
        return self.one("X-Botsieve-Verdict")


def take_reply(raw: bytes, *, to_head: bool = False) -> tuple[Reply, bytes]:
    """The first answer of `raw` and what follows it.  AssertionError when it is no complete HTTP message."""
    head, mark, rest = raw.partition(b"\r\n\r\n")
    assert mark, raw[:200]
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, _ = first.split(" ", 2)
    assert version == "HTTP/1.1"
    assert len(status) == 3
    headers = []
    for line in lines:
        name, colon, value = line.partition(": ")
        assert colon, line
        assert name.replace("-", "").isalnum(), line
        headers.append((name, value))
    lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
    assert len(lengths) == (0 if status == "204" else 1), head
    size = 0 if to_head or not lengths else lengths[0]
    assert len(rest) >= size, raw[:200]
    return Reply(int(status), headers, rest[:size]), rest[size:]


def only_reply(raw: bytes, *, to_head: bool = False) -> Reply:
    """The one answer that `raw` is."""
    reply, rest = take_reply(raw, to_head=to_head)
    assert rest == b"", rest[:200]
    return reply


class Echo:
    """An edge that remembers what it was asked, and answers with the target."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.refusals = 0

    def handle(self, request: Request) -> bytes:
        self.seen.append(request)
        return render(200, [("X-Botsieve-Verdict", "allow")], request.target[:64])

    def known(self, data: bytes, peer: bytes) -> None:
        return None

    def verdict(self, asked: Any, peer: bytes) -> bytes:
        raise AssertionError("it knows nothing")

    def overloaded(self, request: Request) -> bytes:
        return render(200, [("X-Botsieve-Verdict", "unjudged")])

    def surplus(self, head: bytes) -> bytes | None:
        return None

    def refused(self) -> bytes:
        self.refusals += 1
        return render(403, [("X-Botsieve-Verdict", "unjudged")])


class Loop:
    """A uvloop in a thread."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Connection:
    """A raw connection.  Every wait is bounded."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._got = b""
        sock.settimeout(60)

    def send(self, *parts: bytes) -> Self:
        for part in parts:
            self._socket.sendall(part)
        return self

    def reply(self, *, to_head: bool = False) -> Reply:
        """The next answer."""
        while True:
            with contextlib.suppress(AssertionError):
                reply, self._got = take_reply(self._got, to_head=to_head)
                return reply
            data = self._socket.recv(65536)
            assert data, f"closed after {self._got[:200]!r}"
            self._got += data

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        while data := self._socket.recv(65536):
            self._got += data
        got, self._got = self._got, b""
        return got

    def half_close(self) -> Self:
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Listening:
    """An edge behind a real listener: a Unix socket, or TCP where `path` is None."""

    def __init__(self, loop: Loop, edge: Edge, path: Path | None, surplus: type[Surplus] | None) -> None:
        self.loop = loop
        self.path = path
        self.surplus = None if surplus is None else surplus(loop.loop)
        address = Address(path=str(path)) if path else Address(host="127.0.0.1", port=0)
        self.listener: EdgeListener = loop.run(listen(address, None, edge, "edges.nginx.listen", self.surplus))

    def connect(self) -> Connection:
        if self.path:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.path))
            return Connection(sock)
        return Connection(socket.create_connection(("127.0.0.1", int(self.listener.address.rpartition(":")[2]))))

    def ask(self, *parts: bytes) -> Reply:
        """One request on a connection of its own, in these pieces."""
        with self.connect() as connection:
            return connection.send(*parts).reply()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something on the listener's loop."""
        return self.loop.run(work)

    def call(self, name: str) -> None:
        """`close`, `finish` or `abort` of the listener, on its loop."""

        async def there() -> None:
            getattr(self.listener, name)()

        self.loop.run(there())

    def close(self) -> None:
        self.call("close")
        self.call("abort")


@contextlib.contextmanager
def listening(edge: Edge, path: Path | None = None, surplus: type[Surplus] | None = None) -> Iterator[Listening]:
    """A listener for the length of a `with`."""
    loop = Loop()
    try:
        found = Listening(loop, edge, path, surplus)
        try:
            yield found
        finally:
            found.close()
    finally:
        loop.close()


def get(target: bytes = b"/t", *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """A request.  `lines`: header lines without line end; a body brings its Content-Length."""
    head = [method + b" " + target + b" HTTP/1.1", b"Host: botsieve", *lines]
    if body:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body
