"""What nginx this machine has: its version, its modules, its Lua.

Law of the file: nginx itself is asked, in a process of its own that opens no port and ends at once; nothing is guessed from
package lists.  What is missing is a MachineError that says what to install.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

from botsieve.errors import MachineError

# ssl_client_hello_by_lua is there from 0.10.21 on; 0.10.23 is the oldest that we run our tests on.
OLDEST_LUA = (0, 10, 23)
# stream and http upstreams with `zone` and `keepalive_requests`: 1.15.3; $request_id, auth_request: older.
OLDEST_NGINX = (1, 16, 0)

_SEARCHED = ("/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", "/usr/local/openresty/nginx/sbin")
_NEEDED = {"--without-http_proxy_module": False, "--with-http_auth_request_module": True, "--with-http_realip_module": True}
_LUA_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
_PATIENCE_S = 15.0
_INSTALL_LUA = "install it (Debian, Ubuntu: libnginx-mod-http-lua; or use OpenResty), or choose --no-lua"

_PROBE = """%s
daemon off; master_process off; pid %s/pid; error_log stderr emerg;
events { }
http { access_log off; init_by_lua_block {
    io.stderr:write("botsieve-lua ", ngx.config.ngx_lua_version, " ", package.path, "\\n")
    os.exit(0)
} }
"""


class Nginx(msgspec.Struct, frozen=True):
    """An nginx that can take our includes.  `conf_folder`: where its nginx.conf lies; `said`: the text of `nginx -V`."""

    command: str
    version: tuple[int, ...]
    conf_folder: str
    said: str


class Lua(msgspec.Struct, frozen=True):
    """Its Lua module.  `path`: Lua's package.path; `load_module`: the lines of nginx.conf that it needs, "" when built in."""

    version: tuple[int, ...]
    path: str
    load_module: str

    @property
    def folder(self) -> Path | None:
        """The first folder where `require` looks by itself and that exists: where our Lua files can lie."""
        for pattern in self.path.split(";"):
            folder = Path(pattern.removesuffix("?.lua"))
            if pattern.startswith("/") and pattern.endswith("/?.lua") and os.path.isdir(folder):
                return folder
        return None


def dotted(version: tuple[int, ...]) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def find_nginx(command: str | None = None) -> Nginx:
    """Looks for nginx, or asks the one named.  Errors: MachineError when there is none, or it lacks a module that we need."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_SEARCHED])
    found = shutil.which(command or "nginx", path=path)
    if found is None:
        raise MachineError(
            f"{command or 'nginx'}: no such command; install nginx (Debian, Ubuntu: nginx and libnginx-mod-http-lua), "
            "or name it with --nginx FILE"
        )
    said = _run([found, "-V"])
    named = re.search(r"nginx version: \S+?/(\d+)\.(\d+)\.(\d+)", said)
    if named is None:
        raise MachineError(f"{found}: `{found} -V` does not name a version of nginx; accepted: nginx or OpenResty")
    version = tuple(map(int, named.groups()))
    if version < OLDEST_NGINX:
        raise MachineError(f"{found} is nginx {dotted(version)}; accepted: {dotted(OLDEST_NGINX)} or later")
    for option, wanted in _NEEDED.items():
        if (option in said) is not wanted:
            module = option.removeprefix("--without-").removeprefix("--with-")
            raise MachineError(f"{found} is built without {module}; accepted: one with it, such as Debian's")
    conf = re.search(r"--conf-path=(\S+)", said)
    prefix = re.search(r"--prefix=(\S+)", said)
    folder = Path(conf.group(1)).parent if conf else Path(prefix.group(1) if prefix else "/usr/local/nginx") / "conf"
    return Nginx(found, version, str(folder), said)


def find_lua(nginx: Nginx) -> Lua:
    """Asks the Lua of this nginx.  Errors: MachineError when it has none or one that is too old."""
    modules = _dynamic_modules(nginx)
    for load_module in ("", modules) if modules else ("",):
        said = _ask_lua(nginx, load_module)
        named = re.search(r"^botsieve-lua (\d+) (.*)$", said, re.MULTILINE)
        if named:
            number = int(named.group(1))
            lua = Lua((number // 1000000, number // 1000 % 1000, number % 1000), named.group(2), load_module)
            if lua.version < OLDEST_LUA:
                raise MachineError(
                    f"the Lua module of {nginx.command} is {dotted(lua.version)}; accepted: {dotted(OLDEST_LUA)} or later, "
                    "or choose --no-lua (no TLS fingerprint, no header order)"
                )
            return lua
    if "unknown directive" in said:
        raise MachineError(f"{nginx.command} has no Lua module; {_INSTALL_LUA}")
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    raise MachineError(f"the Lua module of {nginx.command} does not start: {last[0][:300]}; {_INSTALL_LUA}")


def _dynamic_modules(nginx: Nginx) -> str:
    named = re.search(r"--modules-path=(\S+)", nginx.said)
    folders = [Path(named.group(1))] if named else []
    for folder in [*folders, Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules")]:
        if (folder / _LUA_MODULES[1]).exists():
            return "".join(f"load_module {folder / name};\n" for name in _LUA_MODULES if (folder / name).exists())
    return ""


def _ask_lua(nginx: Nginx, load_module: str) -> str:
    with tempfile.TemporaryDirectory(prefix="botsieve-") as folder:
        conf = Path(folder) / "nginx.conf"
        conf.write_text(_PROBE % (load_module, folder))
        return _run([nginx.command, "-p", folder, "-c", str(conf)])


def _run(command: list[str]) -> str:
    """What a command says on both outputs.  Errors: MachineError when it cannot be run or does not end."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"{command[0]}: cannot be run: {error}; accepted: an nginx or OpenResty of this machine") from error
    return done.stdout + done.stderr
