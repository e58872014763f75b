"""includes.py: the shipped files, filled in with values that cannot be anything but values."""

from __future__ import annotations

import re

import pytest
from botsieve.edge.includes import DEFAULT_SOCKET, LUA_FILES, NGINX_FILES, Filling, fill, lua_texts, nginx_texts, shipped
from hypothesis import example, given
from hypothesis import strategies as st


def directives(texts: dict[str, str]) -> list[str]:
    """The lines that nginx reads, without comments."""
    lines = [line.split("#")[0].strip() for name, text in texts.items() if name.endswith(".conf") for line in text.splitlines()]
    return [line for line in lines if line]


def test_every_shipped_file_is_listed() -> None:
    """A file added to nginx/ or lua/ is installed, or this fails."""
    assert {path.name for path in shipped("nginx").iterdir() if path.is_file()} == set(NGINX_FILES)
    assert {path.name for path in (shipped("lua") / "resty" / "botsieve").iterdir()} == set(LUA_FILES) == set(lua_texts())


def test_defaults_change_nothing_but_the_includes() -> None:
    """The shipped files work as they are: the default filling only makes the inner includes absolute."""
    for name, text in nginx_texts(Filling()).items():
        original = (shipped("nginx") / name).read_text()
        assert text.replace("/etc/nginx/botsieve/", "botsieve/") == original.replace("/etc/nginx/botsieve/", "botsieve/")


def test_every_value_arrives() -> None:
    """Folder, socket, port and prefix stand where the defaults stood, everywhere."""
    filling = Filling(folder="/opt/x/bs", socket="/opt/x/s.sock", port=9999, prefix="/_own/")
    read = "\n".join(directives(nginx_texts(filling)))
    assert "server              unix:/opt/x/s.sock max_fails=3" in read
    assert read.count("127.0.0.1:9999") == 6  # upstream, listen, @botsieve_unjudged, _page twice, _retry
    assert "location ^~ /_own/ {" in read
    assert len(re.findall(r"^include\s+/opt/x/bs/headers.conf;", read, re.MULTILINE)) == 3
    assert "include /opt/x/bs/server.conf;" in read
    assert "include /opt/x/bs/protect.conf;" in read
    for default in (DEFAULT_SOCKET, "9481", "/.botsieve/", "include botsieve/"):
        assert default not in read.replace("\\", "")  # nor in a pattern
    pattern = re.search(r'if \(\$uri ~ "(.*)"\)', "\n".join(directives(nginx_texts(Filling(prefix="/a-b_c.d/")))))
    assert pattern is not None
    assert re.match(pattern[1], "/a-b_c.d/solve")
    assert not re.match(pattern[1], "/a-b_cxd/solve")


def test_closed_refuses() -> None:
    """--closed: the backup and the Lua check answer 403 where they answered 200, and there is a page for it; no more differs."""
    before, after = directives(nginx_texts(Filling())), directives(nginx_texts(Filling(closed=True)))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new for _, new in changed] == [
        'return      403 "";',
        'header_filter_by_lua_block { require("resty.botsieve.edge").heard(403) }',
        "if ($botsieve_verdict = unjudged) {",
    ]
    assert "heard" not in str(directives(nginx_texts(Filling(closed=True, lua=False))))


# What the backup needs to ask the service by itself: all of it is Lua's, or pointless without.
AGAIN = """
upstream botsieve_again {
server              unix:/run/botsieve/check.sock;
keepalive           8;
}
set_by_lua_block $botsieve_again {
local ok, edge = pcall(require, "resty.botsieve.edge")
return ok and edge.asks_again() or ""
}
if ($botsieve_again) { rewrite ^(.*)$ /v1/again$1 last; }
set_by_lua_block $botsieve_again {
local ok, edge = pcall(require, "resty.botsieve.edge")
return ok and edge.asks_again() or ""
}
if ($botsieve_again) { rewrite ^(.*)$ /v1/page-again$1 last; }
location /v1/again/ {
internal;
rewrite                     ^/v1/again(/.*)$ $1 break;
proxy_pass                  http://botsieve_again;
proxy_http_version          1.1;
proxy_set_header            Host $http_host;
proxy_set_header            Connection "";
proxy_set_header            Upgrade $http_upgrade;
proxy_connect_timeout       30ms;
proxy_send_timeout          30ms;
proxy_read_timeout          30ms;
proxy_next_upstream         off;
header_filter_by_lua_block  { require("resty.botsieve.edge").asked_again() }
error_page                  500 502 503 504 = /v1/check/silent;
}
location /v1/page-again/ {
internal;
rewrite                     ^/v1/page-again(/.*)$ $1 break;
proxy_pass                  http://botsieve_again;
proxy_http_version          1.1;
proxy_set_header            Host $http_host;
proxy_set_header            Connection "";
proxy_connect_timeout       50ms;
proxy_send_timeout          500ms;
proxy_read_timeout          500ms;
proxy_next_upstream         off;
header_filter_by_lua_block  { require("resty.botsieve.edge").asked_again() }
error_page                  500 502 503 504 = /retry-again-later;
}
"""


