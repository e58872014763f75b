"""`botsieve nginx install`: writes its own folders, says which lines to add, and ends with the codes of docs/names.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.edge.includes import LUA_FILES, NGINX_FILES


def install(*arguments: str) -> int:
    return main(["nginx", "install", *arguments])


def test_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A private folder gets the includes and, beside them, the Lua files; the printed lines name them."""
    to = tmp_path / "botsieve"
    assert install("--to", str(to)) == 0
    assert {path.name for path in to.iterdir()} == {*NGINX_FILES, "lua"}
    assert {path.name for path in (to / "lua" / "resty" / "botsieve").iterdir()} == set(LUA_FILES)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in to.glob("*.conf"))
    said = capsys.readouterr().out
    for line in ("http.conf;", "server-tls.conf;", "protect.conf;"):
        assert f"include {to}/{line}" in said
    assert f'lua_package_path "{to}/lua/?.lua;;";' in said


def test_install_again_keeps_foreign_files(tmp_path: Path) -> None:
    """A second call replaces our files and leaves what is not ours."""
    assert install("--to", str(tmp_path)) == 0
    (tmp_path / "mine.conf").write_text("# mine")
    (tmp_path / "http.conf").write_text("changed")
    assert install("--to", str(tmp_path), "--port", "9500") == 0
    assert (tmp_path / "mine.conf").read_text() == "# mine"
    assert "127.0.0.1:9500" in (tmp_path / "http.conf").read_text()


def test_no_lua(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--no-lua writes no Lua file and names no Lua path."""
    assert install("--to", str(tmp_path), "--no-lua") == 0
    assert not (tmp_path / "lua").exists()
    assert "lua_package_path" not in capsys.readouterr().out


def test_lua_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--lua-to: the Lua files go there."""
    assert install("--to", str(tmp_path / "a"), "--lua-to", str(tmp_path / "b")) == 0
    assert (tmp_path / "b" / "resty" / "botsieve" / "edge.lua").exists()
    assert f'lua_package_path "{tmp_path}/b/?.lua;;";' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--socket", "x"], "Invalid value for --socket"),
        (["--port", "0"], "Invalid value for --port"),
        (["--port", "x"], "Invalid value for '--port'"),
        (["--prefix", "x"], "Invalid value for --prefix"),
        (["--lua-to", "/a b"], "Invalid value for --lua-to"),
        (["--what"], "No such option"),
    ],
    ids=str,
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the option by name, and nothing written."""
    assert install("--to", str(tmp_path / "x"), *arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_folder_of_the_operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of nginx.conf itself is not ours to write into."""
    (tmp_path / "nginx.conf").write_text("")
    assert install("--to", str(tmp_path)) == 2
    assert f"accepted: a folder of our own, such as {tmp_path}/botsieve" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["no-such-nginx", "/bin/true"])
def test_no_nginx(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4, one line, nothing written."""
    assert install("--to", str(tmp_path / "x"), "--nginx", command) == 4
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_folder_not_writable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4 and what to do; a file in the way of the folder, so that root meets it too."""
    (tmp_path / "file").write_text("")
    assert install("--to", str(tmp_path / "file" / "x")) == 4
    assert "cannot be written: Not a directory; run as root, or choose" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["file"]
