"""A relay on a Unix socket in front of the service that keeps every request which nginx sent: what the service was told.

Law of the file: bytes pass unchanged, both ways; only heads of requests are kept, and nginx sends no body on this way.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

Lines = list[tuple[str, str]]


class Relay:
    """Listens on `here` and passes everything to `to`; when nobody listens there, it closes, as a dead service would."""

    def __init__(self, here: Path, to: Path) -> None:
        self.to = to
        self.asked: list[Lines] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(here))
        here.chmod(0o666)
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as service, suppress(OSError):
            service.connect(str(self.to))
            threading.Thread(target=_pass_on, args=(service, client), daemon=True).start()
            kept = b""
            while data := client.recv(65536):
                kept += data
                while b"\r\n\r\n" in kept:
                    head, _, kept = kept.partition(b"\r\n\r\n")
                    self.asked.append(lines_of(head))
                service.sendall(data)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


def lines_of(head: bytes) -> Lines:
    """The header lines of a request's head: names as they were spelt, values without the blanks around them."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]
