"""Runs `nginx -t` on every nginx file that we ship, the way a user includes them: installed, in http, server and location.

Each form of `botsieve nginx install` is one installation: as it is, and without Lua.  Every example under nginx/examples
is tested beside them, with ports and files that any machine has.  Exit code 1 names the form or the example that nginx refused,
with nginx's own words.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FORMS = {"with Lua": ([], True), "without Lua": (["--no-lua"], False)}

PAGE = """
{modules}
pid {at}/nginx.pid; error_log stderr error; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
    uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
    include {at}/botsieve/http.conf;
    server {{
        listen 127.0.0.1:8080;
        include {at}/botsieve/server.conf;
        location / {{ include {at}/botsieve/protect.conf; proxy_pass http://127.0.0.1:8081; }}
        location /pages/ {{ include {at}/botsieve/protect.conf; include {at}/botsieve/inject.conf; }}
        {app}
    }}
    server {{
        listen 127.0.0.1:8443 ssl;
        ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;
        include {at}/botsieve/server-tls.conf;
        location / {{ include {at}/botsieve/protect.conf; proxy_pass http://127.0.0.1:8081; }}
    }}
}}
"""
APP = """
        location /app/ {{ include {at}/botsieve/protect-app.conf; include {at}/botsieve/inject-app.conf; }}
        location /nonce/ {{ include {at}/botsieve/protect.conf; include {at}/botsieve/inject-lua.conf; }}
"""

# What the examples name and not every machine has, and what stands in for it.
PLACES = {
    "include /etc/nginx/modules-enabled/*.conf;": "{modules} pid {at}/nginx.pid; error_log stderr warn;",
    "http {": "http {{ client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;"
    " uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5; access_log off;",
    "/etc/ssl/shop.pem": "{at}/cert.pem",
    "/etc/ssl/shop.key": "{at}/key.pem",
    "/var/cache/nginx/": "{at}/",
    "/var/log/nginx/": "{at}/",
}
# Where the hooks of CrowdSec's package are: nginx must take ours beside each.
CROWDSEC = """lua_package_path "/usr/local/lua/crowdsec/?.lua;;"; lua_shared_dict crowdsec_cache 1m;
init_by_lua_block { cs = 1 } init_worker_by_lua_block { cs = 2 } access_by_lua_block { cs = 3 }
"""


def main() -> int:
    refused = 0
    for example in sorted((ROOT / "nginx" / "examples").glob("*.conf")):
        with tempfile.TemporaryDirectory() as folder:
            answer = check_example(Path(folder), example)
        print(f"nginx -t, {example.name}: {'ok' if answer is None else 'REFUSED'}")
        if answer is not None:
            print(answer, file=sys.stderr)
            refused += 1
    for form, (arguments, lua) in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            answer = check_form(Path(folder), arguments, lua=lua)
        print(f"nginx -t, {form}: {'ok' if answer is None else 'REFUSED'}")
        if answer is not None:
            print(answer, file=sys.stderr)
            refused += 1
    return 1 if refused else 0


def install(at: Path, arguments: list[str]) -> str | None:
    """Certificate and includes in `at`; None when that went well, else what was said."""
    from botsieve.demo.certificate import make_certificate

    make_certificate(at / "cert.pem", at / "key.pem")
    command = [sys.executable, "-m", "botsieve", "nginx", "install", "--to", str(at / "botsieve"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def check_form(at: Path, arguments: list[str], *, lua: bool) -> str | None:
    """None when nginx takes it, else what it said."""
    from botsieve.demo.nginx_conf import lua_modules

    app = APP.format(at=at) if lua else ""
    said = install(at, arguments)
    return said or nginx_says(at, PAGE.format(at=at, modules=lua_modules() if lua else "", app=app))


def check_example(at: Path, example: Path) -> str | None:
    """None when nginx takes it, else what it said.  Only ports and PLACES are changed."""
    from botsieve.demo.nginx_conf import lua_modules

    text = example.read_text("utf-8")
    for written, here in PLACES.items():
        text = text.replace(written, here.format(at=at, modules=lua_modules() or ""))
    text = re.sub(r"(listen +)(\d+)", r"\g<1>127.0.0.1:18\2", text)
    (at / "conf.d").mkdir()
    (at / "conf.d" / "crowdsec_nginx.conf").write_text(CROWDSEC)
    (at / "fastcgi_params").write_text("fastcgi_param QUERY_STRING $query_string;\n")
    return install(at, []) or nginx_says(at, text)


def nginx_says(at: Path, text: str) -> str | None:
    """None when nginx takes `text` as its nginx.conf without a warning, else its words."""
    from botsieve.demo.nginx_conf import find_nginx

    conf = at / "nginx.conf"
    conf.write_text(text)
    # Debian's /usr/sbin is on nobody's PATH but root's; and its error log is root's: what is said before the file is read goes here.
    command = [find_nginx(), "-t", "-q", "-e", "stderr", "-c", str(conf)]
    tested = subprocess.run(command, capture_output=True, text=True, check=False)
    said = tested.stdout + tested.stderr
    return said if tested.returncode or "[warn]" in said else None


if __name__ == "__main__":
    sys.exit(main())
