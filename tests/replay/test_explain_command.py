"""The command `botsieve explain`, as it is typed."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.cli import main
from botsieve.config.loader import keep_last_good, load
from botsieve.decision import Measure, Signal
from botsieve.journal import Journal, JournalOptions
from botsieve.values import replace

from tests.replay.samples import botsieve, combined
from tests.unit.journal.samples import TOLD
from tests.unit.replay.decisions import decision, observation

ID = "7k3m-9x2q-f4d1-p8wz"
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
    "signals": TOLD,
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


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[str]:
    """The state directory of a running journal that remembers one decision."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    journal = Journal(JournalOptions(state_dir=str(tmp_path), to=None, web_listen=None), lambda: 1000.0)
    timer = Signal("timing.suspicious_timing", 35, "35", "client", (Measure("cv", 0.012, 0.05), Measure("mean_s", 1.001, 2.0)))
    decided = decision("challenge", 75, (Signal("agent.bot_useragent", 40, "curl"), timer))
    journal.record(observation(), replace(decided, id=ID, config="3f9c2a71be04"), 1000.0, 14)
    asyncio.run_coroutine_threadsafe(journal.listen(), loop).result(10)
    yield str(tmp_path)
    loop.call_soon_threadsafe(journal.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


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
    assert "The mode is monitor: it was answered allow; enforce would challenge." in out
    assert "The limits are those of the packaged defaults" in out


def test_limits_of_a_configuration(state_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--config names the state directory and the limits; that they changed since is said."""
    config = tmp_path / "botsieve.yaml"
    config.write_text(f"state: {{dir: {state_dir}}}\npolicies: [{{name: default, challenge_at: 30, block_at: 70}}]\n")
    assert main(["explain", ID, "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "challenge from 30, block from 70" in out
    assert "The configuration has changed since (3f9c2a71be04, now " in out


def test_limits_of_a_running_service(state_dir: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--state-dir alone: the limits are those of the text that its service applied, and none that is broken or not ours."""
    kept = Path(state_dir) / "config.last-good"
    kept.write_text("policies: [{name: default, challenge_at: 30, block_at: 70}]\n")
    assert main(["explain", ID, "--state-dir", state_dir]) == 0
    out = capsys.readouterr().out
    assert "challenge from 30, block from 70" in out
    assert "packaged defaults" not in out
    kept.write_text("policies: [{name: default, allow: {headers: {x-key: ['${file:/nowhere/at/all}']}}}]\n")
    assert main(["explain", ID, "--state-dir", state_dir]) == 0
    assert "The limits are those of the packaged defaults" in capsys.readouterr().out


def test_unknown_id(state_dir: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a clear text."""
    assert main(["explain", "0000-0000-0000-0000", "--state-dir", state_dir]) == 1
    assert "no decision 0000-0000-0000-0000" in capsys.readouterr().err


def test_a_restart_later_the_log_knows_it(state_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the service forgot (a restart, 50,000 decisions) is looked for in its decision log, with a running service or without."""
    log, config = tmp_path / "decisions.log", tmp_path / "botsieve.yaml"
    older = {**RECORD, "id": "7k3m-9x2q-f4d1-0001"}
    log.write_text(json.dumps(older, separators=(",", ":")) + "\n")
    for state in (state_dir, str(tmp_path / "gone")):
        config.write_text(f"state: {{dir: {state}}}\njournal: {{decisions: {{to: {log}}}}}\n")
        assert main(["explain", "7K3M9X2Q F4D1OOO1", "--config", str(config)]) == 0
        out = capsys.readouterr().out
        assert "challenge: score 75 of 100" in out
        assert f"Found in {log}" in out


def test_a_mistake_in_the_file_is_no_reason_to_be_silent(
    state_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service runs with the last good file; the limits are that one's, and it is said."""
    config = tmp_path / "botsieve.yaml"
    good = f"state: {{dir: {state_dir}}}\npolicies: [{{name: default, challenge_at: 30}}]\n"
    config.write_text(good)
    keep_last_good(load(config))
    config.write_text(good + "nonsense: 1\n")
    assert main(["explain", ID, "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "challenge from 30" in out
    assert "limits are those of the last good one" in out


def test_where_else_to_look(state_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is on the telephone with a customer is given the command, not a hint."""
    config = tmp_path / "botsieve.yaml"
    config.write_text(f"state: {{dir: {state_dir}}}\njournal: {{decisions: {{to: {tmp_path}/d.log}}}}\n")
    assert main(["explain", "0000-0000-0000-0000", "--config", str(config)]) == 1
    assert f"zgrep -h 0000-0000-0000-0000 {tmp_path}/d.log* | botsieve explain -" in capsys.readouterr().err
    assert main(["explain", "0000-0000-0000-0000", "--state-dir", state_dir]) == 1
    assert "journalctl -u botsieve -o cat | grep 0000-0000-0000-0000 | botsieve explain -" in capsys.readouterr().err


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


GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("more", "is_said"),
    [
        ({"user_agent": GOOGLEBOT}, True),
        ({"user_agent": GOOGLEBOT, "rule": "crawler", "verdict": "allow", "would_be": "allow"}, False),
        ({"user_agent": GOOGLEBOT, "signals": [{"id": "claim.false_crawler", "points": 100, "detail": "Google"}]}, False),
        ({"user_agent": "Mozilla/5.0"}, False),
    ],
)
def test_an_unproved_crawler_is_said(
    stdin: Any, capsys: pytest.CaptureFixture[str], more: dict[str, Any], is_said: bool
) -> None:
    """A Googlebot that DNS said nothing about passed with `No finding.`: that its name was not proved is what one wants to know."""
    stdin(json.dumps({**RECORD, **more}).encode() + b"\n")
    assert main(["explain", "-"]) == 0
    assert ("neither proved nor disproved" in capsys.readouterr().out) is is_said


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
