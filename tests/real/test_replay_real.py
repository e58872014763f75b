"""Replay of whole real logs: nobody who is surely a person is stopped, and what is caught and what is not is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botsieve.cli import main

pytestmark = pytest.mark.real


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON report of one command line."""
    assert main(["replay", "--json", *arguments]) == 0
    loaded: dict[str, Any] = json.loads(capsys.readouterr().out)
    return loaded


def test_elastic(real_data: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No human_strong client is blocked, at most 0.5 % are challenged, the scrambled clock is noticed."""
    folder = real_data / "logs/elastic_apache"
    report = report_of(capsys, str(folder / "access.log.gz"), "--labels", str(folder / "labels.tsv.gz"))
    jsonschema.validate(report, json.loads((root / "docs/replay.schema.json").read_text()))
    assert report["unreadable_lines"] == 0
    assert (report["clock"], report["timing_judged"]) == ("scrambled", False)
    people = report["labels"]["human_strong"]
    assert people["clients"] > 200
    assert people["blocked"] == 0
    assert people["challenged"] <= 0.005 * people["clients"]
    with capsys.disabled():
        print(
            "\nelastic log:",
            {
                label: {key: count[key] for key in ("clients", "challenged", "blocked")}
                for label, count in report["labels"].items()
            },
        )


def test_elastic_text_says_that_the_clock_is_scrambled(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its first line."""
    assert main(["replay", str(real_data / "logs/elastic_apache/access.log.gz")]) == 0
    assert "clock is scrambled" in capsys.readouterr().out.splitlines()[0]


def test_form_spam(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Distributed, slow, forged: a set that is hard for everybody.  What is caught and what is not is printed, not hidden."""
    report = report_of(capsys, str(real_data / "logs/basjes_formspam_bots/access.log.gz"))
    assert (report["unreadable_lines"], report["clock"]) == (0, "ordered")
    caught = report["clients_challenged"] + report["clients_blocked"]
    assert caught + report["clients_allowed"] == report["client_count"] > 300
    with capsys.disabled():
        print(f"\nform-spam log: {caught} of {report['client_count']} clients caught, all of them bots; findings:")
        for reason, total in report["reasons"].items():
            print(f"  {reason}: {total['clients']} clients, {total['requests']} requests")
