"""service/botsieve/interpreter.py: our code runs, whatever lies in the working directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import botsieve
import pytest
from botsieve import interpreter


@pytest.mark.parametrize("inherited", ["", "elsewhere"])
def test_our_package_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inherited: str) -> None:
    """Not the one of that name in the working directory; what the environment names is searched after ours."""
    (tmp_path / "botsieve").mkdir()
    (tmp_path / "botsieve" / "__init__.py").write_text("__version__ = 'a stranger'")
    monkeypatch.setenv("PYTHONPATH", inherited)
    told = "import sys, botsieve; print(botsieve.__version__, sys.argv[1:], sys.path[0:2])"
    done = subprocess.run(
        interpreter.command(told, "a", "b"),
        env=interpreter.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{botsieve.__version__} ['a', 'b'] ")
    assert ("elsewhere" in done.stdout) is bool(inherited)


def test_what_is_said_of_a_process_that_did_not_start() -> None:
    """Which interpreter it was, why, and what is accepted: three parts of the service say the same."""
    with pytest.raises(PermissionError) as refused:
        subprocess.run(["/dev/null"], check=False)
    said = interpreter.not_started(refused.value)
    assert said == (
        f"did not start ({sys.executable}: Permission denied); accepted: an interpreter that the service's user may run"
    )
