"""The gRPC edge of the whole service: `botsieve serve` as an operator starts it, asked by the client that gateways use."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.client import BotsieveClient, describe

from tests.conftest import ROOT, free_port, stop
from tests.pace import in_time

CONFIG = """
edges:
  nginx: {{listen: null}}
  grpc: {{listen: "unix:{at}/grpc.sock", deadline_ms: 1000}}
policies:
  - {{name: shop, mode: enforce, audience: browser}}
state: {{dir: {at}/state}}
challenge: {{keys_file: {at}/keys}}
web: {{listen: "127.0.0.1:{port}"}}
"""


@contextlib.contextmanager
def running(at: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A service with its files in `at`: its target and its process."""
    (at / "botsieve.yaml").write_text(CONFIG.format(at=at, port=free_port()))
    command = [sys.executable, "-m", "botsieve", "serve", "--config", str(at / "botsieve.yaml")]
    with (at / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        end_s = time.monotonic() + 60
        while b"ready " not in (at / "said").read_bytes():
            assert process.poll() is None, (at / "said").read_text()
            assert time.monotonic() < end_s, (at / "said").read_text()
            time.sleep(0.02)
        yield f"unix:{at}/grpc.sock", process
    finally:
        stop(process)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running service answers."""
    with running(tmp_path_factory.mktemp("serve")) as (where, _):
        yield where


@pytest.fixture
def client(target: str) -> Iterator[BotsieveClient]:
    """A client with patience: the machine of a test may be busy."""
    with BotsieveClient(target, timeout_s=5.0) as connected:
        yield connected


CURL = {"client": "203.0.113.7", "method": "GET", "uri": "/items/17", "headers": [("User-Agent", "curl/8.5.0")]}


def test_curl_is_seen(client: BotsieveClient) -> None:
    """A tool that says so is told apart, with its finding, and the answer for it comes along."""
    outcome = client.check(describe(**CURL), want_answer=True)
    assert outcome.judged, outcome.why
    assert outcome.decision is not None
    assert ("agent.bot_useragent", 40, "curl") in [(one.id, one.points, one.detail) for one in outcome.decision.signals]
    assert outcome.verdict in ("challenge", "block")
    assert outcome.decision.policy == "shop"
    assert 400 <= outcome.decision.answer.status <= 499
    assert outcome.decision.answer.body


def test_one_request_id_is_one_request(client: BotsieveClient) -> None:
    """Asked twice under one name, the same decision comes back; under another name, another."""
    ids = []
    for name in (b"one\xff", b"one\xff", b"two"):
        decision = client.check(describe(**CURL, request_id=name)).decision
        assert decision is not None
        ids.append(decision.id)
    assert ids[0] == ids[1] != ids[2]


def test_every_byte_is_judged(client: BotsieveClient) -> None:
    """No byte in a header or path makes the real service fail."""
    for byte in range(256):
        odd = bytes([byte])
        outcome = client.check(
            describe(client="203.0.113.9", method="GET", uri=b"/" + odd, headers=[(b"user-agent", odd), (odd, odd)])
        )
        assert outcome.judged, (byte, outcome.why)


def test_the_guides_example_runs(target: str) -> None:
    """The Python of docs/grpc.md does what the page says, as it stands there."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "grpc.md").read_text(), re.DOTALL)
    patient = example.replace("timeout_s=0.05", "timeout_s=50.0")
    run = subprocess.run([sys.executable, "-c", patient, target], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "judged: True" in run.stdout
    assert "+40 agent.bot_useragent curl" in run.stdout


def test_a_term_drains_within_5_s(tmp_path: Path) -> None:
    """SIGTERM ends the process by itself, with exit code 0; the socket is gone, the client falls back to its failure mode."""
    with running(tmp_path) as (target, process), BotsieveClient(target, timeout_s=5.0) as client:
        assert client.check(describe(**CURL)).judged
        begun_s = time.monotonic()
        assert stop(process, signal.SIGTERM) == 0
        assert in_time(time.monotonic() - begun_s, 5.0)
        assert not (tmp_path / "grpc.sock").exists()
        assert not client.check(describe(**CURL)).judged
