"""What the edge sees: bad confs and good ones, started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import BLOCK, OURS, Row, both, visit, visit_as

ROWS = [
    Row("underscores", "/", (200, b"real=forged"), (200, b"real="), ("X_Real_IP: forged", "X-Want: allow")),
    Row("small_buffers", "/", (400, b"Request Header Or Cookie"), (200, b"app"), ("Cookie: " + "x" * 2000, "X-Want: allow")),
    Row("small_answer", "/", (500, b""), (200, b"app"), ("X-Want: big",)),
]


@both
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    visit_as(row, kind, standin, tmp_path)


@both
def test_no_fingerprint_without_the_tls_include(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """tls_without_include, and tls_beside: where the default server of the listener lacks it, the other has no fingerprint."""
    for name in ("tls_without_include", "tls_beside"):
        visit(kind, name, standin, tmp_path, (8443, "/", ()))
        assert ("x-ja4-fingerprint" in standin.last()) is (kind == "good"), name


@both
def test_everybody_is_trusted(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """trusts_everybody: a visitor chooses its address."""
    visit(kind, "trusts_everybody", standin, tmp_path, (8080, "/", ("X-Forwarded-For: 203.0.113.9",)))
    assert standin.last()["x-botsieve-client-addr"] == ["203.0.113.9" if kind == "bad" else "127.0.0.1"]


def test_lua_is_hidden(standin: StandIn, tmp_path: Path) -> None:
    """lua_path: the Lua module does not find even its own files, and nginx does not start; with `;;` it does."""
    with pytest.raises(AssertionError, match=r"(?s)nginx did not start.*resty\.core"):
        visit("bad", "lua_path", standin, tmp_path)
    (answer,) = visit("good", "lua_path", standin, tmp_path, (8080, "/", (BLOCK,)))
    assert (answer.status, answer.body) == OURS
