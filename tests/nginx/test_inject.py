"""Our script in pages, by stock sub_filter and by Lua: real nginx in front of an application that does everything that breaks it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest

from tests.nginx.raw import Answer, ask
from tests.servers import Site

TAG = b'<script src="/.botsieve/b.js" defer></script>'
NONCE = "r4nd0m+/=_-"
NONCED = TAG.replace(b" defer", f' defer nonce="{NONCE}"'.encode())
# What the application answers, by path: a page whole, cut at every place, packed, without head, in parts ...
APP = r"""
    set $page '<!doctype html><html><head><title>t</title></head><body>b</body></html>';
    etag off;
    content_by_lua_block {
        local page, uri, header = ngx.var.page, ngx.var.uri:match("[^/]*$"), ngx.header
        header["Content-Type"] = "text/html; charset=utf-8"
        header["X-Heard"] = ngx.req.get_headers()["X-Botsieve-Verdict"]
        header["X-Asked"] = ngx.var.http_accept_encoding or "plain"
        if uri == "tagged" then
            header["ETag"] = '"v1"'
            header["Last-Modified"] = "Sun, 01 Nov 2026 00:00:00 GMT"
            header["Accept-Ranges"] = "bytes"
            if ngx.var.http_if_none_match then return ngx.exit(304) end
        elseif uri == "csp" then
            header["Content-Security-Policy"] = "default-src 'self'; script-src 'nonce-NONCE' 'strict-dynamic'"
        elseif uri == "csp-hash" then
            header["Content-Security-Policy"] = "default-src 'nonce-other'; script-src 'sha256-abc'"
        elseif uri == "csp-two" then
            header["Content-Security-Policy"] = { "img-src *", "script-src 'nonce-NONCE'" }
        elseif uri == "csp-evil" then
            header["Content-Security-Policy"] = "script-src 'nonce-\"><script>'"
        elseif uri == "data" then
            header["Content-Type"] = "application/json"
            page = '{"html":"</head>"}'
        elseif uri == "part" then
            ngx.status = 206
            header["Content-Range"] = "bytes 0-70/900"
        elseif uri == "kept" then
            header["Cache-Control"] = "public, no-transform"
        elseif uri == "saved" then
            header["Content-Disposition"] = 'attachment; filename="page.html"'
        elseif uri == "missing" then
            ngx.status = 404
        elseif uri == "moved" then
            ngx.status = 302
            header["Location"] = "/elsewhere"
        elseif uri == "fragment" then
            page = "<p>one</p><p>two</p>"
        elseif uri == "headless" then
            page = "<!doctype html><title>t</title><body class=x>b"
        elseif uri == "upper" then
            page = "<HTML><HEAD><TITLE>t</TITLE></HEAD ><BODY>b</BODY></HTML>"
        elseif uri == "header" then
            page = "<html><header>h</header></html>"
        elseif uri == "huge" then
            page = ("x"):rep(3000000)
        elseif uri == "late" then
            page = "<html><head>" .. ("<!-- x -->"):rep(20000) .. "</head></html>"
        elseif uri == "empty" then
            page = ""
        elseif uri == "size" then
            header["Content-Length"] = #page
        elseif uri == "twice" then
            page = page .. page
        end
        if uri == "cut" then
            local at = tonumber(ngx.var.arg_at)
            ngx.print(page:sub(1, at)) ngx.flush(true) ngx.sleep(0.02)
            ngx.print(page:sub(at + 1, at + 1)) ngx.flush(true) ngx.sleep(0.02)
            ngx.print(page:sub(at + 2))
        else
            ngx.print(page)
        end
    }
""".replace("NONCE", NONCE)
PAGE = b"<!doctype html><html><head><title>t</title></head><body>b</body></html>"
PLAIN = 'proxy_set_header Accept-Encoding "";'
LOCATIONS = f"""
    gzip on; gzip_min_length 0; gzip_types text/html; gzip_proxied any;
    proxy_buffering off; proxy_http_version 1.1;
    location / {{ return 404; }}
    location /sub/ {{ PROTECT INJECT TO_APP {PLAIN} }}
    location /lua/ {{ PROTECT INJECT_LUA TO_APP {PLAIN} }}
    location /app/ {{ PROTECT_APP INJECT_APP TO_APP {PLAIN} }}
    location /sub-packed/ {{ INJECT TO_APP }}
    location /lua-packed/ {{ INJECT_LUA TO_APP }}
    location /sub-files/ {{ INJECT alias FILES/; }}
    location /lua-files/ {{ INJECT_LUA alias FILES/; }}
    location /lua-cached/ {{ INJECT_LUA TO_APP {PLAIN} proxy_buffering on; proxy_cache pages; proxy_cache_valid 200 1m; }}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("inject")
    files = folder / "files"
    files.mkdir()
    (files / "page.html").write_bytes(PAGE)
    locations = LOCATIONS.replace("FILES", str(files))
    for word, name in (("INJECT_LUA", "inject-lua"), ("INJECT_APP", "inject-app"), ("INJECT", "inject")):
        locations = locations.replace(f" {word} ", f" include {folder}/botsieve/{name}.conf; ")
    http = f"proxy_cache_path {folder}/cache keys_zone=pages:1m;"
    # Nobody is asked: there is no service, and the breaker lets pass.
    app = "gzip on; gzip_min_length 0; gzip_proxied any; " + APP
    with Site(folder, folder / "nobody.sock", locations=locations, http=http, app=app, patient=True) as nginx:
        yield nginx


