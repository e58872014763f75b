"""A TCP relay in front of nginx that keeps what each client said first: the very ClientHello, seen outside of nginx.

Law of the file: bytes pass unchanged, both ways; a connection's first 64 KB of the client are kept, no more.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.lua.ja import Prints, hello_body, prints_of

KEPT = 65536


class Tee:
    """Listens on `port` of 127.0.0.1 and passes everything to `to`.  `firsts`: the first bytes of each connection, in order."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.firsts: list[bytearray] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                first = bytearray()
                self.firsts.append(first)
                server = socket.create_connection(("127.0.0.1", self.to))
                for source, sink, keep in ((client, server, first), (server, client, None)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass, args=(source, sink, keep), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket, keep: bytearray | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if keep is not None and len(keep) < KEPT:
                    keep += data[: KEPT - len(keep)]
                sink.sendall(data)
        for side, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with suppress(OSError):
                side.shutdown(how)

    def bodies(self) -> list[bytes]:
        """The ClientHello of each connection that sent one."""
        return [hello_body(bytes(first)) for first in self.firsts if first]

    def prints(self) -> list[Prints]:
        """The fingerprints of each connection by the tests' own computation."""
        return [prints_of(body) for body in self.bodies()]
