"""deploy/: what an operator copies fits the packaged paths, signals and metric names."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from botsieve.config.loader import loads
from ruamel.yaml import YAML

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
DEFAULTS = loads(b"# all defaults\n").service


def unit(section: str = "Service") -> configparser.SectionProxy:
    """A section of the unit."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((DEPLOY / "botsieve.service").read_text())
    return parser[section]


def test_the_unit_makes_the_packaged_folders() -> None:
    """Socket, state and log of the example lie where systemd makes folders for this user: /run is empty after a boot."""
    service = unit()
    listen = DEFAULTS.edge("nginx").listen
    assert listen is not None
    log = loads((DEPLOY / "botsieve.yaml").read_bytes()).service.journal.to
    assert log is not None
    assert PurePosixPath(listen.path).parent == PurePosixPath("/run") / service["RuntimeDirectory"]
    assert PurePosixPath(DEFAULTS.state.dir) == PurePosixPath("/var/lib") / service["StateDirectory"]
    assert PurePosixPath(DEFAULTS.keys_file).parent == PurePosixPath(DEFAULTS.state.dir)
    assert PurePosixPath(log).parent == PurePosixPath("/var/log") / service["LogsDirectory"]
    assert service["SupplementaryGroups"] == DEFAULTS.edge("nginx").socket_group
    assert service["User"] != "root"


def test_the_unit_reloads_and_waits() -> None:
    """Reload is HUP; what has begun has time to end."""
    service = unit()
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["ExecStart"].endswith("/botsieve serve")
    assert int(service["TimeoutStopSec"]) > 5
    assert service["Restart"] == "always"
    assert unit("Unit")["StartLimitIntervalSec"] == "0"  # by default the sixth failure within 10 s is the last try


def verified(unit_text: str, folder: Path) -> list[str]:
    """What systemd itself says of a unit, line by line.  Its programs are on every machine: the packaged ones are not here."""
    file = folder / "botsieve.service"
    file.write_text(unit_text.replace("/opt/botsieve/bin/botsieve", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if "botsieve.service" in line]


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Every key and value is one that systemd knows; a misspelled one would be left out, with a line in its journal alone."""
    text = (DEPLOY / "botsieve.service").read_text()
    assert verified(text, tmp_path) == []
    (line,) = verified(text.replace("ProtectHome=yes", "ProtectHom=yes"), tmp_path)
    assert "ProtectHom" in line


def test_rotation_keeps_every_line() -> None:
    """The log is renamed and USR1 sent to the service alone: a copy that is cut would lose lines, a child would die of the signal."""
    text = "\n".join(line for line in (DEPLOY / "botsieve.logrotate").read_text().splitlines() if not line.startswith("#"))
    assert "copytruncate" not in text
    assert "--signal=USR1 --kill-who=main botsieve.service" in text
    assert "delaycompress" in text
    log = loads((DEPLOY / "botsieve.yaml").read_bytes()).service.journal.to
    assert text.startswith(f"{log} {{")


@pytest.mark.parametrize("where", ["deploy/alerts.yml", "deploy/alerts-test.yml", "docs/operations.md"])
def test_alerts_ask_for_metrics_that_exist(where: str) -> None:
    """A name that nobody exports is an alert that never fires.  tests/unit/journal/test_metrics.py holds the page to what is."""
    known = set(re.findall(r"^\| `(botsieve_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bbotsieve_\w+", (ROOT / where).read_text())}
    assert asked <= known
    assert asked


def test_alerts_are_rules() -> None:
    """The form of a rule file; each has a name of its own."""
    (group,) = YAML(typ="safe").load((DEPLOY / "alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) >= 10
    assert all(name in (ROOT / "docs" / "metrics.md").read_text() for name in names)
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "annotations"}
        assert set(rule["annotations"]) == {"summary"}
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_every_alert_has_a_day_on_which_it_fires() -> None:
    """deploy/alerts-test.yml, for promtool: for each alert numbers with which it fires, and a quiet day on which it does not."""
    tests = YAML(typ="safe").load((DEPLOY / "alerts-test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    (group,) = YAML(typ="safe").load((DEPLOY / "alerts.yml").read_text())["groups"]
    summaries = {rule["alert"]: rule["annotations"]["summary"] for rule in group["rules"]}
    firing = {case["alertname"]: case["exp_alerts"] for case in cases if "exp_alerts" in case}
    assert {name: fired[0]["exp_annotations"]["summary"] for name, fired in firing.items()} == summaries
    assert {case["alertname"] for case in cases if "exp_alerts" not in case} == set(summaries)