BOTH = pytest.mark.parametrize("way", ["sub", "lua", "app"])
LUA = pytest.mark.parametrize("way", ["lua", "app"])


def got(site: Site, path: str, *lines: str, method: str = "GET") -> Answer:
    """The answer with its body put together from chunks."""
    answer = ask(site.http_port, path, *lines, method=method)
    body = answer.body
    if "chunked" in answer.all("Transfer-Encoding"):
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole += body[: int(size, 16)]
            body = body[int(size, 16) + 2 :]
        answer = answer._replace(body=whole)
    return answer


@BOTH
def test_the_tag_stands_at_the_end_of_the_head(site: Site, way: str) -> None:
    """Once, before `</head>`; the rest of the page is as it was."""
    answer = got(site, f"/{way}/page")
    assert answer.status == 200
    assert answer.body == PAGE.replace(b"</head>", TAG + b"</head>")
    assert answer.all("Content-Length") == []


@BOTH
def test_a_page_of_a_known_length(site: Site, way: str) -> None:
    """Content-Length of the application is not that of the page any more."""
    assert got(site, f"/{way}/size").body.count(TAG) == 1


@BOTH
@pytest.mark.parametrize("at", range(PAGE.index(b"</head>") - 1, PAGE.index(b"</head>") + 8))
def test_a_tag_cut_by_chunks_is_found(site: Site, way: str, at: int) -> None:
    """Wherever the application flushes: in front of, inside or behind `</head>`."""
    assert got(site, f"/{way}/cut?at={at}").body == PAGE.replace(b"</head>", TAG + b"</head>")


@BOTH
def test_visitors_get_gzip(site: Site, way: str) -> None:
    """The application is asked for plain pages, the visitor gets them packed, with the tag."""
    answer = got(site, f"/{way}/page", "Accept-Encoding: gzip")
    assert answer.all("Content-Encoding") == ["gzip"]
    assert answer.all("X-Asked") == ["plain"]
    assert gzip.decompress(answer.body) == PAGE.replace(b"</head>", TAG + b"</head>")


@pytest.mark.parametrize("way", ["sub", "lua"])
def test_a_packed_page_passes_untouched(site: Site, way: str) -> None:
    """Where the operator forgot the line, the page is whole and has no tag; Lua says so in the error log, once."""
    for _ in range(3):
        answer = got(site, f"/{way}-packed/page", "Accept-Encoding: gzip")
        assert answer.all("Content-Encoding") == ["gzip"]
        assert gzip.decompress(answer.body) == PAGE
    if way == "lua":
        assert site.error_log.read_text().count("a page came packed (gzip)") == 1


@LUA
def test_the_nonce_of_the_page_is_kept(site: Site, way: str) -> None:
    """The tag carries the nonce of the page's policy, and only one that is a nonce."""
    assert NONCED in got(site, f"/{way}/csp").body
    assert NONCED in got(site, f"/{way}/csp-two").body
    assert TAG in got(site, f"/{way}/csp-hash").body, "script-src decides, and has none"
    evil = got(site, f"/{way}/csp-evil").body
    assert evil.count(b"<script") == 1
    assert TAG in evil


def test_sub_filter_cannot_add_a_nonce(site: Site) -> None:
    """LIMIT of the stock way: the tag goes out without it, and the browser refuses the script."""
    assert TAG in got(site, "/sub/csp").body


@LUA
@pytest.mark.parametrize("path", ["data", "part", "kept", "saved", "moved", "fragment", "header", "empty"])
def test_what_is_no_whole_page_passes_untouched(site: Site, way: str, path: str) -> None:
    """JSON, a part, no-transform, a download, a redirect, a fragment, `<header>`, nothing at all."""
    answer = got(site, f"/{way}/{path}")
    assert b"b.js" not in answer.body
    if path == "part":
        assert (answer.status, answer.body) == (206, PAGE)
        assert answer.all("Content-Range") == ["bytes 0-70/900"]


