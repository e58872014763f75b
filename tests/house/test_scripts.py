"""The scripts behind the Makefile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

SHELL = [*sorted((ROOT / "scripts").glob("*.sh")), ROOT / ".ci" / "run"]


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_a_script_stops_at_its_first_failure(script: Path) -> None:
    """Each shell script is valid, may be run from anywhere, and goes on after no failed step."""
    text = script.read_text()
    assert text.startswith("#!")
    assert "set -e" in text
    subprocess.run(["bash", "-n", str(script)], check=True)


def run_with(tools: Path, script: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """A run of a script where no other commands are than those in `tools` and these of the system."""
    for name in names:
        (tools / name).symlink_to(Path("/usr/bin") / name)
    environment = {"PATH": str(tools), "CI": "true"}
    return subprocess.run(["/usr/bin/bash", script], env=environment, capture_output=True, text=True, check=False)


def test_setup_refuses_a_word_that_it_does_not_know() -> None:
    """A mistyped word is said and nothing is installed."""
    done = subprocess.run(["bash", ROOT / "scripts" / "setup.sh", "tset"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "accepted: nothing, or test" in done.stderr


def test_setup_says_when_no_python_is_new_enough(tmp_path: Path) -> None:
    """Without Python 3.11 the message says what to install and how to name it."""
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / "scripts" / "setup.sh").write_bytes((ROOT / "scripts" / "setup.sh").read_bytes())
    (clone / "scripts" / "nginx-packages.sh").write_text("exit 0\n")
    (clone / "requirements.lock").write_text("")
    (clone / "pyproject.toml").write_text("")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    done = run_with(tools, clone / "scripts" / "setup.sh", "bash", "cat", "cksum", "dirname", "id")
    assert done.returncode == 4
    assert "3.11 or newer" in done.stderr


def test_what_is_there_is_not_installed_again() -> None:
    """A command that the machine has needs no package, and a word without a package is said."""
    need = ROOT / "scripts" / "need.sh"
    there = subprocess.run(["bash", need, "bash=bash", "cat=coreutils"], capture_output=True, text=True, check=True)
    assert there.stdout == ""
    wrong = subprocess.run(["bash", need, "bash"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "COMMAND=PACKAGE" in wrong.stderr


def test_what_the_tests_lack_is_said_at_once(tmp_path: Path) -> None:
    """Without apt-get: every missing package in one line, and exit code 4."""
    done = run_with(tmp_path, ROOT / "scripts" / "test-packages.sh", "bash", "dirname")
    assert done.returncode == 4
    assert "chromium chromium-driver xvfb xdotool" in done.stderr
