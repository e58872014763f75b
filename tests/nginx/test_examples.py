"""Each example of nginx/examples beside its neighbour: one request per verdict, and the neighbour still does its own job."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.nginx.conftest import StandIn
from tests.nginx.neighbours import Example, examples
from tests.nginx.raw import Answer, ask
from tests.servers import Site, wait_until

PAGE = "page {} 7k3m-9x2q-f4d1-p8wz\n"
Start = Callable[..., Example]


@pytest.fixture
def start(standin: StandIn, tmp_path: Path) -> Iterator[Start]:
    """Starts an example by its name."""
    with ExitStack() as stack:
        yield lambda name, **more: stack.enter_context(Example(tmp_path, name, standin.socket, **more))


def one_per_verdict(site: Example, path: str, allowed: str, *lines: str, tls: bool = False) -> None:
    """Allow: what the site is there for.  Challenge and block: our page, in place."""
    answer = ask(site.port, path, "X-Want: allow", *lines, tls=tls)
    assert (answer.status, answer.body.decode()) == (200, allowed)
    for verdict in ("challenge", "block"):
        answer = ask(site.port, path, f"X-Want: {verdict}", *lines, tls=tls)
        assert (answer.status, answer.body.decode()) == (403, PAGE.format(verdict))


def questions(standin: StandIn) -> list[dict[str, str]]:
    """What was asked so far, without the page's requests: headers of each."""
    return [
        {name.lower(): value for name, value in seen["headers"]}
        for seen in standin.seen()
        if seen["target"] == "/v1/check/nginx"
    ]


def test_every_example_has_its_test_and_its_line() -> None:
    """Each is started by a test here, and docs/coexistence.md and nginx/README.md name it."""
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "nginx").glob("test_examples*.py"))
    for name in examples():
        assert f'"{name}"' in tests, name
        assert f"{name}.conf" in (ROOT / "docs" / "coexistence.md").read_text(), name


def test_application(start: Start) -> None:
    """protect-app.conf over TLS: the application hears the verdict; the log is JSON and has it too."""
    site = start("application", app='location / { return 200 "$http_x_botsieve_verdict $http_x_botsieve_score\\n"; }')
    one_per_verdict(site, "/told", "allow 75\n", "X-Botsieve-Score: 1", tls=True)
    wait_until(lambda: site.access_log.read_text().count("\n") == 3, what="three lines")
    lines = [json.loads(line) for line in site.access_log.read_text().splitlines()]
    assert [(line["verdict"], line["status"]) for line in lines] == [("allow", 200), ("challenge", 403), ("block", 403)]


def test_limit_req(start: Start, standin: StandIn) -> None:
    """21 requests at once pass or get our page, which costs nothing of its own; the 22nd is limit_req's, and is not judged."""
    site = start("limit-req", places={"rate=10r/s": "rate=1r/m"})
    one_per_verdict(site, "/", "app GET /\n")
    for _ in range(18):
        assert ask(site.port, "/", "X-Want: block").body.decode() == PAGE.format("block")
    before = len(questions(standin))
    refused = ask(site.port, "/", "X-Want: allow")
    assert refused.status == 429
    assert b"nginx" in refused.body
    assert len(questions(standin)) == before
    assert ask(site.port, "/.botsieve/solve", method="POST", body=b"{}").status == 204


def test_login(start: Start, standin: StandIn, tmp_path: Path) -> None:
    """The 401 stays nginx's own and comes first; behind it Botsieve judges, and never sees the password."""
    (tmp_path / "staff.htpasswd").write_text("u:{PLAIN}p\n")
    site = start("login")
    for lines in ((), ("Authorization: Basic dTp4",), ("X-Want: block",)):
        before = len(questions(standin))
        answer = ask(site.port, "/staff/", *lines)
        assert (answer.status, answer.all("WWW-Authenticate")) == (401, ['Basic realm="Staff"'])
        assert len(questions(standin)) == before
    one_per_verdict(site, "/staff/", "app GET /staff/\n", "Authorization: Basic dTpw")
    assert "authorization" not in questions(standin)[-1]
    one_per_verdict(site, "/", "app GET /\n")
    denied = ask(site.port, "/staff/", "Authorization: Basic dTpw", method="DELETE")
    assert denied.status == 403
    assert b"nginx" in denied.body


