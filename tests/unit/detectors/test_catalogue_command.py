"""detectors/catalogue_command.py: `botsieve catalogue build`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from botsieve.detectors.catalogue import parse_catalogue
from botsieve.detectors.catalogue_command import catalogue, read_hellos
from botsieve.errors import InputError
from click.testing import CliRunner

HELLO = {"client": "chrome-101-0", "ja3": "c" * 32, "ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1"}
COLUMNS = "kind\tfamily\tname\tja3\tja4\ttls_sig\thttp\tdate\tsource\n"


def test_builds_from_every_form(tmp_path: Path) -> None:
    """Our columns, JSON lines (also gzipped) and Salesforce's list become one catalogue, each row once."""
    own = tmp_path / "own.tsv"
    own.write_text(
        COLUMNS + "tool\tcurl\tcurl-1\t" + "a" * 32 + "\tt13d3112h2_e8f1e7e78f70_b26ce05bbdd6\t\tHTTP/2.0\t2026-11-21\there\n"
    )
    lines = tmp_path / "browsers.jsonl.gz"
    other = {"application": "Edge 15.0", "ja4_fingerprint": "t12d1810h2_4b22cbed5bed_27793441e138"}
    device = {"device": "a thermostat", "ja4_fingerprint": "t12d8008h1_9cedc1f1428b_046e095b7c4a"}
    lines.write_bytes(gzip.compress("\n".join(map(json.dumps, [HELLO, HELLO, other, device])).encode()))
    old = tmp_path / "ja3.csv"
    old.write_text("Copyright\n" + "d" * 32 + ',"curl SNI"\n' + "e" * 32 + ',"Slack"\n')
    target = tmp_path / "catalogue.json"
    arguments = ["build", "--from", str(own), "--from", str(lines), "--from", str(old), "--to", str(target)]
    result = CliRunner().invoke(catalogue, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "4 hellos, 2 of tools, 2 of browsers" in result.output
    rows = parse_catalogue(json.loads(target.read_text())).rows
    assert [(row.family, row.name, row.source) for row in rows] == [
        ("curl", "curl-1", "here"),
        ("chromium", "chrome-101", "browsers.jsonl.gz"),
        ("edgehtml", "edge-15", "browsers.jsonl.gz"),
        ("curl", "curl-2017", "ja3.csv"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", json.dumps(HELLO) + "\nnot json\n", "a.jsonl:2: "),
        ("a.jsonl", json.dumps({**HELLO, "ja4": "nonsense"}), "a.jsonl:1: no recorded hello ('nonsense' is no JA4)"),
        ("a.tsv", "one\ttwo\n", "a.tsv:1: "),
        ("a.tsv", COLUMNS + "robot\tx\tx\t\t\t\t\t\t\n", "a.tsv:2: "),
        ("a.txt", "x", "a.txt: unknown form; accepted: .tsv"),
        ("a.jsonl.gz", "not gzip", "a.jsonl.gz: cannot be read"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, name: str, content: str, says: str) -> None:
    """A file that is no recording is refused with file, line and what would be accepted."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        list(read_hellos(tmp_path / name))
    assert says in str(caught.value)


def test_nothing_is_written_for_bad_input(tmp_path: Path) -> None:
    """A mistake in one file leaves the old catalogue as it was."""
    (tmp_path / "bad.jsonl").write_text("{")
    target = tmp_path / "catalogue.json"
    target.write_text("old")
    result = CliRunner().invoke(catalogue, ["build", "--from", str(tmp_path / "bad.jsonl"), "--to", str(target)])
    assert isinstance(result.exception, InputError)
    assert target.read_text() == "old"
    missing = CliRunner().invoke(catalogue, ["build", "--from", str(tmp_path / "none.jsonl"), "--to", str(target)])
    assert isinstance(missing.exception, InputError)


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    """An unwritable target is the operator's to mend."""
    (tmp_path / "a.jsonl").write_text(json.dumps(HELLO))
    result = CliRunner().invoke(catalogue, ["build", "--from", str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "no/c.json")])
    assert isinstance(result.exception, InputError)
    assert "cannot be written" in str(result.exception)
