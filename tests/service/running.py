"""`botsieve serve` as an operator runs it, in a folder of its own with a short name, and what a test asks it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import ROOT
from tests.servers import ServiceProcess, free_port
from tests.transports.edge_harness import CURL, PERSON, check
from tests.transports.wire import Connection, Reply

__all__ = ["CURL", "PERSON", "Load", "Place", "botsieve", "place"]

POLICIES = "policies: [{name: shop, mode: enforce, audience: browser}]\n"


class Place:
    """A folder for one service: configuration, state, sockets, log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "botsieve.yaml"
        self.socket = folder / "check.sock"
        self.state = folder / "state"
        self.keys = self.state / "keys"
        self.log = folder / "decisions.log"
        self.web_port = free_port()
        self.write()

    def write(self, policies: str = POLICIES, *, edges: str = "", more: str = "") -> Path:
        """Puts a configuration in place in one step.  `edges`: lines of further edges, `more`: further sections."""
        text = (
            f"{policies}"
            f"edges:\n  nginx: {{listen: 'unix:{self.socket}', socket_group: null, deadline_ms: 1000}}\n{edges}"
            f"challenge: {{keys_file: {self.keys}}}\nstate: {{dir: {self.state}}}\nweb: {{listen: '127.0.0.1:{self.web_port}'}}\n"
            f"journal: {{decisions: {{to: {self.log}, allow_sample_percent: 100}}}}\n{more}"
        )
        fresh = self.folder / "new.yaml"
        fresh.write_text(text)
        fresh.replace(self.config)
        return self.config

    def start(self, under: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> ServiceProcess:
        """The running service.  `under`, `environment`: as ServiceProcess takes them."""
        return ServiceProcess(self.config, under=under, environment=environment)

    def refused(self, *, powerless: bool = False) -> tuple[int, str]:
        """Exit code and output of a start that must fail.  `powerless`: root may then not write where nobody may."""
        command = [sys.executable, "-m", "botsieve", "serve", "--config", str(self.config)]
        if powerless:
            command = [*without_power(), *command]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=environment(), cwd=self.folder
        )
        return done.returncode, done.stdout + done.stderr

    # ---- asking

    def connect(self) -> Connection:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self.socket))
        return Connection(sock)

    def ask(self, uri: str = "/", headers: dict[str, str] | None = None, **facts: str) -> Reply:
        """One check."""
        with self.connect() as connection:
            return connection.send(question(uri, headers, **facts)).reply()

    def web(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the metrics port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.web("/healthz")[1])
        return found

    def metric(self, line: str) -> float:
        """The value of one series, 0 when there is none."""
        return sum(float(text.rpartition(" ")[2]) for text in self.web("/metrics")[1].splitlines() if text.startswith(line))


def question(uri: str = "/", headers: dict[str, str] | None = None, **facts: str) -> bytes:
    """A check as nginx sends it."""
    asked = check(uri, headers, **facts)
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in asked.headers.items())
    return b"GET /v1/check/nginx HTTP/1.1\r\nHost: botsieve\r\n" + lines + b"\r\n"


def without_power() -> tuple[str, ...]:
    """What to start a command with, so that it may not write where nobody may, though we are root."""
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "service"), str(ROOT)])}


def botsieve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command line."""
    command = [sys.executable, "-m", "botsieve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment())


@contextmanager
def place() -> Iterator[Place]:
    """A place that is gone afterwards.  Its name is short: a socket's path has at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="bs-"))
    try:
        yield Place(folder)
    finally:
        shutil.rmtree(folder)


class Load:
    """Checks without a pause over some kept connections, until the end of `with`.  `verdicts`: how many of each; `errors`."""

    def __init__(self, at: Place, connections: int = 4) -> None:
        self.verdicts: dict[str, int] = {}
        self.errors: list[str] = []
        self._at = at
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(connections)]

    @property
    def total(self) -> int:
        return sum(self.verdicts.values())

    def _work(self, number: int) -> None:
        try:
            with self._at.connect() as connection:
                count = 0
                while not self._over.wait(0.002):
                    count += 1
                    reply = connection.send(question(f"/{number}/{count}", Client_Addr=f"203.0.113.{number + 1}")).reply()
                    self.verdicts[reply.verdict] = self.verdicts.get(reply.verdict, 0) + 1
                    assert reply.all("Connection") == [], "told to close"
        except (AssertionError, OSError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
