"""The nginx includes, filled in: which text each file of our folder gets.

Law of the file: the shipped files work as they are; filling in replaces their default values, each by a value that was checked
against a grammar in which no character means anything to nginx.  Text in, text out; only `shipped` reads files.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from botsieve.challenge.settings import MAX_PREFIX, PREFIX
from botsieve.unix_socket import MAX_PATH

NGINX_FILES = (
    "http.conf",
    "server.conf",
    "server-tls.conf",
    "headers.conf",
    "protect.conf",
    "protect-app.conf",
    "inject.conf",
    "inject-lua.conf",
    "inject-app.conf",
    "README.md",
)
LUA_ONLY = ("protect-app.conf", "inject-lua.conf", "inject-app.conf")
LUA_FILES = (
    "asking.lua",
    "client_hello.lua",
    "clock.lua",
    "edge.lua",
    "fingerprint.lua",
    "header_order.lua",
    "hello.lua",
    "hold.lua",
    "inject.lua",
)

DEFAULT_FOLDER = "/etc/nginx/botsieve"
DEFAULT_SOCKET = "/run/botsieve/check.sock"
DEFAULT_PORT = 9481
DEFAULT_PREFIX = "/.botsieve/"

# Bytes that nginx reads as themselves: no blank, quote, `;`, `{`, `$`, `\` or `#`, and no `%` for those who decode it.
_PATH = re.compile(r"(?:/[A-Za-z0-9._+@=,~-]+)+")
_PATH_BYTES = "letters, digits and . _ + @ = , ~ -"
_MAX_FOLDER = 1024

_LUA_PART = re.compile(r"^ *# lua \{\n(.*?)^ *# lua \}\n", re.MULTILINE | re.DOTALL)


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation may choose.  Errors: ValueError that names the field and says what is accepted.

    `folder`: where the includes will lie.  `socket`: the service.  `port`: of 127.0.0.1, where nginx answers itself while the
    service is away.  `prefix`: `challenge.prefix` of the configuration.  `closed`: refuse what nobody judged.
    """

    folder: str = DEFAULT_FOLDER
    socket: str = DEFAULT_SOCKET
    port: int = DEFAULT_PORT
    prefix: str = DEFAULT_PREFIX
    closed: bool = False
    lua: bool = True

    def __post_init__(self) -> None:
        _check_path("folder", self.folder, _MAX_FOLDER)
        _check_path("socket", self.socket, MAX_PATH)
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is no TCP port; accepted: 1 to 65535, such as {DEFAULT_PORT}")
        if not re.fullmatch(PREFIX, self.prefix) or len(self.prefix) > MAX_PREFIX or _has_dots(self.prefix):
            raise ValueError(
                f"prefix: {self.prefix!a} is no path prefix; accepted: / ... / of letters, digits and . _ ~ -, "
                f"at most {MAX_PREFIX} bytes, such as {DEFAULT_PREFIX}"
            )


def _check_path(field: str, path: str, longest: int) -> None:
    if not _PATH.fullmatch(path) or len(path) > longest or _has_dots(path):
        raise ValueError(
            f"{field}: {path[:200]!a} cannot be written into an nginx file; accepted: an absolute path of {_PATH_BYTES}, "
            f"without . or .. as a part, at most {longest} bytes"
        )


def _has_dots(path: str) -> bool:
    return any(part in (".", "..") for part in path.split("/"))


def fill(name: str, text: str, filling: Filling) -> str:
    """The text of one shipped nginx file with the values of `filling` in place of the defaults."""
    if name.endswith(".conf"):
        text = _without_lua(text) if not filling.lua else text
        text = _closed(name, text) if filling.closed else text
        text = text.replace("include                    botsieve/", f"include                    {filling.folder}/")
        text = text.replace("include botsieve/", f"include {filling.folder}/")
        text = text.replace(f"unix:{DEFAULT_SOCKET}", f"unix:{filling.socket}")
        text = text.replace(f"127.0.0.1:{DEFAULT_PORT}", f"127.0.0.1:{filling.port}")
        text = text.replace(DEFAULT_PREFIX, filling.prefix)
        text = text.replace(re.escape(DEFAULT_PREFIX), re.escape(filling.prefix))  # in a pattern
    return text


def _without_lua(text: str) -> str:
    return _LUA_PART.sub("", text)


def _closed(name: str, text: str) -> str:
    if name == "http.conf":
        return _replace_once(text, 'return      200 "";', 'return      403 "";')
    if name == "server.conf":
        text = _replace_once(text, "verdict = never)", "verdict = unjudged)")
        return _replace_once(text, "heard(200)", "heard(403)") if "heard(" in text else text
    return text


def _replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the shipped file no longer holds {old!r} once"
    return text.replace(old, new)


def shipped(kind: str) -> Path:
    """The folder of the shipped files.  `kind`: `nginx` or `lua`: of the wheel, or of the clone when installed from one."""
    package = Path(__file__).resolve().parents[1]
    in_wheel = package / "edge_files" / kind
    return in_wheel if in_wheel.is_dir() else package.parents[1] / kind


def nginx_texts(filling: Filling) -> dict[str, str]:
    """File name -> text, for every file of our nginx folder.  Without Lua those that are nothing else are not there."""
    names = [name for name in NGINX_FILES if filling.lua or name not in LUA_ONLY]
    return {name: fill(name, (shipped("nginx") / name).read_text("utf-8"), filling) for name in names}


def lua_texts() -> dict[str, str]:
    """File name -> text, for every file of resty/botsieve."""
    folder = shipped("lua") / "resty" / "botsieve"
    return {name: (folder / name).read_text("utf-8") for name in LUA_FILES}
