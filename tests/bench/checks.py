"""Checks as nginx sends them, on the Unix socket of a service: many at once, or one at a time at a pace."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_HEAD = (
    b"GET /v1/check/nginx HTTP/1.1\r\nHost: botsieve\r\nX-Botsieve-Edge: 1 order tls\r\nX-Botsieve-Method: GET\r\n"
    b"X-Botsieve-Scheme: https\r\nX-Botsieve-Host: shop.example\r\nX-Botsieve-Http: HTTP/2.0\r\naccept: text/html,*/*;q=0.8\r\n"
    b"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
    b"accept-language: en\r\naccept-encoding: gzip\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n"
)


def question(address: bytes, uri: bytes, request_id: bytes = b"") -> bytes:
    """One check as nginx sends it.  `request_id`: none when it is to be judged anew although the same bytes were sent before."""
    named = b"\r\nX-Botsieve-Request-Id: " + request_id if request_id else b""
    return _HEAD + b"X-Botsieve-Client-Addr: " + address + b"\r\nX-Botsieve-Uri: " + uri + named + b"\r\n\r\n"


@contextmanager
def connected(path: str) -> Iterator[socket.socket]:
    """A connection to the socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        yield sock


def ask_all(sock: socket.socket, questions: Sequence[bytes]) -> bool:
    """Sends them together and reads every answer; False when the service hung up."""
    sock.sendall(b"".join(questions))
    answered = 0
    while answered < len(questions):
        data = sock.recv(65536)
        if not data:
            return False
        answered += data.count(b"\r\n\r\n")
    return True


def at_pace(path: str, asked: bytes, seconds: float, every_s: float) -> list[float]:
    """Asks one at a time, so often: the seconds that each answer took, in ascending order."""
    took: list[float] = []
    with connected(path) as sock:
        until = time.perf_counter() + seconds
        while (began_s := time.perf_counter()) < until:
            sock.sendall(asked)
            sock.recv(65536)
            took.append(time.perf_counter() - began_s)
            time.sleep(max(0.0, began_s + every_s - time.perf_counter()))
    return sorted(took)


def percentile_ms(ascending_s: Sequence[float], share: float) -> float:
    """In ms; 0 of nothing."""
    return ascending_s[min(len(ascending_s) - 1, int(len(ascending_s) * share))] * 1e3 if ascending_s else 0.0
