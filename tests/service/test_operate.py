"""What operators see of a running service: metrics, health, explain; and all edges in one process."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.client import BotsieveClient, describe

from tests.conftest import free_port
from tests.servers import ServiceProcess, wait_until
from tests.service.running import CURL, PERSON, Place, botsieve, place, question
from tests.transports.wire import Connection, get


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Place, ServiceProcess]]:
    """One service for the tests of this file, with every edge."""
    with place() as at:
        port = free_port()
        at.write(
            edges=f"  forward: {{listen: '127.0.0.1:{port}', trusted: [127.0.0.0/8]}}\n"
            f"  grpc: {{listen: 'unix:{at.folder}/grpc', deadline_ms: 1000}}\n"
        )
        with at.start() as service:
            yield at, service


@pytest.fixture
def at(running: tuple[Place, ServiceProcess]) -> Place:
    return running[0]


def forward_port(service: ServiceProcess) -> int:
    found = re.search(r"forward=127\.0\.0\.1:(\d+)", service.output)
    assert found
    return int(found[1])


def test_metrics_of_the_contract(at: Place, root: Path) -> None:
    """Every name of docs/names.md is there, with its labels and no others."""
    at.ask("/", CURL)
    at.ask("/", CURL, Client_Addr="-")
    page = (
        question("/", CURL)
        .replace(b"/v1/check/nginx", b"/v1/page")
        .replace(b"\r\n\r\n", b"\r\nX-Botsieve-Verdict: challenge\r\n\r\n")
    )
    with at.connect() as connection:
        connection.send(page).reply()
    text = at.web("/metrics")[1]
    section = (root / "docs" / "names.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`botsieve_.*?) \|(.*)\|$", section, re.MULTILINE)
    assert len(rows) >= 8
    silent = {"botsieve_detector_errors_total"}  # has no series until a detector fails
    for names, labels in rows:
        wanted = set(re.findall(r"`([a-z_]+)`", re.sub(r"\(.*?\)", "", labels)))
        for name in re.findall(r"botsieve_\w+", names):
            assert f"# TYPE {name.removesuffix('_total')}" in text or f"# TYPE {name}" in text, name
            series = re.findall(rf"^{name}(?:_bucket)?\{{(.*)\}} ", text, re.MULTILINE)
            if wanted and name not in silent:
                assert series, name
            for found in series:
                assert set(re.findall(r'(\w+)="', found)) - {"le", "version"} <= wanted, (name, found)


def test_health_and_readiness(at: Place) -> None:
    """Both answer 200 on a service that judges, and tell the same."""
    assert at.web("/readyz")[0] == at.web("/healthz")[0] == 200
    assert at.health()["status"] == "ready"
    assert at.health()["policies"] == {"shop": "enforce"}


def test_three_edges_one_state(running: tuple[Place, ServiceProcess]) -> None:
    """nginx, forward and gRPC answer in one process, each under its own name in the metrics."""
    at, service = running
    with Connection(socket.create_connection(("127.0.0.1", forward_port(service)))) as gateway:
        lines = [b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /", b"User-Agent: curl/8"]
        assert gateway.send(get(b"/v1/check/forward", *lines)).reply().status == 403
    with BotsieveClient(f"unix:{at.folder}/grpc", timeout_s=30.0) as client:
        outcome = client.check(describe(client="203.0.113.9", method="GET", uri="/", headers=[("User-Agent", "curl/8")]))
        assert outcome.verdict == "challenge", outcome
    at.ask("/", CURL)
    for edge in ("nginx", "forward", "grpc"):
        assert at.metric(f'botsieve_decisions_total{{edge="{edge}"') >= 1, edge


def test_explain_of_a_decision_just_made(at: Place) -> None:
    """`botsieve explain ID` asks the running service: findings, points, and what would alter the verdict."""
    decision = at.ask("/explain/me", CURL).one("X-Botsieve-Id")
    done = botsieve("explain", decision, "--config", str(at.config))
    assert done.returncode == 0, done.stderr
    assert "bot_useragent" in done.stdout
    assert "40" in done.stdout
    assert "challenge" in done.stdout
    unknown = botsieve("explain", "0000-0000-0000-0000", "--config", str(at.config))
    assert unknown.returncode == 1


def test_the_log_tells_the_same_as_the_answer(at: Place) -> None:
    """The record of a decision: id, verdict, score and reasons as the edge heard them."""
    reply = at.ask("/logged", CURL, Request_Id="logged-1")
    wait_until(lambda: reply.one("X-Botsieve-Id") in at.log.read_text(), what="the record")
    (record,) = [json.loads(line) for line in at.log.read_text().splitlines() if reply.one("X-Botsieve-Id") in line]
    assert (record["verdict"], record["score"]) == (reply.verdict, int(reply.one("X-Botsieve-Score")))


def test_page_of_a_decision(at: Place) -> None:
    """The second hop over the real socket: the page bears the id of the first."""
    headers = CURL | {"Accept": "text/html"}
    with at.connect() as connection:
        verdict = connection.send(question("/", headers)).reply()
        decision = verdict.one("X-Botsieve-Id")
        told = (
            f"\r\nX-Botsieve-Verdict: {verdict.verdict}\r\nX-Botsieve-Score: 75\r\nX-Botsieve-Id: {decision}\r\n\r\n".encode()
        )
        page = question("/", headers).replace(b"/v1/check/nginx", b"/v1/page").replace(b"\r\n\r\n", told)
        answer = connection.send(page).reply()
    assert answer.status == 403
    assert decision.encode() in answer.body


def test_faults_of_the_edge_are_counted(at: Place) -> None:
    """An edge fault is answered, counted, and told on the log once."""
    before = at.metric('botsieve_unjudged_total{edge="nginx",why="edge_fault"}')
    for _ in range(5):
        assert at.ask("/", PERSON, Uri="-").verdict == "unjudged"
    assert at.metric('botsieve_unjudged_total{edge="nginx",why="edge_fault"}') == before + 5


def test_unjudged_of_nginx_is_reported(at: Place) -> None:
    """What nginx says that it let pass is in the metric."""
    series = 'botsieve_unjudged_total{edge="nginx",why="edge_down"}'
    before = at.metric(series)
    at.ask("/", PERSON, Unjudged="17")
    assert at.metric(series) == before + 17


def test_no_byte_opens_the_gate(at: Place) -> None:
    """0x01 to 0xFF in every header that is judged, and in a name: a verdict each, on one connection."""
    with at.connect() as connection:
        for byte in range(1, 256):
            if byte in (0x0A, 0x0D):
                continue
            one = bytes([byte])
            for line in (b"user-agent: a" + one, b"referer: " + one, b"cookie: botsieve_s=" + one, b"x-" + one + b"y: 1"):
                reply = connection.send(question("/b", {}).replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")).reply()
                assert reply.status in (200, 403), line
                assert reply.verdict != "unjudged", line
