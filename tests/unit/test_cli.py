"""cli.py: the exit codes of docs/names.md, one clear message, never a traceback for the operator."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

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
