"""The form "I am human" of the block page, through nginx: what a visitor posts and what the operator reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nginx.raw import Answer, ask
from tests.servers import ServiceProcess, Site, free_port, service_config, wait_until
from tests.service.running import botsieve

TOOL = ("User-Agent: curl/8.5.0", "Accept: text/html")


class Shop:
    """nginx and a service that blocks tools at once."""

    def __init__(self, folder: Path) -> None:
        (folder / "service").mkdir()
        (folder / "site").mkdir()
        self.web = free_port()
        policies = "policies: [{name: all, audience: browser, mode: enforce, preset: strict, challenge_first: false}]"
        self.config = service_config(folder / "service", policies, web=self.web, deadline_ms=1000)
        self.service = ServiceProcess(self.config)
        self.site = Site(folder / "site", folder / "service" / "check.sock", patient=True)

    def page(self) -> Answer:
        return ask(self.site.http_port, "/items/17?token=secret", *TOOL)

    def post(self, path: str, body: bytes, *headers: str) -> Answer:
        sent = ("Content-Type: application/x-www-form-urlencoded", *headers)
        return ask(self.site.http_port, path, *TOOL, *sent, method="POST", body=body)

    def listed(self) -> list[dict[str, Any]]:
        done = botsieve("feedback", "list", "--config", str(self.config), "--json")
        return list(json.loads(done.stdout)["feedback"]) if done.returncode == 0 else []


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("feedback"))
    yield made
    made.site.stop()
    made.service.stop()


def form_of(page: Answer) -> tuple[str, bytes]:
    """Where the form of a page goes, and what a browser would send."""
    text = page.body.decode()
    action = re.search(r'<form method="post" action="([^"]+)">', text)
    field = re.search(r'<input type="hidden" name="id" value="([^"]+)">', text)
    assert action is not None
    assert field is not None
    return action.group(1), b"id=" + field.group(1).encode()


def test_a_person_says_so(shop: Shop) -> None:
    """The block page's form is taken, thanked for, and listed with its decision; no query, no cookie; once."""
    page = shop.page()
    assert page.status == 403
    assert "form-action 'self'" in page.all("Content-Security-Policy")[0]
    action, body = form_of(page)
    for _ in range(2):
        thanks = shop.post(action, body, "Sec-Fetch-Site: same-origin", "Cookie: session=secret")
        assert thanks.status == 200
        assert b"Thank you" in thanks.body
        assert thanks.all("Cache-Control") == ["no-store"]
    wait_until(lambda: len(shop.listed()) == 1, what="the row")
    (one,) = shop.listed()
    assert one["id"].encode() == body[3:]
    assert (one["policy"], one["verdict"], one["client"]) == ("all", "block", "127.0.0.1")
    assert one["decision"]["path"] == "/items/17"
    assert "bot_useragent:curl" in one["decision"]["reasons"]
    assert "secret" not in json.dumps(one)


def test_what_is_not_taken(shop: Shop) -> None:
    """Another site's page, an id that was never given, another method, too much: refused, and nothing is listed."""
    before = len(shop.listed())
    action, body = form_of(shop.page())
    assert shop.post(action, body, "Sec-Fetch-Site: cross-site").status == 403
    assert shop.post(action, body, "Origin: http://evil.example").status == 403
    assert shop.post(action, b"id=aaaa-bbbb-cccc-dddd").status == 403
    assert shop.post(action, b"id=" + b"x" * 3_000).status == 413
    assert ask(shop.site.http_port, action, *TOOL).status == 404
    assert {shop.post(action, b"id=aaaa-bbbb-cccc-dddd").status for _ in range(15)} == {403, 429}
    assert len(shop.listed()) == before
