"""The traps are real: each bad conf is started, and what is said of the visitor happens; in the good one it does not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import Answer, ask
from tests.nginx_check.confs import Folder, Running

BLOCK = "X-Want: block"
OURS = (403, b"page block 7k3m-9x2q-f4d1-p8wz\n")


class Row(NamedTuple):
    """One visit: what it gets in bad/NAME.conf and in good/NAME.conf, as (status, beginning of the body or part of it)."""

    name: str
    path: str
    bad: tuple[int, bytes]
    good: tuple[int, bytes] = OURS
    lines: tuple[str, ...] = (BLOCK,)
    port: int = 8080
    method: str = "GET"


BARE = (403, b"<html>")
APP = (200, b"app ")
ROWS = [
    Row("return_first", "/", (200, b"prices"), lines=(BLOCK, "User-Agent: x")),
    Row("return_if", "/?format=json", (200, b"{}"), (301, b"")),
    Row("return_server", "/", (301, b"")),
    Row("return_418", "/", APP, (405, b""), method="POST"),
    Row("rewrite_away", "/item/1", (200, b"app /app/1")),
    Row("rewrite_server_redirect", "/", (301, b"")),
    Row("captures_ours", "/", APP),
    Row("captures_page", "/.botsieve/x.js", (403, b"page"), (204, b"")),
    Row("try_files_open", "/index.php", APP),
    Row("index_open", "/index.php", APP),
    Row("switched_off", "/api/", APP),
    Row("page_swallowed", "/", BARE),
    Row("page_200", "/", (200, b"sorry")),
    Row("page_lost", "/", BARE),
    Row("app_403_lost", "/forbidden", BARE, (403, b"app says no"), ("X-Want: allow",)),
    Row("page_intercepted", "/", BARE),
    Row("verdict_lost", "/cart", BARE),
    Row("our_lua_lost", "/cart", (200, b"verdict=forged"), (200, b"verdict=allow"), ("X-Botsieve-Verdict: forged",)),
    Row("lua_too_early", "/", (200, b"verdict= "), (200, b"verdict= "), ("X-Want: allow",)),
    Row("satisfy_any", "/", APP),
    Row("satisfy_any_lua", "/", APP),
    Row("auth_basic_first", "/", (401, b"")),
    Row("page_behind_gate", "/", (401, b"")),
    Row("deny_first", "/", OURS),
    Row("underscores", "/", (200, b"real=forged"), (200, b"real="), ("X_Real_IP: forged", "X-Want: allow")),
    Row("small_buffers", "/", (400, b"Request Header Or Cookie"), (200, b"app"), ("Cookie: " + "x" * 2000, "X-Want: allow")),
    Row("small_answer", "/", (500, b""), (200, b"app"), ("X-Want: big",)),
    Row("no_server", "/", APP),
    Row("nothing_protected", "/", APP),
]


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    folder = Folder(tmp_path, kind, row.name, standin.socket)
    with Running(folder):
        answer = ask(folder.ports[row.port], row.path, *row.lines, method=row.method)
    status, body = row.bad if kind == "bad" else row.good
    assert answer.status == status
    assert body in answer.body


def visit(kind: str, name: str, standin: StandIn, at: Path, *visits: tuple[int, str, tuple[str, ...]]) -> list[Answer]:
    """The answers to visits of one started conf, each (stand-in port, path, lines)."""
    folder = Folder(at, kind, name, standin.socket)
    with Running(folder):
        return [ask(folder.ports[port], path, *lines, tls=port == 8443) for port, path, lines in visits]


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_no_fingerprint_without_the_tls_include(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """tls_without_include, and tls_beside: where the default server of the listener lacks it, the other has no fingerprint."""
    for name in ("tls_without_include", "tls_beside"):
        at = tmp_path / name
        at.mkdir()
        visit(kind, name, standin, at, (8443, "/", ()))
        assert ("x-ja4-fingerprint" in standin.last()) is (kind == "good"), name


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_everybody_is_trusted(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """trusts_everybody: a visitor chooses its address."""
    visit(kind, "trusts_everybody", standin, tmp_path, (8080, "/", ("X-Forwarded-For: 203.0.113.9",)))
    assert standin.last()["x-botsieve-client-addr"] == ["203.0.113.9" if kind == "bad" else "127.0.0.1"]


def test_lua_is_hidden(standin: StandIn, tmp_path: Path) -> None:
    """lua_path: the Lua module does not find even its own files, and nginx does not start; with `;;` it does."""
    for kind in ("bad", "good"):
        (tmp_path / kind).mkdir()
    with pytest.raises(AssertionError, match=r"(?s)nginx did not start.*resty\.core"):
        visit("bad", "lua_path", standin, tmp_path / "bad")
    (answer,) = visit("good", "lua_path", standin, tmp_path / "good", (8080, "/", (BLOCK,)))
    assert (answer.status, answer.body) == OURS


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_a_cache_in_front_answers_unasked(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """cache_in_front: a visitor who is to be blocked gets the page that another one was allowed."""
    _, blocked = visit(
        kind, "cache_in_front", standin, tmp_path, (8081, "/plain", ("X-Want: allow",)), (8081, "/plain", (BLOCK,))
    )
    assert (blocked.status, blocked.body[:4]) == ((200, b"app ") if kind == "bad" else (403, b"page"))


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_cookies_in_stored_pages(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """stored_cookie: the application's cookie comes out of the cache; kept_outside: our cookie goes into one."""
    for name in ("stored_cookie", "kept_outside"):
        (tmp_path / name).mkdir()
    first, second = visit(kind, "stored_cookie", standin, tmp_path / "stored_cookie", (8080, "/", ()), (8080, "/", ()))
    assert bool(second.all("Set-Cookie")) is (kind == "bad")
    assert first.status == second.status == 200
    for answer in visit(
        kind,
        "kept_outside",
        standin,
        tmp_path / "kept_outside",
        (8080, "/", ("X-Want: cookie",)),
        (8080, "/b", ("X-Want: cookie",)),
    ):
        assert "botsieve_s=1; Path=/" in answer.all("Set-Cookie")
        cacheable = "private" not in str(answer.all("Cache-Control")) and "no-cache" not in str(answer.all("Cache-Control"))
        assert cacheable is (kind == "bad")


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_lines_of_outside_are_lost(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """add_header_lost: no HSTS; proxy_set_header_lost: no X-Forwarded-For."""
    for name in ("add_header_lost", "proxy_set_header_lost"):
        (tmp_path / name).mkdir()
    (answer,) = visit(kind, "add_header_lost", standin, tmp_path / "add_header_lost", (8080, "/", ()))
    assert bool(answer.all("Strict-Transport-Security")) is (kind == "good")
    (answer,) = visit(kind, "proxy_set_header_lost", standin, tmp_path / "proxy_set_header_lost", (8080, "/", ()))
    assert (b"xff=127.0.0.1" in answer.body) is (kind == "good")


@pytest.mark.parametrize("kind", ["bad", "good"])
def test_gates_that_come_first(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """auth_basic_first: who has no password is not counted."""
    before = len(standin.seen())
    visit(kind, "auth_basic_first", standin, tmp_path, (8080, "/", ()))
    assert (len(standin.seen()) > before) is (kind == "good")
