"""nginx asked for its configuration, and the command."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.edge.check.dump import ask_nginx
from botsieve.edge.machine import find_nginx
from botsieve.errors import InputError, MachineError

from tests.nginx_check.confs import Folder


def wrapper(folder: Folder) -> str:
    """An nginx whose own configuration is that of the folder."""
    command = folder.at / "own-nginx"
    command.write_text(f'#!/bin/sh\nexec {find_nginx().command} -p {folder.at} -c {folder.conf} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return str(command)


def test_nginx_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without FILE: the findings of what nginx would load, one a line, and exit code 1."""
    folder = Folder(tmp_path, "bad", "return_first")
    assert f"{tmp_path}/botsieve/protect.conf" in ask_nginx(wrapper(folder)).files
    assert main(["nginx", "check", "--nginx", wrapper(folder)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"{folder.conf}:10: a visitor gets this answer without being judged")


def test_nothing_found_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A good configuration, asked for and as a file."""
    folder = Folder(tmp_path, "good", "plain")
    assert main(["nginx", "check", "--nginx", wrapper(folder)]) == 0
    dump = tmp_path / "dump"
    dump.write_text(folder.nginx("-T").stdout)
    assert main(["nginx", "check", str(dump)]) == 0
    assert capsys.readouterr().out == "nothing found\nnothing found\n"


def test_no_nginx_is_4() -> None:
    """nginx is missing."""
    assert main(["nginx", "check", "--nginx", "/nonexistent/nginx"]) == 4
    with pytest.raises(MachineError, match="no such command"):
        ask_nginx("/nonexistent/nginx")


def test_unreadable_is_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there or no configuration, and an nginx that refuses its own."""
    (tmp_path / "text").write_text("Dear nginx {")
    for file in ("none", "text"):
        assert main(["nginx", "check", str(tmp_path / file)]) == 5
    assert "text:1: " in capsys.readouterr().err
    folder = Folder(tmp_path / "f", "bad", "two_http")
    with pytest.raises(InputError, match=r"\[emerg\] .*duplicate upstream"):
        ask_nginx(wrapper(folder))
