"""Caches: bad confs and good ones, started."""

from __future__ import annotations

from pathlib import Path

from tests.nginx.conftest import StandIn
from tests.nginx_check.live import BLOCK, both, visit


@both
def test_a_cache_in_front_answers_unasked(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """cache_in_front: a visitor who is to be blocked gets the page that another one was allowed."""
    _, blocked = visit(
        kind, "cache_in_front", standin, tmp_path, (8081, "/plain", ("X-Want: allow",)), (8081, "/plain", (BLOCK,))
    )
    assert (blocked.status, blocked.body[:4]) == ((200, b"app ") if kind == "bad" else (403, b"page"))


@both
def test_cookies_in_stored_pages(kind: str, standin: StandIn, tmp_path: Path) -> None:
    """stored_cookie: the application's cookie comes out of the cache; kept_outside: our cookie goes into one."""
    first, second = visit(kind, "stored_cookie", standin, tmp_path, (8080, "/", ()), (8080, "/", ()))
    assert bool(second.all("Set-Cookie")) is (kind == "bad")
    assert first.status == second.status == 200
    for answer in visit(
        kind,
        "kept_outside",
        standin,
        tmp_path,
        (8080, "/", ("X-Want: cookie",)),
        (8080, "/b", ("X-Want: cookie",)),
    ):
        assert "botsieve_s=1; Path=/" in answer.all("Set-Cookie")
        cacheable = "private" not in str(answer.all("Cache-Control")) and "no-cache" not in str(answer.all("Cache-Control"))
        assert cacheable is (kind == "bad")
