"""Who answers before us: each bad conf is started, and what is said of the visitor happens; in the good one it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import APP, BLOCK, Row, both, visit_as

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
]


@both
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    visit_as(row, kind, standin, tmp_path)
