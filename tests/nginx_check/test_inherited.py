"""Lines that are no longer inherited: bad confs and good ones, started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import BARE, Row, both, visit, visit_as

ROWS = [
    Row("verdict_lost", "/cart", BARE),
    Row("our_lua_lost", "/cart", (200, b"verdict=forged"), (200, b"verdict=allow"), ("X-Botsieve-Verdict: forged",)),
    Row("lua_too_late", "/", (200, b"verdict=forged"), (200, b"verdict=allow"), ("X-Botsieve-Verdict: forged",)),
    Row("lua_too_early", "/", (200, b"verdict=unjudged "), (200, b"verdict= "), ("X-Want: allow",)),
]


@both
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_a_visitor_gets(row: Row, kind: str, standin: StandIn, tmp_path: Path) -> None:
    """The answer of the trap in the bad conf, ours in the good one."""
    visit_as(row, kind, standin, tmp_path)


@both
def test_lines_of_outside_are_lost(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """add_header_lost: no HSTS; proxy_set_header_lost: no X-Forwarded-For."""
    (answer,) = visit(kind, "add_header_lost", standin, tmp_path, (8080, "/", ()))
    assert bool(answer.all("Strict-Transport-Security")) is (kind == "good")
    (answer,) = visit(kind, "proxy_set_header_lost", standin, tmp_path, (8080, "/", ()))
    assert (b"xff=127.0.0.1" in answer.body) is (kind == "good")


@both
def test_a_script_of_another_host_can_read_our_refusal(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """cors_lost: without the line a browser hides status, code and id from the page."""
    refused = ("X-Want: block",)
    answers = visit(kind, "cors_lost", standin, tmp_path, (8080, "/", refused), (8081, "/", refused))
    assert [answer.status for answer in answers] == [403, 403]
    assert [bool(answer.all("Access-Control-Allow-Origin")) for answer in answers] == [kind == "good"] * 2
