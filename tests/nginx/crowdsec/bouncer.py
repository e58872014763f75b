"""CrowdSec's Lua bouncer as a package lays it out: `conf.d/crowdsec_nginx.conf`, its settings, its Lua files.

Law of the file: nothing of CrowdSec's is kept in this repository.  The real bouncer is read from clones in the folder that
BOTSIEVE_CROWDSEC_DIR names (CONTRIBUTING.md); without them crowdsec.lua of this folder stands in, with the same hooks.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.conftest import ROOT
from tests.nginx.crowdsec.lapi import KEY

HERE = Path(__file__).parent
REAL, STANDIN = "real", "stand-in"
_HOOKS = "cs-nginx-bouncer/nginx/crowdsec_nginx.conf"
_SETTINGS = "lua-cs-bouncer/config_example.conf"
_LUA = ("lua-cs-bouncer/lib", "lua-resty-http/lib")
# What the real file says at the real places.
_SETTINGS_PATH = "/etc/crowdsec/bouncers/crowdsec-nginx-bouncer.conf"
_CERTIFICATES = "lua_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"

BAN, CAPTCHA = "banned by crowdsec\n", "captcha of crowdsec\n"

# The same hooks, in the same order.
HOOKS = """
lua_package_path 'the folder of it/?.lua;;';
lua_shared_dict crowdsec_cache 50m;
init_by_lua_block {
    cs = require "crowdsec"
    local ok, err = cs.init("/etc/crowdsec/bouncers/crowdsec-nginx-bouncer.conf", "stand-in")
    if ok == nil then
        error(err)
    end
}
map $server_addr $unix { default 0; "~unix:" 1; }
access_by_lua_block {
    local cs = require "crowdsec"
    if ngx.var.unix ~= "1" then
        cs.Allow(ngx.var.remote_addr)
    end
}
init_worker_by_lua_block {
    cs = require "crowdsec"
    if string.lower(cs.get_mode()) == "stream" then
        cs.SetupStream()
    end
    if ngx.worker.id() == 0 then
        cs.SetupMetrics()
    end
}
"""


def clones() -> Path:
    """The folder with the clones of the real bouncer."""
    named = os.environ.get("BOTSIEVE_CROWDSEC_DIR", "")
    assert named, "set BOTSIEVE_CROWDSEC_DIR to the folder with the clones of CrowdSec, or use `make test-crowdsec`"
    folder = (ROOT / named).resolve()
    for part in (_HOOKS, _SETTINGS, *_LUA):
        assert (folder / part).exists(), f"BOTSIEVE_CROWDSEC_DIR={named}: {folder / part} is missing (CONTRIBUTING.md)"
    return folder


def lay_out(folder: Path, kind: str, url: str, **settings: str) -> None:
    """Writes the bouncer of that kind into `folder`, asking the local API at `url`; `settings` are lines of its file."""
    hooks, lines, lua = HOOKS, "", [HERE]
    if kind == REAL:
        at = clones()
        hooks = (at / _HOOKS).read_text()
        lines = (at / _SETTINGS).read_text()
        lua = [at / part for part in _LUA]
    (folder / "ban.html").write_text(BAN)
    (folder / "captcha.html").write_text(CAPTCHA)
    settings = {
        "API_URL": url,
        "API_KEY": KEY,
        "MODE": "live",
        "ENABLE_INTERNAL": "false",
        "REQUEST_TIMEOUT": "5000",
        "UPDATE_FREQUENCY": "1",
        "CACHE_EXPIRATION": "1",
        "BAN_TEMPLATE_PATH": str(folder / "ban.html"),
        "CAPTCHA_TEMPLATE_PATH": str(folder / "captcha.html"),
        **settings,
    }
    kept = [line for line in lines.splitlines() if line.partition("=")[0] not in settings]
    written = folder / "bouncer.conf"
    written.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in settings.items())]) + "\n")
    path = ";".join(f"{part}/?.lua" for part in (*lua, folder / "botsieve" / "lua"))
    hooks, replaced = re.subn(r"lua_package_path '[^']*';", f"lua_package_path '{path};;';", hooks)
    assert replaced == 1, "crowdsec_nginx.conf has no lua_package_path of its own"
    assert _SETTINGS_PATH in hooks, "crowdsec_nginx.conf reads other settings"
    hooks = hooks.replace(_SETTINGS_PATH, str(written)).replace(_CERTIFICATES, "")
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "crowdsec_nginx.conf").write_text(hooks)
