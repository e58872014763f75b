"""What every test may rely on: free ports on loopback, servers that are stopped by their pid, where the real data lies.

Law of the file: nothing here starts by itself; a test that needs a server asks for a fixture.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# Two shared cores: an example may be slow without being wrong, and a run must find the same examples everywhere.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


# The kernel gives ports from 32768 on to connections that go out: one of those may be taken before its server starts, and who
# asks whether anybody listens there may be connected to himself.
_PORTS = range(10_000, 32_000)
_GIVEN: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has now, that nobody is given by chance, and that this run gives to nobody else."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _GIVEN.add(port)
        return port


@pytest.fixture
def port() -> int:
    """One free TCP port of 127.0.0.1."""
    return free_port()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real logs, headers and hellos; only tests marked `real` ask for it."""
    named = os.environ.get("BOTSIEVE_REAL_DATA", "")
    folder = (ROOT / named).resolve()
    assert named, "set BOTSIEVE_REAL_DATA to the folder with the real data, or use `make test-real`"
    assert folder.is_dir(), f"BOTSIEVE_REAL_DATA={named}: {folder} is no folder"
    return folder


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGTERM, patience_s: float = 30.0) -> int:
    """Stops one process that we started and returns its exit code; kills it when it does not listen."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process (arguments of Popen) that is stopped when the test is over."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(*args, **kwargs)  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    yield begin
    for process in reversed(started):
        stop(process)


def wait_for_port(port: int, *, host: str = "127.0.0.1", at_most_s: float = 60.0) -> None:
    """Returns as soon as somebody accepts connections; AssertionError when nobody does in time."""
    until = time.monotonic() + at_most_s
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(5.0)
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {host}:{port} after {at_most_s} s")
