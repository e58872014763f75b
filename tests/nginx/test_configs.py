"""Every shipped file beside what users write: nginx takes it, and the user's own lines keep their meaning."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.edge.includes import DEFAULT_PORT, shipped
from botsieve.edge.machine import find_lua, find_nginx

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Nginx, Site, be_patient, certificate, free_port, install

# What a user may have at http level and would not think of: each of these once broke somebody's sub-request.
USERS_HTTP = """
    proxy_cache_path {at}/cache keys_zone=all:1m;
    proxy_cache all; proxy_cache_valid any 10m; proxy_cache_key all; proxy_ignore_headers Set-Cookie Cache-Control;
    proxy_pass_request_headers off; proxy_buffering off; proxy_redirect / /elsewhere/; proxy_intercept_errors on;
    proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 128k; proxy_temp_file_write_size 64k;
    proxy_max_temp_file_size 1m; proxy_next_upstream off; proxy_read_timeout 600s; proxy_cookie_path / /elsewhere;
    proxy_set_header X-User-Own 1; proxy_http_version 1.0; proxy_headers_hash_bucket_size 64;
    proxy_hide_header X-Botsieve-Verdict; proxy_hide_header Set-Cookie; proxy_hide_header Cache-Control;
    proxy_hide_header Content-Security-Policy; add_header X-Hsts kept always; error_page 404 500 502 503 504 /oops;
    large_client_header_buffers 4 40k; client_max_body_size 1k; gzip on; limit_rate 10m;
"""


@pytest.fixture(scope="module")
def burdened(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site among such lines.  Its own location asks the application without cache."""
    folder = tmp_path_factory.mktemp("burdened")
    locations = "location / { PROTECT proxy_cache off; proxy_pass_request_headers on; TO_APP } location /oops { return 404; }"
    with Site(folder, standin.socket, http=USERS_HTTP.format(at=folder), locations=locations, patient=True) as site:
        yield site


def test_users_lines_do_not_reach_our_locations(burdened: Site, standin: StandIn) -> None:
    """Caches, buffers, time-outs and header lines of http level change no verdict and hide no header."""
    for _ in range(2):
        assert ask(burdened.http_port, "/", "X-Want: allow", "User-Agent: first").status == 200
        assert standin.last()["user-agent"] == ["first"]
        answer = ask(burdened.http_port, "/", "X-Want: block")
        assert (answer.status, answer.body) == (403, b"page block 7k3m-9x2q-f4d1-p8wz\n")
    assert "x-user-own" not in standin.last()
    assert standin.last()["x-botsieve-client-addr"] == ["127.0.0.1"]
    solved = ask(burdened.http_port, "/.botsieve/solve", method="POST", body=b"{}")
    assert solved.all("Set-Cookie") == ["botsieve_c=1"]


def test_our_lines_do_not_reach_the_users_locations(burdened: Site) -> None:
    """The include in a location leaves its add_header of outside alone, and nothing of ours is in the answer."""
    answer = ask(burdened.http_port, "/")
    assert answer.all("X-Hsts") == ["kept"]
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-botsieve")]


def test_headers_beyond_the_default_size(burdened: Site) -> None:
    """A user who allows 40 KB lines: still an answer, from the service or from the backup."""
    assert ask(burdened.http_port, "/", b"X-Big: " + b"x" * 39_000).status == 200


def test_own_403_and_401_stay_nginx_s_own(standin: StandIn, tmp_path: Path) -> None:
    """deny and auth_basic of the user answer as before, and are no page of ours."""
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    locations = f"""
        location /denied {{ PROTECT deny all; TO_APP }}
        location /login {{ PROTECT auth_basic x; auth_basic_user_file {tmp_path}/users; TO_APP }}
    """
    with Site(tmp_path, standin.socket, locations=locations, patient=True) as site:
        assert b"nginx" in ask(site.http_port, "/denied").body
        assert ask(site.http_port, "/login").status == 401
        assert ask(site.http_port, "/login").all("WWW-Authenticate") == ['Basic realm="x"']
        assert ask(site.http_port, "/login", "Authorization: Basic dTpw").status == 200
        assert ask(site.http_port, "/login", "Authorization: Basic dTpw", "X-Want: block").body.startswith(b"page block")


