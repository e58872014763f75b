"""`botsieve statistics`: sums of a period."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.store.database import Database
from botsieve.store.messages import MinuteRow
from botsieve.store.schema import path_in

from tests.store.test_incident_commands import printed


@pytest.fixture
def state(tmp_path: Path) -> str:
    """Two days of minutes, and the last minute."""
    database = Database(path_in(tmp_path))
    now_s = int(time.time()) // 60 * 60
    database.write(
        [
            MinuteRow(now_s - 200_000, "shop", 50),
            MinuteRow(now_s - 60, "shop", 1, 20, 10, 300, 5, 12, 6, 13),
            MinuteRow(now_s - 60, "api", 2, 4, 0, 100, 0, 0, 3, 4),
            MinuteRow(now_s - 7_200, "shop", 1),
        ]
    )
    database.close()
    return str(tmp_path)


def test_totals_of_a_day(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Attacks, violations, rejected requests (S2-72) and verdicts of the last 24 h."""
    head, line = printed(capsys, "statistics", "--state-dir", state).splitlines()
    assert head.split()[:3] == ["ATTACKS", "VIOLATIONS", "REJECTED"]
    assert line.split() == ["4", "24", "10", "400", "5", "12", "9", "17"]


def test_by_policy_and_by_time(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A row each; --last narrows it."""
    rows = json.loads(printed(capsys, "statistics", "--state-dir", state, "--by", "policy", "--json"))["statistics"]
    assert [(row["policy"], row["attacks"], row["rejected"]) for row in rows] == [("api", 2, 0), ("shop", 2, 10)]
    rows = json.loads(printed(capsys, "statistics", "--state-dir", state, "--last", "1h", "--json"))["statistics"]
    assert [row["attacks"] for row in rows] == [3]
    text = printed(capsys, "statistics", "--state-dir", state, "--by", "minute", "--by", "policy", "--csv")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [(row["policy"], row["attacks"]) for row in found] == [("shop", "1"), ("api", "2"), ("shop", "1")]
    assert found[0]["time"].endswith(":00Z")
    text = printed(capsys, "statistics", "--state-dir", state, "--last", "4w", "--csv")
    assert [row["attacks"] for row in csv.DictReader(io.StringIO(text))] == ["54"]
    assert printed(capsys, "statistics", "--state-dir", state, "--policy", "nobody").splitlines()[1].split() == ["0"] * 8


def test_nothing_yet_is_explained(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A row of zeros in the first minute looks broken: why is said below the table.  It is no complaint and not for programs."""
    said = "nothing was counted in this time; the running minute is not in it yet"
    nobody = ("statistics", "--state-dir", state, "--policy", "nobody")
    assert main(list(nobody)) == 0
    shown = capsys.readouterr()
    assert (shown.out.splitlines()[2:], shown.err) == ([said], "")
    for arguments in ((*nobody, "--json"), (*nobody, "--csv"), ("statistics", "--state-dir", state)):
        assert main(list(arguments)) == 0
        shown = capsys.readouterr()
        assert (said in shown.out, shown.err) == (False, "")


def test_wrong_usage(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two steps of time, an unknown one, and no database."""
    assert main(["statistics", "--state-dir", state, "--by", "minute", "--by", "day"]) == 2
    assert main(["statistics", "--state-dir", state, "--by", "year"]) == 2
    assert main(["statistics", "--state-dir", state + "x"]) == 5
