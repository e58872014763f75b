"""Rules by country and network, in `botsieve replay` and `botsieve explain`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from botsieve.cli import main

from tests.replay.samples import botsieve, write
from tests.unit.lookups.mmdb import ASN, COUNTRY

RULES = """\
policies:
  - name: site
    rules:
      - {name: hosters, when: {asn: [64500], country: [DE]}, then: block}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration with databases that know 203.0.113.0/24."""
    asn, country, file = tmp_path / "asn.mmdb", tmp_path / "country.mmdb", tmp_path / "botsieve.yaml"
    asn.write_bytes(ASN)
    country.write_bytes(COUNTRY)
    file.write_text(f"{RULES}geo: {{asn_mmdb: {asn}, country_mmdb: {country}}}\n")
    return str(file)


def test_replay(tmp_path: Path, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A log is judged by them; who comes from elsewhere passes."""
    log = write(tmp_path / "access.log", [botsieve("203.0.113.7"), botsieve("198.51.100.7", 1.0)])
    assert main(["replay", log, "--config", config, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {entry["client"]: entry["worst"] for entry in report["clients"]} == {"203.0.113.7": "block", "198.51.100.7": "allow"}


def test_explain(config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule is named as what settled it."""
    for client, settled in (("203.0.113.7", True), ("198.51.100.7", False)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(botsieve(client) + b"\n")))
        assert main(["explain", "-", "--config", config]) == 0
        assert ("Rule hosters of the policy settled it" in capsys.readouterr().out) is settled
