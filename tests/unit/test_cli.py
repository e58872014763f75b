"""cli.py: the exit codes of docs/names.md, one clear message, never a traceback for the operator."""

from __future__ import annotations

import errno
import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from botsieve import __version__, cli
from botsieve.errors import ConfigError, InputError, MachineError

from tests.conftest import ROOT


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Lets the command `serve` end so."""

    @click.command()
    def command() -> None:
        raise error

    module = type("Module", (), {"command": command})
    monkeypatch.setattr(cli, "_COMMANDS", {"serve": ("botsieve.cli_of_a_test:command", "")})
    monkeypatch.setitem(sys.modules, "botsieve.cli_of_a_test", module)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["a.yaml:1: x"]), 3),
        (MachineError("port 9482 is in use"), 4),
        (InputError("no such log"), 5),
        (click.exceptions.Exit(1), 1),
        (click.UsageError("what?"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error has its own; none shows a traceback."""
    raising(monkeypatch, error)
    if isinstance(error, BrokenPipeError):
        monkeypatch.setattr(sys.stderr, "close", lambda: None)
    assert cli.main(["serve"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if code in (3, 4, 5):
        assert said == f"botsieve: {error}\n"


def test_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """70, with the traceback and the request to report it: never 1, which means that mistakes were found."""
    raising(monkeypatch, ZeroDivisionError("oh"))
    assert cli.main(["serve"]) == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in said
    assert "please report" in said


def test_no_room(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A disk that is full is the machine (4), said in a line; any other OSError that nobody foresaw is a fault of ours."""
    raising(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert cli.main(["serve"]) == 4
    assert capsys.readouterr().err.startswith("botsieve: No space left on device; accepted: ")
    raising(monkeypatch, OSError(errno.ESPIPE, "Illegal seek"))
    assert cli.main(["serve"]) == 70


def test_what_is_printed_finds_no_room() -> None:
    """As it is when `botsieve replay LOG > report.txt` meets a full disk."""
    for arguments in (["-h"], ["check-config"]):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "botsieve", *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                env={"PYTHONPATH": str(ROOT / "service")},
                check=False,
                text=True,
            )
        assert (done.returncode, "Traceback" in done.stderr, "No space left" in done.stderr) == (4, False, True), done.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["--nonsense"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """2, with what is wrong."""
    assert cli.main(arguments) == 2
    assert "nonsense" in capsys.readouterr().err


def test_every_command_is_there() -> None:
    """What the list names can be imported and is a command; help names all of them."""
    for place, _ in cli._COMMANDS.values():
        module, _, name = place.partition(":")
        assert isinstance(getattr(importlib.import_module(module), name), click.Command)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`-h` lists every command with a line, `--version` the version."""
    assert cli.main(["-h"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^  ([a-z-]+)  +\S", said.partition("Commands:")[2], re.MULTILINE) == list(cli._COMMANDS)
    assert cli.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_help_is_quick() -> None:
    """Nothing heavy is imported before a command is called."""
    code = "import sys; from botsieve import cli; cli.main(['-h']); print(sorted({'grpc', 'pydantic', 'uvloop'} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "service")}, capture_output=True, text=True, check=True
    )
    assert said.stdout.endswith("[]\n")