@pytest.mark.parametrize("path", ["data", "fragment", "header", "empty"])
def test_what_stock_nginx_leaves_alone(site: Site, path: str) -> None:
    """Other types, and pages without `</head>`."""
    assert b"b.js" not in got(site, f"/sub/{path}").body


@LUA
def test_what_a_script_fetches_passes_untouched(site: Site, way: str) -> None:
    """HTML that a page's script asks for is put into a page that has the tag already."""
    assert got(site, f"/{way}/page", "Sec-Fetch-Dest: empty").body == PAGE
    assert TAG in got(site, f"/{way}/page", "Sec-Fetch-Dest: document").body
    assert TAG in got(site, f"/{way}/page", "Sec-Fetch-Dest: iframe").body


@LUA
@pytest.mark.parametrize(
    ("path", "before"),
    [("headless", b"<body class=x>"), ("upper", b"</HEAD >"), ("missing", b"</head>"), ("twice", b"</head>")],
)
def test_pages_of_every_form(site: Site, way: str, path: str, before: bytes) -> None:
    """A head without end tag, capitals, an error page, two heads: once, at the first place."""
    body = got(site, f"/{way}/{path}").body
    assert body.count(TAG) == 1
    assert TAG + before in body


@BOTH
def test_a_huge_page_arrives_whole(site: Site, way: str) -> None:
    """Three megabytes without a head: every byte, and nothing is held back."""
    assert got(site, f"/{way}/huge").body == b"x" * 3_000_000


@LUA
def test_a_head_that_never_ends_is_given_up(site: Site, way: str) -> None:
    """Beyond 64 KiB nobody looks any more; the page is whole."""
    assert got(site, f"/{way}/late").body == b"<html><head>" + b"<!-- x -->" * 20_000 + b"</head></html>"


@LUA
def test_validators_say_that_the_bytes_differ(site: Site, way: str) -> None:
    """ETag becomes weak, Last-Modified stays, ranges are not offered; a 304 has no body and no length of another."""
    answer = got(site, f"/{way}/tagged")
    assert answer.all("ETag") == ['W/"v1"']
    assert answer.all("Last-Modified") == ["Sun, 01 Nov 2026 00:00:00 GMT"]
    assert answer.all("Accept-Ranges") == []
    again = got(site, f"/{way}/tagged", 'If-None-Match: W/"v1"')
    assert (again.status, again.body) == (304, b"")


def test_sub_filter_weakens_the_etag(site: Site) -> None:
    """What stock nginx does to validators; a 304 works."""
    answer = got(site, "/sub/tagged")
    assert answer.all("ETag") in ([], ['W/"v1"'])
    assert answer.all("Last-Modified") == []
    assert got(site, "/sub/tagged", 'If-None-Match: W/"v1"').status == 304


@BOTH
def test_head_has_the_headers_of_get(site: Site, way: str) -> None:
    """No body, and no Content-Length of a page that GET would not send."""
    answer = got(site, f"/{way}/size", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.all("Content-Length") == []


@pytest.mark.parametrize("way", ["sub", "lua"])
def test_files_of_nginx_itself(site: Site, way: str) -> None:
    """Static pages: with the tag, a 304 for who has it, and no range of other bytes."""
    answer = got(site, f"/{way}-files/page.html")
    assert answer.body == PAGE.replace(b"</head>", TAG + b"</head>")
    ranged = got(site, f"/{way}-files/page.html", "Range: bytes=0-9")
    assert ranged.status in (200, 206)
    assert ranged.status == 200 or TAG not in ranged.body
    stamp = answer.all("ETag") or answer.all("Last-Modified")
    if way == "lua":
        assert re.fullmatch(r'W/"[0-9a-f-]+"', stamp[0])
        assert got(site, f"/{way}-files/page.html", f"If-None-Match: {stamp[0]}").status == 304


def test_a_stored_page_gets_the_tag_each_time(site: Site) -> None:
    """proxy_cache keeps the page of the application; miss and hit reach visitors alike."""
    first, second = (got(site, "/lua-cached/page") for _ in range(2))
    assert first.body == second.body == PAGE.replace(b"</head>", TAG + b"</head>")


def test_over_tls_and_http2_the_same(site: Site) -> None:
    """The TLS server has the same filters."""
    assert TAG in ask(site.https_port, "/app/page", tls=True).body


def test_the_application_hears_the_verdict_as_well(site: Site) -> None:
    """inject-app.conf beside protect-app.conf: both filters run, and Lua has no complaint of its own."""
    answer = got(site, "/app/heard")
    assert answer.all("X-Heard") == ["unjudged"]
    assert answer.body.count(TAG) == 1
    assert "runtime error" not in site.error_log.read_text()
