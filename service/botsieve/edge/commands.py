"""`botsieve nginx install`: our includes and Lua files onto this machine, and the lines that the operator adds himself.
`botsieve nginx check`: the traps of a configuration, one a line.

Law of the file: it writes our own folders only, whole files at once; the machine is asked first, so that nothing is written
where nothing could work.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from botsieve.edge.check import MAX_FINDINGS
from botsieve.edge.check import check as find_traps
from botsieve.edge.check.dump import ask_nginx
from botsieve.edge.check.sources import read_conf
from botsieve.edge.includes import (
    DEFAULT_FOLDER,
    DEFAULT_PORT,
    DEFAULT_PREFIX,
    DEFAULT_SOCKET,
    Filling,
    lua_texts,
    nginx_texts,
)
from botsieve.edge.machine import Lua, Nginx, dotted, find_lua, find_nginx
from botsieve.errors import MachineError

_PACKAGE = Path("resty") / "botsieve"


@click.group()
def nginx() -> None:
    """The nginx side: includes and Lua files."""


@nginx.command()
@click.option("--to", default=DEFAULT_FOLDER, show_default=True, metavar="DIR", help="Our folder of includes.")
@click.option("--socket", default=DEFAULT_SOCKET, show_default=True, metavar="FILE", help="Where the service listens.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="Of 127.0.0.1: nginx's own answer while it does not.")
@click.option(
    "--prefix", default=DEFAULT_PREFIX, show_default=True, metavar="PATH", help="challenge.prefix of the configuration."
)
@click.option("--closed", is_flag=True, help="Refuse what nobody judged, instead of letting it pass.")
@click.option(
    "--no-lua", is_flag=True, help="For an nginx without Lua: no TLS fingerprint, no header order, unjudged not counted."
)
@click.option("--lua-to", metavar="DIR", help="Folder of Lua packages.  Default: where nginx looks, or DIR/lua of --to.")
@click.option("--nginx", "command", metavar="FILE", help="Which nginx.  Default: the one found.")
def install(
    to: str, socket: str, port: int, prefix: str, closed: bool, no_lua: bool, lua_to: str | None, command: str | None
) -> None:
    """Write the nginx includes and say which lines to add.  No file of yours is edited."""
    to = os.path.abspath(to)
    filling = _filling(folder=to, socket=socket, port=port, prefix=prefix, closed=closed, lua=not no_lua)
    if os.path.exists(os.path.join(to, "nginx.conf")):
        raise click.BadParameter(
            f"{to} holds an nginx.conf; accepted: a folder of our own, such as {to}/botsieve", param_hint="--to"
        )
    found = find_nginx(command)
    lua = None if no_lua else find_lua(found)
    packages = None if lua is None else _lua_folder(to, lua_to, lua)
    _write(Path(to), nginx_texts(filling))
    if packages is not None:
        _write(packages / _PACKAGE, lua_texts())
    click.echo(_report(found, lua, to, packages))


@nginx.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--nginx", "command", metavar="FILE", help="Which nginx.  Default: the one found.")
def check(file: str | None, command: str | None) -> int:
    """Say what in your nginx configuration is a trap.

    Lines that keep us from judging, or visitors from our answers.

    FILE is the output of `nginx -T` (- for stdin) or an nginx.conf; without it, nginx is asked.  Ends with 1 when there are any.
    """
    found = find_traps(ask_nginx(command) if file is None else read_conf(file))
    for finding in found:
        click.echo(str(finding))
    if len(found) == MAX_FINDINGS:
        click.echo(f"only the first {MAX_FINDINGS} are shown", err=True)
    if not found:
        click.echo("nothing found")
    return 1 if found else 0


def _filling(**values: object) -> Filling:
    try:
        return Filling(**values)  # type: ignore[arg-type]
    except ValueError as error:
        field, _, message = str(error).partition(": ")
        raise click.BadParameter(message, param_hint="--to" if field == "folder" else f"--{field}") from None


def _lua_folder(to: str, lua_to: str | None, lua: Lua) -> Path:
    """Where the Lua files go: as told; beside the includes of a private folder; else where nginx looks by itself."""
    if lua_to is not None:
        try:
            return Path(Filling(folder=os.path.abspath(lua_to)).folder)
        except ValueError as error:
            raise click.BadParameter(str(error).partition(": ")[2], param_hint="--lua-to") from None
    if to == DEFAULT_FOLDER and lua.folder is not None:
        return lua.folder
    return Path(to) / "lua"


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Each file appears whole or not at all.  Errors: MachineError when the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            new = folder / f".{name}.new"
            new.write_text(text, "utf-8")
            new.chmod(0o644)  # the workers of nginx are not who installs
            new.replace(folder / name)
    except OSError as error:
        raise MachineError(
            f"{folder}: cannot be written: {error.strerror}; run as root, or choose another folder with --to"
        ) from error


def _report(nginx: Nginx, lua: Lua | None, to: str, packages: Path | None) -> str:
    short = os.path.relpath(to, nginx.conf_folder) if to.startswith(nginx.conf_folder + "/") else to
    lines = [
        f"{nginx.command}: nginx {dotted(nginx.version)}, "
        + (f"Lua module {dotted(lua.version)}" if lua else "used without Lua")
    ]
    lines.append(f"includes: {to}")
    if packages is not None:
        lines.append(f"Lua files: {packages / _PACKAGE}")
    lines += ["", "Add to your nginx.conf, then `nginx -t` and reload:", "", "    http {"]
    if lua is not None and packages is not None and packages != lua.folder:
        lines.append(f'        lua_package_path "{packages}/?.lua;;";              # or add it to the line that you have')
    lines += [
        f"        include {short}/http.conf;                 # once",
        "        server {",
        "            listen 443 ssl http2;",
        f"            include {short}/server-tls.conf;       # in every TLS server (server.conf in a plain one)",
        "            location / {",
        f"                include {short}/protect.conf;      # in every location to protect",
        "            }",
        "        }",
        "    }",
    ]
    return "\n".join(lines)
