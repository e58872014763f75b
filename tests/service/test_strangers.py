"""Commands of somebody who may not enter the service's folder: one sentence, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.service.running import Place, environment, without_power

COMMANDS = (
    "incidents list",
    "incidents list --client 203.0.113.9",
    "incidents show 7k3m-9x2q-f4d1-p8wz",
    "statistics",
    "feedback list",
    "preventions list",
    "explain 7k3m-9x2q-f4d1-p8wz",
    "pause",
    "resume",
    "serve",
)


@pytest.fixture
def closed(at: Place) -> Iterator[Place]:
    """A place whose `state.dir` nobody may enter."""
    at.state.mkdir()
    at.state.chmod(0)
    yield at
    at.state.chmod(0o700)


def told(at: Place, command: str) -> tuple[int, str]:
    """Exit code and everything that it said, without the power of root."""
    done = subprocess.run(
        [*without_power(), sys.executable, "-m", "botsieve", *command.split(), "--config", str(at.config)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(),
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_who_may_not_look_is_told_so(closed: Place, command: str) -> None:
    """Exit code 4, the path, and who may."""
    code, said = told(closed, command)
    assert (code, "Permission denied; accepted:" in said, "Traceback" in said) == (4, True, False), said
    assert str(closed.state) in said


@pytest.mark.parametrize("command", COMMANDS)
def test_mistakes_of_the_file_are_told_first(closed: Place, command: str) -> None:
    """There may be a last good configuration in the folder; who cannot see it hears of the mistake in the file."""
    closed.config.write_text(f"state: {{dir: {closed.state}}}\nstat: 1\n")
    code, said = told(closed, command)
    assert (code, "did you mean state?" in said, "Traceback" in said) == (3, True, False), said
