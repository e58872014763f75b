"""The demo's shop."""

from __future__ import annotations

import asyncio
import json

from botsieve.demo.shop import ITEMS, PAGES, PER_PAGE, answer, item, open_shop, render
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import free_port


def test_every_page_that_a_page_links_to_exists() -> None:
    """Following links from the first page never leads to a page that is not there."""
    for target in (
        "/",
        "/items",
        "/items?page=1",
        f"/items?page={PAGES}",
        "/items/17",
        "/img/17.svg",
        "/style.css",
        "/shop.js",
    ):
        assert answer("GET", target).status == 200, target
    assert b"/items/17" in answer("GET", "/").body


def test_the_catalogue_has_every_thing_once() -> None:
    """The pages of /api/items hold each of the ITEMS things exactly once, and /api/items/<id> says the same of it."""
    seen = [
        thing for page in range(1, PAGES + 1) for thing in json.loads(answer("GET", f"/api/items?page={page}").body)["items"]
    ]
    assert [thing["id"] for thing in seen] == list(range(1, ITEMS + 1))
    assert PER_PAGE * PAGES == ITEMS
    assert json.loads(answer("GET", "/api/items/17").body) == item(17) == seen[16]


def test_what_is_not_there_is_404_and_what_is_not_get_is_405() -> None:
    """Numbers outside the shop, unknown paths and other methods are refused in words."""
    for target in (
        "/items/0",
        f"/items/{ITEMS + 1}",
        "/api/items/x",
        "/api/items?page=0",
        "/items?page=1e3",
        "/nothing",
        "/items/١",
    ):
        assert answer("GET", target).status == 404, target
    assert answer("POST", "/").status == 405


@given(st.text(), st.text())
def test_any_request_gets_an_answer(method: str, target: str) -> None:
    """No method and no target make the shop fail."""
    assert answer(method, target).status in (200, 404, 405)


def test_head_has_the_length_and_no_body() -> None:
    """HEAD tells the length of the body and does not send it."""
    whole, head = render(answer("GET", "/")), render(answer("HEAD", "/"), head_only=True)
    assert whole.startswith(head)
    assert head.endswith(b"\r\n\r\n")


def test_a_connection_serves_one_request_after_another() -> None:
    """Connections stay open, and a head that is no HTTP ends only its own."""

    async def talk() -> bytes:
        port = free_port()
        async with await open_shop(port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for target in (b"/api/items/1", b"/api/items/2"):
                writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            writer.write(b"nonsense\r\n\r\n")
            got = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            return got

    got = asyncio.run(talk())
    assert got.count(b"200 OK") == 2
    assert json.dumps(item(2)).encode() in got
