"""`botsieve feedback list`: who said that they are a person."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.store.database import Database
from botsieve.store.schema import path_in

from tests.store.test_incident_commands import HOSTILE, printed
from tests.unit.store.rows import AT_S, ID, feedback


@pytest.fixture
def state(tmp_path: Path) -> str:
    """Two people, one with a strange User-Agent."""
    database = Database(path_in(tmp_path))
    strange = json.dumps({"reasons": ["volume:50"], "path": HOSTILE, "user_agent": "=1+1"})
    database.write([feedback(), feedback(id="x", policy="api", time_s=AT_S + 60.0, decision=strange)])
    database.close()
    return str(tmp_path)


def test_the_table(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """When, who, under which policy, and what they were refused for; the newest first."""
    lines = printed(capsys, "feedback", "list", "--state-dir", state).splitlines()
    assert lines[0].split() == ["TIME", "CLIENT", "POLICY", "VERDICT", "SCORE", "REASONS", "ID"]
    assert lines[2].split() == ["2027-01-15T08:00:00Z", "203.0.113.7", "shop", "block", "80", "bot_useragent:curl", ID]
    assert len(lines) == 3


def test_csv_and_json(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The decision with it; no cell is a formula, nothing reaches a terminal."""
    text = printed(capsys, "feedback", "list", "--state-dir", state, "--csv", "--policy", "api")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["user_agent"] == "'=1+1"
    assert text.replace("\r\n", "").isprintable()
    found = json.loads(printed(capsys, "feedback", "list", "--state-dir", state, "--json", "--limit", "1"))
    assert (found["more"], found["feedback"][0]["decision"]["path"]) == (True, HOSTILE)


def test_nothing_and_nowhere(state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said plainly, with the exit codes of docs/names.md."""
    assert printed(capsys, "feedback", "list", "--state-dir", state, "--client", "198.51.100.1") == "no feedback\n"
    assert main(["feedback", "list", "--state-dir", str(tmp_path / "nowhere")]) == 5
