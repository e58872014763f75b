"""A challenged person comes back from another site, through real nginx and the real service."""

from __future__ import annotations

from typing import Any

from tests.servers import Site

# What a page of an identity provider or of a bank does.
POSTS = """to => {
    const form = document.createElement('form');
    form.method = 'post'; form.action = to;
    form.innerHTML = '<input type=hidden name=SAMLResponse value=PHNhbWw+>';
    document.body.append(form); form.submit();
}"""


def test_a_form_of_another_site_arrives_with_the_clearance(shop: Site, visit: Any) -> None:
    """Solved once, then sent back by a login or a payment elsewhere: that form is not challenged, and not lost."""
    someone = visit()
    home = f"https://127.0.0.1:{shop.https_port}/shop"
    someone.page.goto(f"{home}/cart")
    someone.wait_for("GET /shop/cart")
    for _ in range(3):
        someone.page.goto(f"http://localhost:{shop.http_port}/bank")
        someone.page.evaluate(POSTS, f"{home}/paid")
        someone.wait_for("POST /shop/paid")
    assert sum(url.endswith("/solve") for url in someone.requested) == 1
