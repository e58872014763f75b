"""The demo's nginx.conf: what a user would write, with the three include lines where they belong.

Law of the file: text in, text out, but for `find_nginx` and `lua_modules`, which look at this machine.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from botsieve.errors import MachineError

_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """TCP ports of 127.0.0.1.  `backup` is where nginx answers itself while the service is away."""

    http: int
    https: int
    shop: int
    backup: int
    web: int


def find_nginx() -> str:
    """The nginx command.  Errors: MachineError when there is none."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/usr/local/sbin")
    if found is None:
        raise MachineError(
            "nginx is not installed; `make setup` installs it, or use your system's packages (nginx, libnginx-mod-http-lua)"
        )
    return found


def lua_modules() -> str | None:
    """The load_module lines that this nginx needs for Lua: "" when Lua is built in (OpenResty), None when there is no Lua."""
    said = subprocess.run([find_nginx(), "-V"], capture_output=True, text=True, check=False).stderr  # noqa: S603 - our own arguments
    if "ngx_lua" in said or "lua-nginx-module" in said:
        return ""
    named = re.search(r"--modules-path=(\S+)", said)
    folder = Path(named.group(1)) if named else Path("/usr/lib/nginx/modules")
    if not all((folder / name).exists() for name in _MODULES):
        return None
    return "".join(f"load_module {folder / name};\n" for name in _MODULES)


def nginx_conf(run: Path, ports: Ports, modules: str | None) -> str:
    """The whole file.  `run`: the demo's folder, which holds the includes and the certificate; `modules`: `lua_modules()`."""
    lua = f'lua_package_path "{run}/nginx/botsieve/lua/?.lua;;";' if modules is not None else ""
    # As root the workers would be somebody else, who may not enter the folder of the clone.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    return f"""# Written by `make run`; changes are lost.  The lines that protect the shop are marked <--
{modules or ""}{user}
daemon off;
worker_processes 1;
pid {run}/nginx.pid;
error_log {run}/nginx-error.log warn;
events {{ worker_connections 1024; }}

http {{
    {_temporary(run)}
    {lua}
    include {run}/nginx/botsieve/http.conf;                  # <-- once
    access_log {run}/access.log botsieve;

    # Only here: a demo client may claim an address of its own.  Nobody but this machine can connect.
    set_real_ip_from 127.0.0.0/8;
    real_ip_header X-Demo-Address;

    upstream shop {{ server 127.0.0.1:{ports.shop}; keepalive 16; }}

    server {{
        listen 127.0.0.1:{ports.http};
        include {run}/nginx/botsieve/server.conf;            # <-- in each server
        {_location(run, lua=modules is not None)}
    }}
    server {{
        listen 127.0.0.1:{ports.https} ssl http2;
        ssl_certificate {run}/certificate.pem;
        ssl_certificate_key {run}/key.pem;
        include {run}/nginx/botsieve/server-tls.conf;        # <-- in each server
        {_location(run, lua=modules is not None)}
    }}
}}
"""


def _location(run: Path, *, lua: bool) -> str:
    # With Lua: sessions, and our script into pages with a nonce too.  Stock nginx: protect.conf and sub_filter.
    protect, inject = ("protect-app.conf", "inject-app.conf") if lua else ("protect.conf", "inject.conf")
    return f"""location / {{
            include {run}/nginx/botsieve/{protect};   # <-- in each location
            include {run}/nginx/botsieve/{inject};    # <-- human interaction: our script into its pages
            proxy_pass http://shop;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Accept-Encoding "";      # <-- pages arrive unpacked, for the line above
        }}"""


def _temporary(run: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {run}/spool/{kind};" for kind in kinds)
