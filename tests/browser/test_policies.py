"""What a browser makes of our challenge page under another Content-Security-Policy beside ours."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.edge.check.policies import missing
from playwright.sync_api import Route

from tests.servers import Site


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ("default-src 'self'; base-uri 'none'", "GET /shop/"),
        ("default-src 'none'; script-src 'self'; connect-src 'self'", "GET /shop/"),
        ("sandbox allow-scripts allow-same-origin", "GET /shop/"),
        ("script-src 'nonce-abc' 'strict-dynamic' 'self'", "the script of this page could not be loaded"),
        ("script-src https://cdn.example", "the script of this page could not be loaded"),
        ("worker-src blob:", "The check could not be started"),
        ("connect-src https://api.example", "The network connection failed"),
        ("require-trusted-types-for 'script'", "The check could not be started"),
    ],
)
def test_a_browser_agrees(shop: Site, visit: Any, policy: str, ends: str) -> None:
    """Where `botsieve nginx check` sees nothing missing the page solves itself; where it does, it says what does not work."""
    someone = visit()

    def beside(route: Route) -> None:
        answer = route.fetch()
        headers = dict(answer.headers)
        if answer.status == 403:
            headers["content-security-policy"] += f", {policy}"
        route.fulfill(response=answer, headers=headers)

    someone.context.route("**/shop/", beside)
    someone.page.goto(f"http://127.0.0.1:{shop.http_port}/shop/")
    someone.wait_for(ends)
    assert (missing(policy) == "") is (ends == "GET /shop/")
