"""Load on the socket of the checks, a Unix socket as nginx uses (wrk cannot speak to those) or TCP: checks made before the run.

Law of the file: closed loop, one request on each connection at a time.  Only verdicts count; an answer that is no 200 ends the run.
What the sender itself costs is told beside the rate: a sender that is always busy measures itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import msgspec

from tests.bench.load import CONNECTIONS, HEADERS, pinned

CLIENTS = 8_000
_CHECK = "GET /v1/check/nginx HTTP/1.1\r\nHost: botsieve\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"


class Driven(msgspec.Struct, frozen=True):
    """What one run found.  `rate_per_s`: of verdicts.  `busy_0_1`: the share of its core that the sender used.

    `unjudged`: answers without a verdict.  A few are a neighbour who held the core for 50 ms; many, and nothing was measured.
    """

    rate_per_s: float
    busy_0_1: float
    unjudged: int


# What stays the same on one site and protocol, in the order of nginx/headers.conf.
_EDGE = {
    "X-Botsieve-Edge": "1 order tls",
    "X-Botsieve-Method": "GET",
    "X-Botsieve-Scheme": "https",
    "X-Botsieve-Host": "shop.example",
    "X-Botsieve-Http": "HTTP/2.0",
    "X-JA3-Fingerprint": "cd08e31494f9531f560d64c695473da9",
    "X-JA4-Fingerprint": "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    "X-Botsieve-Tls-Sig": "t13d1515h2_8daaf6152771_31ec0a762479",
}


def questions() -> list[bytes]:
    """A check of each of 8,000 clients, 24 headers: address, page, cookie and the page before are its own, the browser everybody's."""
    made = []
    for n in range(1, CLIENTS + 1):
        own = {
            "X-Botsieve-Client-Addr": f"11.{n % 200}.{n // 200}.{n % 250 + 1}",
            "X-Botsieve-Uri": f"/items/{n * 7919 % 100_000}",
        }
        visitor = {
            "Referer": f"https://shop.example/items?page={n % 97}",
            "Cookie": f"theme=dark; cart={n * 7919:012x}; _ga=GA1.1.{n}.1700000000",
        }
        browser = {name: value for name, value in HEADERS.items() if name.title() not in visitor}
        lines = "".join([f"{name}: {value}\r\n" for name, value in {**visitor, **own, **_EDGE, **browser}.items()])
        made.append(f"{_CHECK}{lines}\r\n".encode())
    return made


@contextlib.contextmanager
def opened(address: str, count: int) -> Iterator[list[int]]:
    """So many connections as file descriptors that do not block.  `address`: the path of a Unix socket, or a port of 127.0.0.1."""
    is_tcp = address.isdigit()
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket(socket.AF_INET if is_tcp else socket.AF_UNIX)) for _ in range(count)]
        for sock in socks:
            sock.connect(("127.0.0.1", int(address)) if is_tcp else address)
            if is_tcp:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
        yield [sock.fileno() for sock in socks]


def drive(fds: list[int], following: Callable[[], bytes], seconds: float) -> Driven:
    """Asks on all of these connections for so long, and hears every answer before it ends.

    Errors: AssertionError for an answer that is no whole 200.
    """
    answered = unjudged = 0
    with select.epoll() as poll:
        began_s, worked_s = time.perf_counter(), time.thread_time()
        for fd in fds:
            poll.register(fd, select.EPOLLIN)
            os.write(fd, following())
        open_, until_s = len(fds), began_s + seconds
        while open_:
            goes_on = time.perf_counter() < until_s
            for fd, _ in poll.poll(1.0):
                answer = os.read(fd, 4096)
                assert answer.startswith(_OK), answer
                assert answer.endswith(b"\r\n\r\n"), answer
                unjudged += b": unjudged" in answer
                answered += 1
                if goes_on:
                    os.write(fd, following())
                else:
                    open_ -= 1
        took_s = time.perf_counter() - began_s
        return Driven((answered - unjudged) / took_s, (time.thread_time() - worked_s) / took_s, unjudged)


@contextlib.contextmanager
def loading(address: str | Path, *, core: int | None) -> Iterator[Callable[[float], Driven]]:
    """A sender in a process of its own, on one core: each call is a run of `drive` for so many seconds, on the same connections.

    Errors: AssertionError as there.
    """
    command = pinned([sys.executable, "-m", "tests.bench.check_load", str(address)], core)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sender:
        assert sender.stdin
        assert sender.stdout
        assert sender.stderr
        told, heard, said = sender.stdin, sender.stdout, sender.stderr

        def run(seconds: float) -> Driven:
            print(seconds, file=told, flush=True)
            line = heard.readline()
            assert line, said.read()
            return msgspec.json.decode(line, type=Driven)

        try:
            yield run
        finally:
            told.close()  # it ends with its input


def _send(address: str) -> None:
    """A run for each line of the input, which says for how many seconds."""
    # In turn, each client would be a metronome.
    asked = questions()
    following = cycle(random.Random(1).choices(asked, k=8 * len(asked))).__next__
    with opened(address, CONNECTIONS) as fds:
        for line in sys.stdin:
            print(msgspec.json.encode(drive(fds, following, float(line))).decode(), flush=True)


if __name__ == "__main__":
    gc.disable()
    _send(sys.argv[1])
