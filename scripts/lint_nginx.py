"""Runs `nginx -t` on every nginx file that we ship, the way a user includes them: installed, in http, server and location.

Each form of `botsieve nginx install` is one installation: as it is, and without Lua.  Every example under nginx/examples
is tested beside them.  Exit code 1 names the form that nginx refused, with nginx's own words.
"""

from __future__ import annotations

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
APP = "location /app/ {{ include {at}/botsieve/protect-app.conf; proxy_pass http://127.0.0.1:8081; }}"


def main() -> int:
    refused = 0
    for form, (arguments, lua) in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            answer = check_form(Path(folder), arguments, lua=lua)
        print(f"nginx -t, {form}: {'ok' if answer is None else 'REFUSED'}")
        if answer is not None:
            print(answer, file=sys.stderr)
            refused += 1
    return 1 if refused else 0


def check_form(at: Path, arguments: list[str], *, lua: bool) -> str | None:
    """None when nginx takes it, else what it said."""
    from botsieve.demo.certificate import make_certificate
    from botsieve.demo.nginx_conf import lua_modules

    make_certificate(at / "cert.pem", at / "key.pem")
    installed = subprocess.run(
        [sys.executable, "-m", "botsieve", "nginx", "install", "--to", str(at / "botsieve"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        return installed.stdout + installed.stderr
    conf = at / "nginx.conf"
    app = APP.format(at=at) if lua else ""
    conf.write_text(PAGE.format(at=at, modules=lua_modules() if lua else "", app=app))
    tested = subprocess.run(["nginx", "-t", "-q", "-c", str(conf)], capture_output=True, text=True, check=False)
    return None if tested.returncode == 0 else tested.stdout + tested.stderr


if __name__ == "__main__":
    sys.exit(main())
