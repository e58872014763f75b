"""Gates and error pages that the user has at server level, around our own page and paths.

Law of the file: the protected location is open; what stands around it must not reach our locations.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site

AROUND = {
    "errors": ("proxy_intercept_errors on; error_page 403 404 /denied.html;", "proxy_intercept_errors off;"),
    "recursive": ("recursive_error_pages on; proxy_intercept_errors on; error_page 403 404 /denied.html;", ""),
    "password": ("auth_basic x; auth_basic_user_file {at}/users;", "auth_basic off;"),
    "deny": ("deny all;", "allow all;"),
    "both": ("auth_basic x; auth_basic_user_file {at}/users; deny all;", "auth_basic off; allow all;"),
    "any": ("satisfy any; auth_basic x; auth_basic_user_file {at}/users; deny all;", "auth_basic off; allow all;"),
}


@pytest.mark.parametrize("lua", [True, False], ids=["lua", "no-lua"])
@pytest.mark.parametrize("around", AROUND)
def test_our_page_and_paths(around: str, lua: bool, standin: StandIn, tmp_path: Path) -> None:
    """Who is challenged sees our page and can post a solution; who is allowed sees the application."""
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    server, inside = (text.format(at=tmp_path) for text in AROUND[around])
    arguments = () if lua else ("--no-lua",)
    locations = f"location / {{ PROTECT {inside} TO_APP }}"
    with Site(tmp_path, standin.socket, arguments=arguments, server=server, locations=locations, patient=True) as site:
        for tls in (False, True):
            port = site.https_port if tls else site.http_port
            assert ask(port, "/", "X-Want: allow", tls=tls).body == b"app GET /\n"
            for verdict in ("challenge", "block"):
                answer = ask(port, "/", f"X-Want: {verdict}", tls=tls)
                assert (answer.status, answer.body.decode()) == (403, f"page {verdict} 7k3m-9x2q-f4d1-p8wz\n")
            assert ask(port, "/.botsieve/solve", tls=tls, method="POST", body=b"{}").status == 204


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("around", AROUND)
def test_nobody_answers(around: str, closed: bool, tmp_path: Path) -> None:
    """Without a service: the application, or with --closed our small page; our paths give the small page."""
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    server, inside = (text.format(at=tmp_path) for text in AROUND[around])
    arguments = ("--closed",) if closed else ()
    locations = f"location / {{ PROTECT {inside} TO_APP }}"
    with Site(tmp_path, tmp_path / "none.sock", arguments=arguments, server=server, locations=locations, patient=True) as site:
        answer = ask(site.http_port)
        assert (answer.status, b"Please retry" in answer.body) == ((403, True) if closed else (200, False))
        script = ask(site.http_port, "/.botsieve/c.js")
        assert (script.status, b"Please retry" in script.body) == (403, True)


def test_a_gate_of_the_server_still_holds(standin: StandIn, tmp_path: Path) -> None:
    """In the location that inherits it: nobody is asked about a visitor without password, and `deny` is nginx's own 403."""
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    server = f"auth_basic x; auth_basic_user_file {tmp_path}/users;"
    locations = "location / { PROTECT TO_APP } location /denied { PROTECT deny all; TO_APP }"
    with Site(tmp_path, standin.socket, server=server, locations=locations, patient=True) as site:
        before = len(standin.seen())
        assert ask(site.http_port, "/", "X-Want: block").status == 401
        denied = ask(site.http_port, "/denied", "X-Want: block", "Authorization: Basic dTpw")
        assert (denied.status, b"nginx" in denied.body) == (403, True)
        assert len(standin.seen()) == before
        assert ask(site.http_port, "/", "X-Want: block", "Authorization: Basic dTpw").body.startswith(b"page block")


def test_lua_of_the_server(standin: StandIn, tmp_path: Path) -> None:
    """An outer access_by_lua that refuses everybody holds in the location that inherits it, not for our page and paths."""
    server = "access_by_lua_block { ngx.exit(403) }"
    locations = "location / { PROTECT access_by_lua_block { return } TO_APP } location /gate { PROTECT TO_APP }"
    with Site(tmp_path, standin.socket, server=server, locations=locations, patient=True) as site:
        assert ask(site.http_port).body == b"app GET /\n"
        for path in ("/", "/gate"):
            assert ask(site.http_port, path, "X-Want: challenge").body.startswith(b"page challenge")
        assert ask(site.http_port, "/.botsieve/solve", method="POST", body=b"{}").status == 204
        for want in ("allow", "close"):
            refused = ask(site.http_port, "/gate", f"X-Want: {want}")
            assert (refused.status, b"<center>nginx" in refused.body) == (403, True), "not taken for ours"


def test_lua_of_the_server_and_nobody_answers(tmp_path: Path) -> None:
    """Our paths give the small page, not the other product's refusal."""
    server, locations = "access_by_lua_block { ngx.exit(404) }", "location / { PROTECT TO_APP }"
    with Site(tmp_path, tmp_path / "none.sock", server=server, locations=locations, patient=True) as site:
        script = ask(site.http_port, "/.botsieve/c.js")
        assert (script.status, b"Please retry" in script.body) == (403, True)