def test_other_lua_beside_ours(standin: StandIn, tmp_path: Path) -> None:
    """Another product's init_by_lua, access_by_lua, log_by_lua and package path go on working."""
    http = """
        init_by_lua_block { mark = "init" }
        access_by_lua_block { ngx.req.set_header("X-Other", mark) }
        log_by_lua_block { local other = true }
    """
    app = 'return 200 "app $http_x_other\\n";'
    with Site(tmp_path, standin.socket, http=http, app=app, patient=True) as site:
        for tls in (False, True):
            assert ask(site.https_port if tls else site.http_port, tls=tls).body == b"app init\n"


def test_missing_lua_files_fail_no_handshake(standin: StandIn, tmp_path: Path) -> None:
    """Lua files that are gone: https works, requests pass unjudged, and nobody sees a 5xx."""
    with Site(tmp_path, standin.socket) as site:
        for file in (site.includes / "lua" / "resty" / "botsieve").iterdir():
            file.unlink()
        for tls in (True, False):
            answer = ask(site.https_port if tls else site.http_port, tls=tls)
            assert (answer.status, answer.body) == (200, b"app GET /\n")


def test_without_lua(standin: StandIn, tmp_path: Path) -> None:
    """--no-lua on an nginx without the module: verdicts, pages and trusted headers are whole; the edge sees nothing."""
    with Site(tmp_path, standin.socket, arguments=("--no-lua",), patient=True) as site:
        for tls in (False, True):
            port = site.https_port if tls else site.http_port
            assert ask(port, "/", tls=tls).status == 200
            assert ask(port, "/", "X-Want: block", tls=tls).body == b"page block 7k3m-9x2q-f4d1-p8wz\n"
            forged = "X-Botsieve-Edge: 1 tls", "X-JA4-Fingerprint: t13", "X-Botsieve-Tls-Sig: t13", "X-Botsieve-Unjudged: 7"
            ask(port, "/", *forged, tls=tls)
            told = standin.last()
            assert told["x-botsieve-edge"] == ["1"]
            assert told["x-botsieve-client-addr"] == ["127.0.0.1"]
            assert not {"x-ja4-fingerprint", "x-botsieve-tls-sig", "x-botsieve-unjudged", "x-botsieve-header-order"} & set(told)
    (tmp_path / "quick").mkdir()
    with Site(tmp_path / "quick", standin.socket, arguments=("--no-lua",)) as site:
        for want in ("redirect", "error", "close", "half", "huge", "hang"):
            assert ask(site.http_port, "/", f"X-Want: {want}").status == 200


def test_two_names_on_one_listener(standin: StandIn, tmp_path: Path) -> None:
    """Two TLS servers on one listener, by name: both know the print."""
    pem, key = certificate(tmp_path)
    port = free_port()
    folder = install(tmp_path / "b", "--socket", str(standin.socket), "--port", str(free_port()))
    be_patient(folder)
    servers = "".join(
        f"""server {{ listen 127.0.0.1:{port} ssl http2; server_name {name}; ssl_certificate {pem}; ssl_certificate_key {key};
            include {folder}/server-tls.conf;
            location / {{ include {folder}/protect.conf; root {tmp_path}; try_files /certificate.pem =404; }} }}"""
        for name in ("one.example", "localhost")
    )
    with Nginx(tmp_path, f"include {folder}/http.conf; {servers}", port=port, lua_path=folder / "lua"):
        assert ask(port, "/", tls=True).status == 200
        assert standin.last()["x-ja4-fingerprint"][0].startswith("t13d")


def test_shipped_files_unfilled(tmp_path: Path) -> None:
    """The files of nginx/ as they lie in the clone: `nginx -t`."""
    pem, key = certificate(tmp_path)
    (tmp_path / "botsieve").symlink_to(shipped("nginx"))
    found = find_nginx()
    conf = tmp_path / "nginx.conf"
    spool = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text(f"""{find_lua(found).load_module}
        pid {tmp_path}/pid; error_log stderr; events {{ }}
        http {{ access_log off; {spool} include botsieve/http.conf;
            server {{ listen 127.0.0.1:{free_port()}; include botsieve/server.conf;
                      location / {{ include botsieve/protect.conf; proxy_pass http://127.0.0.1:9; }}
                      location /app {{ include botsieve/protect-app.conf; proxy_pass http://127.0.0.1:9; }} }}
            server {{ listen 127.0.0.1:{free_port()} ssl; ssl_certificate {pem}; ssl_certificate_key {key};
                      include botsieve/server-tls.conf; }} }}""")
    done = subprocess.run([found.command, "-t", "-c", str(conf)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr, done.stderr
    assert DEFAULT_PORT == 9481
