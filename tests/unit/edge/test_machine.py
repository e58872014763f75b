"""machine.py: nginx itself is asked what it has; what is missing is said with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.edge.machine import OLDEST_LUA, Lua, Nginx, dotted, find_lua, find_nginx
from botsieve.errors import MachineError

ASKED = "nginx version: nginx/1.22.1\\nconfigure arguments: --with-http_auth_request_module --with-http_realip_module"


def fake(folder: Path, script: str) -> str:
    """A command in place of nginx."""
    command = folder / "nginx"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return str(command)


def says(text: str) -> str:
    return f"printf '{text}\\n' >&2"


def test_this_machine() -> None:
    """The nginx of this machine, its Lua, and the folder where Lua looks by itself."""
    nginx = find_nginx()
    assert nginx.version >= (1, 16, 0)
    assert Path(nginx.conf_folder).is_absolute()
    lua = find_lua(nginx)
    assert lua.version >= OLDEST_LUA
    assert lua.folder is not None
    assert lua.folder.is_dir()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (says("something else"), "does not name a version"),
        (says(ASKED.replace("1.22.1", "1.10.3")), "is nginx 1.10.3; accepted: 1.16.0 or later"),
        (says(ASKED.replace("--with-http_auth_request_module", "")), "built without http_auth_request_module"),
        (says(ASKED.replace("--with-http_realip_module", "")), "built without http_realip_module"),
        (says(ASKED + " --without-http_proxy_module"), "built without http_proxy_module"),
    ],
    ids=["other program", "old", "no auth_request", "no realip", "no proxy"],
)
def test_unfit_nginx(tmp_path: Path, script: str, words: str) -> None:
    """An nginx that cannot take our includes is refused, and the message says what would do."""
    with pytest.raises(MachineError, match=words):
        find_nginx(fake(tmp_path, script))


def test_no_nginx() -> None:
    """No such command: exit code 4, and what to install."""
    with pytest.raises(MachineError, match="no such command; install nginx") as caught:
        find_nginx("no-such-nginx")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('nginx: [emerg] unknown directive "init_by_lua_block"', "has no Lua module; install it"),
        ("nginx: [emerg] dlopen() failed", "does not start: nginx: .emerg. dlopen"),
        ("", "it said nothing"),
        ("botsieve-lua 10021 /x/?.lua", "is 0.10.21; accepted: 0.10.23 or later, or choose --no-lua"),
    ],
    ids=["none", "broken", "silent", "old"],
)
def test_unfit_lua(tmp_path: Path, answer: str, words: str) -> None:
    """A missing, broken or old Lua module, each with what would do."""
    nginx = Nginx(fake(tmp_path, says(answer) if answer else "true"), (1, 22, 1), "/etc/nginx", "")
    with pytest.raises(MachineError, match=words):
        find_lua(nginx)


def test_built_in_lua(tmp_path: Path) -> None:
    """OpenResty: no load_module line; the first folder that exists is where our files can lie."""
    pattern = f"relative/?.lua;/no/such/?.lua;{tmp_path}/?/init.lua;{tmp_path}/?.lua;;"
    lua = find_lua(Nginx(fake(tmp_path, says(f"botsieve-lua 10028 {pattern}")), (1, 27, 1), "/", ""))
    assert (lua.version, lua.load_module, lua.folder) == ((0, 10, 28), "", tmp_path)
    assert Lua((0, 10, 28), "?.lua;;", "").folder is None
    assert dotted(lua.version) == "0.10.28"


def test_unrunnable(tmp_path: Path) -> None:
    """A file that is no program is no traceback."""
    command = tmp_path / "nginx"
    command.write_bytes(b"\x7fELF")
    command.chmod(0o755)
    with pytest.raises(MachineError, match="cannot be run"):
        find_nginx(str(command))
