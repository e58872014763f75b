"""Pages that do not reach the visitor: bad confs and good ones, started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import BARE, Row, both, visit_as

ROWS = [
    Row("page_swallowed", "/", BARE),
    Row("page_200", "/", (200, b"sorry")),
    Row("page_lost", "/", BARE),
    Row("app_403_lost", "/forbidden", BARE, (403, b"app says no"), ("X-Want: allow",)),
]


@both
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    visit_as(row, kind, standin, tmp_path)
