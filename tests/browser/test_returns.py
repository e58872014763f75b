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


# A worker of an application that can be installed: it passes on everything.
WORKER = """
    addEventListener('install', () => skipWaiting());
    addEventListener('activate', event => event.waitUntil(clients.claim()));
    addEventListener('fetch', event => event.respondWith(fetch(event.request)));
"""


def test_an_installed_application_is_shown_the_page(shop: Site, visit: Any) -> None:
    """Behind a service worker a page load is a page load: the check is shown and passed, not a document for programs."""
    someone = visit()
    home = f"https://localhost:{shop.https_port}"
    someone.context.route("**/worker.js", lambda route: route.fulfill(body=WORKER, content_type="text/javascript"))
    someone.page.goto(f"{home}/")
    someone.page.evaluate(
        "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => 0)"
    )
    someone.page.wait_for_function("navigator.serviceWorker.controller !== null")
    answer = someone.page.goto(f"{home}/shop/inbox")
    assert (answer.status, answer.from_service_worker) == (403, True)
    someone.wait_for("GET /shop/inbox")


def test_a_form_over_plain_http_is_shown_the_page(shop: Site, visit: Any) -> None:
    """Browsers say nothing of where a request comes from on plain http: a form's answer is a page there, too."""
    someone = visit()
    # An address that is not this machine to a browser: loopback counts as secure.
    someone.context.route(
        "http://shop.example/**",
        lambda route: route.fulfill(response=route.fetch(url=f"http://127.0.0.1:{shop.http_port}{_path(route.request.url)}")),
    )
    someone.page.goto("http://shop.example/form")
    someone.page.get_by_role("button", name="send").click()
    someone.wait_for("please send your form again")


def _path(url: str) -> str:
    return url.removeprefix("http://shop.example")
