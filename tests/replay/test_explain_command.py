"""The command `botsieve explain`, as it is typed."""

from __future__ import annotations

import http.server
import io
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.cli import main

from tests.replay.samples import botsieve, combined

RECORD = {
    "time": "2026-11-21T21:18:03.512Z",
    "level": "info",
    "event": "decision",
    "id": "7k3m-9x2q-f4d1-p8wz",
    "verdict": "challenge",
    "would_be": "challenge",
    "mode": "enforce",
    "score": 75,
    "bot": True,
    "reasons": ["bot_useragent:curl", "suspicious_timing:35"],
    "signals": [
        {"id": "agent.bot_useragent", "points": 40, "detail": "curl"},
        {
            "id": "timing.suspicious_timing",
            "points": 35,
            "detail": "35",
            "subject": "client",
            "measures": {"cv": [0.012, 0.05], "mean_s": [1.001, 2.0]},
        },
    ],
    "rule": "threshold.challenge",
    "policy": "shop",
    "config": "3f9c2a71be04",
    "edge": "nginx",
    "kind": "api",
    "audience": "mixed",
    "client": "203.0.113.7",
    "method": "GET",
    "path": "/items/17",
    "user_agent": "curl/7.88.1",
    "decide_us": 14,
}


class _Answers(http.server.BaseHTTPRequestHandler):
    """The control socket's one answer that `explain` needs: `GET /v1/decisions/ID`."""

    def do_GET(self) -> None:
        known = self.path == f"/v1/decisions/{RECORD['id']}"
        body = json.dumps(RECORD if known else {"error": "unknown"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[str]:
    """A state directory in which something answers on the control socket."""
    with socketserver.UnixStreamServer(str(tmp_path / "control.sock"), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(tmp_path)
        server.shutdown()
        thread.join()


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives bytes on standard input."""

    def give(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def test_id(state_dir: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The running service is asked; what one change alters is said; capitals from a screenshot do not matter."""
    assert main(["explain", "7K3M-9x2q-f4d1-p8wz", "--state-dir", state_dir]) == 0
    out = capsys.readouterr().out
    assert "challenge: score 75 of 100" in out
    assert "cv 0.012, limit 0.05" in out
    assert "without suspicious_timing:35: score 40, allow" in out


def test_unknown_id(state_dir: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a clear text."""
    assert main(["explain", "0000-0000-0000-0000", "--state-dir", state_dir]) == 1
    assert "no decision 0000-0000-0000-0000" in capsys.readouterr().err


def test_no_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4: the machine runs no service there."""
    assert main(["explain", "0000-0000-0000-0000", "--state-dir", str(tmp_path)]) == 4
    assert "no service runs in" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["../v1/pause"], ["a", "b"]])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Exit code 2, and what an id looks like."""
    assert main(["explain", *arguments]) == 2


def test_decision_log_line(stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A line of the decision log is explained as it is."""
    stdin(json.dumps(RECORD).encode() + b"\n")
    assert main(["explain", "-"]) == 0
    out = capsys.readouterr().out
    assert "7k3m-9x2q-f4d1-p8wz" in out
    assert "Judged alone" not in out


@pytest.mark.parametrize(
    "line", [combined(agent="curl/8.5"), botsieve(agent="curl/8.5"), b"\n\n" + combined(agent="curl/8.5") + b"\r\nmore"]
)
def test_access_log_line(stdin: Any, capsys: pytest.CaptureFixture[str], line: bytes) -> None:
    """A line of an access log is judged by a fresh engine, and what it cannot show is said."""
    stdin(line)
    assert main(["explain", "-"]) == 0
    out = capsys.readouterr().out
    assert "+40  bot_useragent:curl" in out
    assert "Judged alone, without what the client did before. The line cannot show: TLS" in out


def test_json(stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object, with the decision in the form of the decision log."""
    stdin(combined(agent="curl/8.5"))
    assert main(["explain", "-", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["decision"]["reasons"] == ["bot_useragent:curl"]
    assert any("Judged alone" in note for note in out["notes"])


def test_format(stdin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Any log_format."""
    stdin(b"203.0.113.7|1795296799.898|GET / HTTP/1.1|curl/8")
    assert main(["explain", "-", "--format", "$remote_addr|$msec|$request|$http_user_agent"]) == 0
    assert "bot_useragent:curl" in capsys.readouterr().out


@pytest.mark.parametrize("line", [b"", b"\n\n", b"hello", b'{"event":"decision"}', b"x" * 70_000, b"[" * 60_000])
def test_unreadable(stdin: Any, capsys: pytest.CaptureFixture[str], line: bytes) -> None:
    """Exit code 5, one line, and what would be accepted."""
    stdin(line)
    assert main(["explain", "-"]) == 5
    err = capsys.readouterr().err
    assert err.startswith("botsieve: ")
    assert len(err.splitlines()) == 1