def test_no_lua_is_the_same_without_lua() -> None:
    """--no-lua: lines of Lua are gone, every other line is there, and what is nothing but Lua is not."""
    before, after = nginx_texts(Filling()), nginx_texts(Filling(lua=False))
    only = {"protect-app.conf", "inject-lua.conf", "inject-app.conf"}
    assert set(before) - set(after) == only
    before = {name: text for name, text in before.items() if name not in only}
    gone = list(directives(before))
    for line in directives(after):
        gone.remove(line)
    assert not [line for line in directives(after) if "lua" in line]
    assert sorted(gone) == sorted(
        [
            *AGAIN.strip().splitlines(),
            "ssl_client_hello_by_lua_block {",
            'local found, client_hello = pcall(require, "resty.botsieve.client_hello")',
            "if found then client_hello.capture() end",
            "}",
            "access_by_lua_block        { return }",
            "access_by_lua_block         { return }",
            "access_by_lua_block        { return }",
            'header_filter_by_lua_block { require("resty.botsieve.edge").heard(200) }',
            'map "" $botsieve_answer {',
            "volatile;",
            'default "$upstream_status $upstream_http_x_botsieve_verdict $upstream_http_x_botsieve_ask$upstream_http_x_botsieve_hold";',
            "}",
            'set                        $botsieve_edge "1 order";',
            'set                        $botsieve_edge "1 order";',
            "set                        $botsieve_unjudged 0;",
            'set_by_lua_block           $botsieve_header_order { return require("resty.botsieve.edge").ask() }',
            'set_by_lua_block           $botsieve_header_order { return require("resty.botsieve.edge").see() }',
            "if ($botsieve_unasked) { return 200; }",
            "if ($botsieve_unasked = block) {",
            "rewrite                ^ /retry? break;",
            "proxy_pass             http://127.0.0.1:9481;",
            "}",
            'log_by_lua_block { require("resty.botsieve.edge").count_unjudged() }',
            "lua_shared_dict botsieve_edge 1m;",
            "lua_shared_dict botsieve_hold 2m;",
            "set_by_lua_block $botsieve_held {",
            'local ok, edge = pcall(require, "resty.botsieve.edge")',
            'return ok and edge.held() or ""',
            "}",
        ]
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("socket", "relative.sock"),
        ("socket", "/run/a b.sock"),
        ("socket", "/run/x;}"),
        ("socket", "/run/$host"),
        ("socket", "/run/../etc/x"),
        ("socket", "/run/x\n"),
        ("socket", "/" + "x" * 107),
        ("socket", ""),
        ("folder", "/etc/nginx/bot sieve"),
        ("folder", '/etc/"x"'),
        ("folder", "/"),
        ("port", 0),
        ("port", 65536),
        ("prefix", "/"),
        ("prefix", "/a"),
        ("prefix", "a/"),
        ("prefix", "/a/../"),
        ("prefix", "/{/"),
        ("prefix", "/" + "x" * 64 + "/"),
    ],
)
def test_refused_values(field: str, value: object) -> None:
    """What nginx could read otherwise is refused; the message names the field and what is accepted."""
    with pytest.raises(ValueError, match=f"^{field}: .*; accepted: "):
        Filling(**{field: value})  # type: ignore[arg-type]


TEXT = st.one_of(
    st.text(), st.text("/ab.;{}$\\\"'# \n\t").map(lambda text: "/" + text), st.text("/ab.-").map(lambda t: f"/{t}/")
)


@given(TEXT, TEXT, TEXT)
@example("/a", "/b;c", "/d/")
@example("/a\n", "/b", "/d/")
def test_any_text_is_a_value_or_refused(folder: str, socket: str, prefix: str) -> None:
    """Whatever is given: a clear refusal, or files with the same directives in the same places."""
    try:
        filling = Filling(folder=folder, socket=socket, prefix=prefix)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "; accepted: " in refusal
        return
    expected = directives(nginx_texts(Filling()))
    found = directives(nginx_texts(filling))
    assert len(found) == len(expected)
    for old, new in zip(expected, found, strict=True):
        assert len(new.split()) == len(old.split())
        assert re.sub(r"[^;{}$\"'\\]", "", new) == re.sub(r"[^;{}$\"'\\]", "", old)


def test_other_files_are_not_touched() -> None:
    """A README keeps its words."""
    assert fill("README.md", "/.botsieve/", Filling(prefix="/x/")) == "/.botsieve/"
