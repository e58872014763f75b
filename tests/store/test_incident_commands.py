"""`botsieve incidents`: lists and shows, without a service."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.store.database import Database
from botsieve.store.schema import path_in

from tests.unit.store.rows import AT_S, ID, incident, sample

HOSTILE = "\x1b[2J\u202e=1+1\r\n"


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A state directory with four incidents."""
    database = Database(path_in(tmp_path))
    database.write(
        [
            incident(),
            incident(
                id="aaaa-bbbb-cccc-dddd",
                attack_type="Suspicious Clients",
                detector="browser.suspicious",
                started_s=AT_S + 100.0,
                ended_s=AT_S + 160.0,
                why="released",
                measures={},
                details=["Scraper", "Other"],
            ),
            incident(
                id="shared",
                policy="=cmd",
                subject="network",
                subjects=1_234,
                action="alarm",
                mode="monitor",
                started_s=AT_S + 50.0,
            ),
            incident(id="everybody", subject="site", subjects=9_876, action="block", mode="monitor", started_s=AT_S + 40.0),
            *(sample(n, path=f"/{HOSTILE}", user_agent=HOSTILE, decision=f"aaaa-bbbb-cccc-{n:04d}") for n in range(1, 13)),
        ]
    )
    database.close()
    return str(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_the_table(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Attack type, client, policy, start, end, number of violating requests (S2-63), the newest first."""
    lines = printed(capsys, "incidents", "list", "--state-dir", state).splitlines()
    assert lines[0].split() == ["STARTED", "ENDED", "TYPE", "CLIENT", "POLICY", "REQUESTS", "REJECTED", "ID"]
    assert [line.split()[-1] for line in lines[1:]] == ["aaaa-bbbb-cccc-dddd", "shared", "everybody", ID]
    assert "2027-01-15T08:01:40Z  2027-01-15T08:02:40Z  Suspicious Clients  203.0.113.7" in lines[1]
    assert "203.0.113.0/24 (1234 clients)" in lines[2]
    assert "everywhere (9876 clients)" in lines[3]
    assert "goes on" in lines[4]


def test_filters(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By policy, type, period, client and state; what is not there is said."""

    def ids(*arguments: str) -> list[str]:
        found = json.loads(printed(capsys, "incidents", "list", "--state-dir", state, "--json", *arguments))
        return [one["id"] for one in found["incidents"]]

    assert ids("--policy", "=cmd") == ["shared"]
    assert ids("--type", "suspicious") == ["aaaa-bbbb-cccc-dddd"]
    assert ids("--open", "--limit", "2") == ["shared", "everybody"]
    assert ids("--client", "203.0.113.8") == []
    assert len(ids("--client", "203.0.113.7")) == 4
    assert ids("--until", "2027-01-15T08:00:30") == [ID]
    assert ids("--since", "2027-01-15T09:00:00Z", "--type", "susp") == []
    assert printed(capsys, "incidents", "list", "--state-dir", state, "--policy", "nobody") == "no incidents\n"


def test_json(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Times as text, numbers as numbers, an end only where there is one; whether there are more."""
    found = json.loads(printed(capsys, "incidents", "list", "--state-dir", state, "--json", "--limit", "1"))
    (one,) = found["incidents"]
    assert found["more"] is True
    assert (one["open"], one["ended"], one["why"], one["details"]) == (
        False,
        "2027-01-15T08:02:40Z",
        "released",
        ["Scraper", "Other"],
    )
    assert "until" not in one


def test_csv_is_safe(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every cell quoted, a formula behind an apostrophe, the cause in words."""
    text = printed(capsys, "incidents", "list", "--state-dir", state, "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["policy"] for row in rows] == ["shop", "'=cmd", "shop", "shop"]
    assert rows[3]["cause"] == "pages 45 (limit 30); window_s 30"
    assert rows[0]["cause"] == "Scraper; Other"
    assert list(rows[0])[:6] == ["attack_type", "client", "policy", "started", "ended", "violations"]


def test_one_incident(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The cause with numbers and thresholds, the state of the prevention, the requests with their decisions (S2-64..70)."""
    text = printed(capsys, "incidents", "show", ID, "--state-dir", state)
    assert "Bot Detected  (surfing.rapid)" in text
    assert "120 violating requests, 100 refused, 3 challenged" in text
    assert "action block: refused until 2027-01-15T08:31:00Z" in text
    assert ["pages", "45", "31", "30"] in [line.split() for line in text.splitlines()]
    assert "aaaa-bbbb-cccc-0012" in text
    assert "botsieve explain" in text
    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()
    other = printed(capsys, "incidents", "show", "AAAA-bbbb-cccc-dddd", "--state-dir", state)
    assert "found: Scraper, Other" in other
    assert "an operator ended it" in other
    assert "or earlier; `botsieve preventions list` and `release` end it" in text
    shared = printed(capsys, "incidents", "show", "shared", "--state-dir", state)
    assert "told, nothing refused by it" in shared  # and who refused the hundred is said, or the two lines would contradict
    assert "100 refused, 3 challenged (by their score, a rule or another prevention)" in shared
    assert "in mode monitor" in printed(capsys, "incidents", "show", "everybody", "--state-dir", state)


def test_one_incident_as_json(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a client sent parses back to the same."""
    found = json.loads(printed(capsys, "incidents", "show", ID, "--state-dir", state, "--json"))
    assert found["measures"]["pages"] == {"highest": 45.0, "last": 31.0, "limit": 30.0}
    assert len(found["requests"]) == 12
    assert found["requests"][0]["user_agent"] == HOSTILE
    assert found["requests"][0]["decision"] == "aaaa-bbbb-cccc-0001"


def test_exit_codes(state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 for an unknown id, 2 for wrong usage, 5 for what is no database; each with one clear line."""
    assert main(["incidents", "show", "\x1b[2J", "--state-dir", state]) == 1
    assert "\x1b" not in capsys.readouterr().err
    assert main(["incidents", "list", "--state-dir", state, "--json", "--csv"]) == 2
    assert main(["incidents", "list", "--state-dir", state, "--last", "soon"]) == 2
    assert main(["incidents", "list", "--state-dir", str(tmp_path / "nowhere")]) == 5
    (tmp_path / "broken").mkdir()
    path_in(tmp_path / "broken").write_bytes(b"rubbish" * 1_000)
    assert main(["incidents", "list", "--state-dir", str(tmp_path / "broken")]) == 5
    assert "Traceback" not in capsys.readouterr().err
