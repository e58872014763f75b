"""Gates beside us: bad confs and good ones, started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import APP, OURS, Row, both, visit, visit_as

ROWS = [
    Row("satisfy_any", "/cart", APP),
    Row("satisfy_any_lua", "/cart", APP),
    Row("satisfy_lost", "/", (401, b"")),
    Row("auth_basic_first", "/", (401, b"")),
    Row("deny_first", "/", OURS),
]


@both
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    visit_as(row, kind, standin, tmp_path)


@both
def test_gates_that_come_first(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """auth_basic_first: who has no password is not counted."""
    before = len(standin.seen())
    visit(kind, "auth_basic_first", standin, tmp_path, (8080, "/", ()))
    assert (len(standin.seen()) > before) is (kind == "good")
