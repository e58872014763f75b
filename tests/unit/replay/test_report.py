"""The JSON report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botsieve.policy import Rulebook
from botsieve.replay.labels import read_labels
from botsieve.replay.report import json_report
from botsieve.replay.run import replay

from tests.replay.samples import FIREFOX, combined, write


@pytest.fixture
def schema(root: Path) -> dict[str, Any]:
    """docs/replay.schema.json."""
    loaded: dict[str, Any] = json.loads((root / "docs/replay.schema.json").read_text())
    return loaded


def report_of(tmp_path: Path, lines: list[bytes], labels: bytes = b"", limit: int | None = None) -> dict[str, Any]:
    """The report on a log of these lines."""
    known = None
    if labels:
        (tmp_path / "labels.tsv").write_bytes(labels)
        known = read_labels(str(tmp_path / "labels.tsv"))
    result = replay([write(tmp_path / "a.log", lines)], Rulebook(), labels=known)
    loaded: dict[str, Any] = json.loads(b"".join(json_report(result, limit)))
    return loaded


def log() -> list[bytes]:
    """A scraper and two people."""
    lines = [combined("198.51.100.9", at, f"/items/{at}", "curl/8.5") for at in range(70)]
    return [*lines, combined("203.0.113.7", 70), combined("203.0.113.8", 71, agent="evil\x1b[31m\xff")]


LABELS = (
    f"ip\tua\tlabel\n198.51.100.9\tcurl/8.5\tbot_declared\n203.0.113.7\t{FIREFOX}\thuman_strong\n203.0.113.8\t-\tunknown\n"
).encode()


@pytest.mark.parametrize("lines", [[], [b"junk", combined()], log(), [combined(at_s=-3000.0 * (at % 3)) for at in range(20)]])
@pytest.mark.parametrize("labels", [b"", LABELS])
def test_schema(tmp_path: Path, schema: dict[str, Any], lines: list[bytes], labels: bytes) -> None:
    """Whatever the log holds, the report has the form of docs/replay.schema.json."""
    jsonschema.Draft202012Validator(schema).validate(report_of(tmp_path, lines, labels))


def test_figures(tmp_path: Path) -> None:
    """Each figure on a log that can be counted by hand."""
    report = report_of(tmp_path, log(), LABELS)
    assert (report["lines"], report["requests"], report["client_count"], report["files"]) == (72, 72, 3, 1)
    assert (report["clients_allowed"], report["clients_challenged"], report["clients_blocked"]) == (2, 0, 1)
    assert report["requests_allowed"] + report["requests_challenged"] + report["requests_blocked"] == 72
    assert (report["labelled_clients"], report["labelled_bots"], report["labelled_humans"]) == (2, 1, 1)
    assert (report["recall"], report["precision"], report["false_positive_rate"]) == (1.0, 1.0, 0.0)
    assert report["labels"]["bot_declared"] == {"clients": 1, "requests": 70, "allowed": 0, "challenged": 0, "blocked": 1}
    worst = report["clients"][0]
    assert (worst["client"], worst["user_agent"], worst["label"], worst["worst"]) == (
        "198.51.100.9",
        "curl/8.5",
        "bot_declared",
        "block",
    )
    assert worst["first_challenge"] == 6  # the sixth item in a row
    assert worst["reasons"]["bot_useragent:curl"] == 70
    assert report["reasons"]["bot_useragent:curl"] == {"requests": 70, "clients": 1, "points": 40}
    assert report["first_time"] == "2026-11-21T21:33:19Z"


def test_keys_in_the_order_of_the_page(tmp_path: Path, schema: dict[str, Any]) -> None:
    """Scalars and small tables first, the list of clients last."""
    assert list(report_of(tmp_path, log())) == schema["required"]


@pytest.mark.parametrize("limit", [0, 1, 2, 99])
def test_limit_shortens_the_list_only(tmp_path: Path, limit: int) -> None:
    """The totals stay complete."""
    whole, short = report_of(tmp_path, log()), report_of(tmp_path, log(), limit=limit)
    assert short["clients"] == whole["clients"][:limit]
    for key in whole.keys() - {"clients", "seconds"}:
        assert short[key] == whole[key], key


def test_client_text_is_printable(tmp_path: Path) -> None:
    """Control bytes of a User-Agent do not reach the reader's terminal."""
    agents = [client["user_agent"] for client in report_of(tmp_path, log())["clients"]]
    assert "evil\\x1b[31m\\xc3\\xbf" in agents or "evil\\x1b[31mÿ" in agents
    assert all(agent.isprintable() for agent in agents)
