"""The check where many are checked at once: tabs of one browser, people of one network; and where a file comes instead of a page."""

from __future__ import annotations

from typing import Any

from tests.servers import Site

# A worker that never finds anything.
IDLE = "onmessage = function () {};"


def _url(shop: Site, path: str) -> str:
    return f"http://127.0.0.1:{shop.http_port}{path}"


def test_what_one_tab_solved_no_other_solves(shop: Site, visit: Any) -> None:
    """Twenty links opened side by side: the first that is done lets the others in; a form says that it can be sent again."""
    someone = visit()
    someone.context.route("**/w.*.js", lambda route: route.fulfill(body=IDLE, content_type="text/javascript"))
    others = [someone.context.new_page() for _ in range(3)]
    for number, page in enumerate(others):
        page.goto(_url(shop, f"/shop/tab/{number}"))
        page.get_by_text("Checking …").wait_for()
    form = someone.context.new_page()
    form.goto(_url(shop, "/form"))
    form.get_by_role("button", name="send").click()
    form.get_by_text("Checking …").wait_for()
    someone.context.unroute("**/w.*.js")
    someone.page.goto(_url(shop, "/shop/first"))
    someone.wait_for("GET /shop/first")
    for number, page in enumerate(others):
        page.get_by_text(f"GET /shop/tab/{number}").wait_for()
    form.get_by_text("Verified. Please go back and send the form again.").wait_for()
    assert sum(url.endswith("/solve") for url in someone.requested) == 1


def test_who_has_to_queue_is_told_and_let_in(shop: Site, visit: Any) -> None:
    """An office that starts work: a solution beyond the quota of the network is sent again by itself, and nobody presses anything."""
    someone = visit()
    full = '{"code":"botsieve_too_many"}'
    someone.page.clock.install()
    someone.context.route("**/solve", lambda route: route.fulfill(status=429, body=full), times=1)
    someone.page.goto(_url(shop, "/shop/office"))
    someone.wait_for("Many people of your network are being checked")
    someone.page.clock.run_for(20_000)
    someone.wait_for("GET /shop/office")
    assert [sum(part in url for url in someone.requested) for part in ("/w.", "/solve")] == [1, 2], "the work is done once"


def test_a_file_leaves_no_page_that_waits(shop: Site, visit: Any) -> None:
    """Behind a solved check a download begins; the page says so and leads back."""
    someone = visit()
    someone.page.goto(_url(shop, "/list"))
    saved = {"content-type": "application/octet-stream", "content-disposition": "attachment; filename=list.csv"}
    asked = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.continue_() if len(asked) == 1 else route.fulfill(body="a,b", headers=saved)

    someone.context.route("**/shop/list.csv", answer)
    someone.page.clock.install()
    with someone.page.expect_download() as download:
        someone.page.goto(_url(shop, "/shop/list.csv"))
    assert download.value.suggested_filename == "list.csv"
    someone.page.clock.run_for(16_000)
    someone.wait_for("If this was a file, your browser has saved it.")
    someone.page.get_by_role("button", name="Back").click()
    someone.wait_for("GET /list")
