"""One HTTP/1.1 request as bytes, and the answer as bytes: no client library that would tidy up."""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def ask(port: int, path: str = "/", *lines: bytes | str, method: str = "GET", body: bytes = b"", tls: bool = False) -> Answer:
    """`lines`: header lines without line end; Host and Connection are added."""
    head = [f"{method} {path} HTTP/1.1".encode("latin-1"), b"Host: shop.example", b"Connection: close"]
    head += [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    if body:
        head.append(b"Content-Length: %d" % len(body))
    return send(port, b"\r\n".join(head) + b"\r\n\r\n" + body, tls=tls)


def send(port: int, request: bytes, *, tls: bool = False) -> Answer:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        connection = plain
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(plain, server_hostname="localhost")
        connection.sendall(request)
        got = bytearray()
        while data := connection.recv(65536):
            got += data
    head, _, rest = bytes(got).partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100"):
        head, _, rest = rest.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Answer(int(first.split()[1]), headers, rest)