def test_other_origin(start: Start, standin: StandIn) -> None:
    """A page of another host can read our refusal: its script sees a status and a code, not a network error.  Preflights pass."""
    site = start("other-origin")
    origin = "Origin: https://www.shop.example"
    one_per_verdict(site, "/", "app GET /\n", origin)
    for want in ("allow", "challenge", "block"):
        answer = ask(site.port, "/", origin, f"X-Want: {want}")
        assert answer.all("Access-Control-Allow-Origin") == ["https://www.shop.example"], want
        assert answer.all("Access-Control-Allow-Credentials") == ["true"], want
    assert ask(site.port, "/", "Origin: https://evil.example", "X-Want: block").all("Access-Control-Allow-Origin") == []
    before = len(questions(standin))
    preflight = ask(site.port, "/", origin, "Access-Control-Request-Method: GET", "X-Want: block", method="OPTIONS")
    assert (preflight.status, preflight.all("Access-Control-Allow-Origin")) == (204, ["https://www.shop.example"])
    assert len(questions(standin)) == before


def test_the_applications_own_401_and_403(start: Start) -> None:
    """Answers of the application pass as they are: neither its login nor its refusals become our page."""
    app = 'location / { add_header WWW-Authenticate Bearer always; return 401 "own"; } location /no { return 403 "own"; }'
    site = start("limit-req", app=app)
    answer = ask(site.port, "/")
    assert (answer.status, answer.body, answer.all("WWW-Authenticate")) == (401, b"own", ["Bearer"])
    assert ask(site.port, "/no").body == b"own"


def ask_from(address: str, port: int, want: str, path: str = "/", **headers: str) -> tuple[int, str]:
    """One request from another address of loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
    connection.request("GET", path, headers={"X-Want": want, **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_offices(start: Start, tmp_path: Path) -> None:
    """An office needs no password, others do; Botsieve judges both."""
    (tmp_path / "staff.htpasswd").write_text("u:{PLAIN}p\n")
    site = start("offices", places={"192.0.2.0/24": "127.0.0.2/32"})
    assert ask_from("127.0.0.2", site.port, "allow") == (200, "app GET /\n")
    assert ask_from("127.0.0.2", site.port, "block") == (403, PAGE.format("block"))
    assert ask_from("127.0.0.1", site.port, "allow")[0] == 401
    assert ask_from("127.0.0.1", site.port, "block")[0] == 401
    assert ask_from("127.0.0.1", site.port, "allow", Authorization="Basic dTpw")[0] == 200
    assert ask_from("127.0.0.1", site.port, "block", Authorization="Basic dTpw") == (403, PAGE.format("block"))


def test_why_never_satisfy_any(standin: StandIn, tmp_path: Path) -> None:
    """One of the server does not hold under our includes: our allow is no password.  One further in shows nginx's own rule:
    there it would be."""
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    login = f"auth_basic x; auth_basic_user_file {tmp_path}/users;"
    app = 'return 200 "$http_x_botsieve_score\n";'
    further_in = f"location /in/ {{ satisfy any; {login} TO_APP }}"
    locations = f"location / {{ {login} PROTECT TO_APP {further_in} }} location /app {{ {login} PROTECT_APP TO_APP }}"
    with Site(tmp_path, standin.socket, server="satisfy any;", locations=locations, app=app, patient=True) as site:
        for path, told in (("/", b"1\n"), ("/app", b"75\n")):
            assert ask(site.http_port, path).status == 401
            answer = ask(site.http_port, path, "Authorization: Basic dTpw", "X-Botsieve-Score: 1")
            assert (answer.status, answer.body) == (200, told)
            assert ask(site.http_port, path, "Authorization: Basic dTpw", "X-Want: block").body.startswith(b"page block")
        assert ask(site.http_port, "/in/").status == 200


def test_a_second_satisfy_is_refused(standin: StandIn, tmp_path: Path) -> None:
    """Beside protect.conf in one location: nginx says so at the start, and does not guess."""
    with pytest.raises(AssertionError, match='"satisfy" directive is duplicate'):
        Site(tmp_path, standin.socket, locations="location / { PROTECT satisfy any; TO_APP }")


def test_single_page(start: Start, standin: StandIn) -> None:
    """A file, the page for any other path, the API; a path that try_files leads on is one request, asked about under one id."""
    site = start("single-page")
    (site.srv / "index.html").write_text("the page\n")
    (site.srv / "a.css").write_text("the file\n")
    for path in ("/a.css", "/", "/deep/link?x=1"):
        before = len(questions(standin))
        one_per_verdict(site, path, "the file\n" if path == "/a.css" else "the page\n")
        asked = questions(standin)[before:]
        assert {told["x-botsieve-uri"] for told in asked} == {path}
        assert len({told["x-botsieve-request-id"] for told in asked}) == 3
    one_per_verdict(site, "/api/items", "app GET /api/items\n")
    assert ask(site.port, "/api/items", "X-Want: redirect").status == 200  # nonsense of the service: let pass


def test_rewrites(start: Start, standin: StandIn) -> None:
    """Rewrites of the server lead pages to index.php and leave the question, the solution and the visitor's variables alone."""
    site = start(
        "rewrites", app='location / { return 200 "$request_uri $http_x_visited\\n"; } location /.botsieve { return 500; }'
    )
    (site.srv / "a.txt").write_text("a file\n")
    one_per_verdict(site, "/2026/post", "/index.php?q=2026/post /2026/post\n")
    one_per_verdict(site, "/a.txt", "a file\n")
    assert questions(standin)[-1]["x-botsieve-uri"] == "/a.txt"
    assert ask(site.port, "/.botsieve/solve", method="POST", body=b"{}").status == 204


