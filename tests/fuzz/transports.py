"""Structured hostile requests against the real service: HTTP on its socket, gRPC on its socket, and a visitor of nginx.

Law of the file: the figures are what the asking side saw, and what the service wrote of it.  A request that took longer than
the bar is asked again, up to three times: what is slow by its content is slow each time, what the machine delayed is not.
"""

from __future__ import annotations

import collections
import contextlib
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import grpc

from tests.fuzz.requests import Requests
from tests.servers import ServiceProcess, Site
from tests.service.running import Place, place
from tests.transports.wire import Connection, Reply

BAR_MS = 50.0
_TRIES = 3


class Figures(NamedTuple):
    """`answers`: how many of each status.  `bad`: the first few that broke the promise, by number."""

    transport: str
    count: int
    answers: dict[str, int]
    bad: list[str]
    slowest_ms: float
    took_s: float

    def __str__(self) -> str:
        answers = ", ".join(f"{name} {count}" for name, count in sorted(self.answers.items()))
        return (
            f"{self.transport:6} {self.count:7,} requests  {self.count / self.took_s:6,.0f}/s  slowest {self.slowest_ms:5.1f} ms  "
            f"5xx or UNKNOWN {len(self.bad)}  ({answers})"
        )


class Running:
    """A service with an HTTP and a gRPC edge."""

    def __init__(self, at: Place, process: ServiceProcess) -> None:
        self.at, self.process = at, process

    @property
    def grpc(self) -> str:
        return f"unix:{self.at.folder}/grpc.sock"

    def series(self) -> int:
        """How many series the metrics have."""
        return sum(1 for line in self.at.web("/metrics")[1].splitlines() if line and not line.startswith("#"))

    def faults(self) -> list[str]:
        """What must never be there: a traceback, a fault of ours, a detector that failed, a line of the log that is none."""
        found = [line for line in self.process.output.splitlines() if "Traceback" in line or "Error" in line]
        with self.at.log.open("rb") as lines:
            for line in lines:
                event = json.loads(line)["event"]
                if event in ("service_failed", "detector_failed", "log_dropped") or not line.isascii():
                    found.append(line.decode("latin-1"))
        return found


@contextmanager
def service() -> Iterator[Running]:
    """The real service, in enforce mode, in a folder that is gone afterwards."""
    with place() as at:
        at.write(edges=f"  grpc: {{listen: 'unix:{at.folder}/grpc.sock', deadline_ms: 1000}}\n")
        with at.start() as process:
            yield Running(at, process)


class _Kept:
    """One kept connection; a new one when the other side ends it."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._now: Connection | None = None

    def ask(self, request: bytes, *, to_head: bool = False) -> Reply:
        connection = self._now or self._connect()
        self._now = None
        reply = connection.send(request).reply(to_head=to_head)
        if "close" in [value.lower() for value in reply.all("Connection")]:
            connection.close()
        else:
            self._now = connection
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._now is not None:
            self._now.close()


def _run(transport: str, count: int, request: Callable[[int], bytes], ask: Callable[[bytes], str], good: set[str]) -> Figures:
    answers: collections.Counter[str] = collections.Counter()
    bad: list[str] = []
    slowest_s = 0.0
    begun_s = time.perf_counter()
    for number in range(count):
        asked = request(number)
        took_s = float("inf")
        for _ in range(_TRIES):
            sent_s = time.perf_counter()
            try:
                answer = ask(asked)
            except (OSError, AssertionError) as error:  # no answer, half an answer, no HTTP
                answer = f"{type(error).__name__}"
            took_s = min(took_s, time.perf_counter() - sent_s)
            if took_s * 1000 <= BAR_MS:
                break
        slowest_s = max(slowest_s, took_s)
        answers[answer] += 1
        if answer not in good and len(bad) < 20:
            bad.append(f"request {number}: {answer}")
    return Figures(transport, count, dict(answers), bad, slowest_s * 1000, time.perf_counter() - begun_s)


def over_http(running: Running, count: int, seed: str = "http") -> Figures:
    """The check and our own paths on the Unix socket.  A check is answered 200 or 403, our own paths never with 5xx."""
    requests = Requests(seed)
    with _Kept(running.at.connect) as kept:

        def ask(request: bytes) -> str:
            reply = kept.ask(request)
            is_check = request.startswith(b"GET /v1/check/nginx")
            return f"{'check' if is_check else 'page'} {reply.status}"

        good = {"check 200", "check 403"} | {
            f"page {status}" for status in (200, 204, 303, 400, 403, 404, 405, 409, 410, 413, 415, 429)
        }
        return _run("http", count, requests.http, ask, good)


def over_grpc(running: Running, count: int, seed: str = "grpc") -> Figures:
    """Check with any message: a decision, or INVALID_ARGUMENT."""
    requests = Requests(seed)
    with grpc.insecure_channel(running.grpc) as channel:
        call = channel.unary_unary("/botsieve.v1.DecisionService/Check")

        def ask(request: bytes) -> str:
            try:
                call(request, timeout=20)
            except grpc.RpcError as error:
                return str(error.code().name)
            return "OK"

        ask(requests.grpc(0))  # the connection is made by the first call
        return _run("grpc", count, requests.grpc, ask, {"OK", "INVALID_ARGUMENT"})


def over_nginx(running: Running, folder: Path, count: int, seed: str = "nginx") -> Figures:
    """A visitor of a protected site: 200 from the application, or 403.  The check has time: the machine is not the subject."""
    requests = Requests(seed, legal=True)
    conf = "client_header_buffer_size 4k; large_client_header_buffers 8 32k; keepalive_requests 1000;"
    with contextlib.redirect_stdout(io.StringIO()):  # what `nginx install` tells an operator
        started = Site(folder, running.at.socket, patient=True, http=conf, app="return 200;")
    with started as site:

        def connect() -> Connection:
            return Connection(socket.create_connection(("127.0.0.1", site.http_port)))

        with _Kept(connect) as kept:
            return _run("nginx", count, requests.visitor, lambda request: str(kept.ask(request).status), {"200", "403"})