def test_proxy_cache(start: Start) -> None:
    """A stored page for those who may see it, our page for those who may not; neither our page nor our cookie is stored."""
    site = start(
        "proxy-cache",
        app='location / { return 200 "$request_id\\n"; } location /own { add_header Set-Cookie a=1; return 200 x; }',
    )

    def get(path: str, want: str) -> tuple[list[str], Answer]:
        answer = ask(site.port, path, f"X-Want: {want}")
        return answer.all("X-Cache"), answer

    for first in ("block", "challenge"):  # asked for first, and not stored
        assert get(f"/{first}", first)[1].body.decode() == PAGE.format(first)
        assert get(f"/{first}", "allow")[0] == ["MISS"]
    state, stored = get("/page", "cookie")
    assert state == ["MISS"]
    assert stored.all("Set-Cookie") == ["botsieve_s=1; Path=/"]
    state, again = get("/page", "allow")
    assert (state, again.body, again.all("Set-Cookie")) == (["HIT"], stored.body, [])
    state, third = get("/page", "cookie")
    assert (state, third.all("Set-Cookie")) == (["HIT"], ["botsieve_s=1; Path=/"])
    for verdict in ("block", "challenge"):
        state, refused = get("/page", verdict)
        assert (state, refused.status, refused.body.decode()) == ([], 403, PAGE.format(verdict))
    assert get("/page", "allow")[0] == ["HIT"]
    for _ in range(2):
        assert get("/own", "allow")[0] == ["MISS"]  # nginx's own rule: an answer with a cookie is not stored
    stored_bytes = b"".join(path.read_bytes() for path in (site.folder / "cache").rglob("*") if path.is_file())
    assert b"botsieve_s" not in stored_bytes
    assert b"page block" not in stored_bytes
    assert stored.body in stored_bytes


def test_http2_text(start: Start, standin: StandIn) -> None:
    """HTTP/2: sub_filter and gzip work on the application's text; the service hears the visitor's own Accept-Encoding."""
    site = start(
        "http2-text",
        app='location / { default_type text/html; return 200 "<a href=http://old.example/$http_accept_encoding>"; }',
    )
    with httpx.Client(verify=False, http2=True) as client:
        url = f"https://localhost:{site.port}/"
        answer = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        assert (answer.headers["content-encoding"], answer.text) == ("gzip", "<a href=https://shop.example/>")
        assert questions(standin)[-1]["accept-encoding"] == "gzip"
        assert questions(standin)[-1]["x-botsieve-http"] == "HTTP/2.0"
        for verdict in ("challenge", "block"):
            answer = client.get(url, headers={"X-Want": verdict})
            assert (answer.status_code, answer.text) == (403, PAGE.format(verdict))


def test_maintenance(start: Start, standin: StandIn) -> None:
    """With the file, everybody sees the operator's page and nobody is judged; so does who meets a dead application."""
    site = start("maintenance")
    (site.srv / "maintenance.html").write_text("back soon\n")
    one_per_verdict(site, "/", "app GET /\n")
    flag = site.srv / "maintenance.on"
    flag.touch()
    before = len(questions(standin))
    for want in ("allow", "challenge", "block"):
        answer = ask(site.port, "/any", f"X-Want: {want}")
        assert (answer.status, answer.body) == (503, b"back soon\n")
    assert len(questions(standin)) == before
    flag.unlink()
    one_per_verdict(site, "/", "app GET /\n")
