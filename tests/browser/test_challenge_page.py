"""The challenge in a real browser, through real nginx and the real service."""

from __future__ import annotations

from typing import Any

from tests.servers import Site


def _url(shop: Site, path: str, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{shop.http_port if scheme == 'http' else shop.https_port}{path}"


def test_the_page_solves_itself_and_loads_what_was_asked_for(shop: Site, visit: Any) -> None:
    """Query and fragment are kept, the history has one entry, nothing complains, nobody else is asked."""
    someone = visit()
    answer = someone.page.goto(_url(shop, "/shop/items?page=2&q=a%20b#reviews"))
    assert answer.status == 403
    assert answer.headers["cache-control"] == "no-store"
    someone.wait_for("GET /shop/items?page=2&q=a%20b")
    assert someone.page.url == _url(shop, "/shop/items?page=2&q=a%20b#reviews")
    assert someone.page.evaluate("history.length") == 2, "about:blank and this page"
    assert someone.complaints == []
    host = _url(shop, "/")
    assert [url for url in someone.requested if not url.startswith((host, "data:"))] == []
    cookies = {cookie["name"]: cookie for cookie in someone.context.cookies()}
    assert cookies["botsieve_c"]["httpOnly"]
    assert cookies["botsieve_c"]["sameSite"] == "Lax"


def test_the_clearance_serves_the_next_pages(shop: Site, visit: Any) -> None:
    """Once solved, pages and data calls come at once."""
    someone = visit()
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("GET /shop/")
    assert someone.page.goto(_url(shop, "/shop/other")).status == 200
    assert someone.page.evaluate("fetch('/shop/data').then(answer => answer.status)") == 200


def test_https_sets_the_host_only_cookie(shop: Site, visit: Any) -> None:
    """Over TLS, with HTTP/2 and a fingerprint, the cookie carries `__Host-` and Secure."""
    someone = visit()
    someone.page.goto(_url(shop, "/shop/secure", "https"))
    someone.wait_for("GET /shop/secure")
    cookies = {cookie["name"]: cookie for cookie in someone.context.cookies()}
    assert cookies["__Host-botsieve_c"]["secure"]
    assert someone.complaints == []


def test_without_script_the_wait_leads_to_the_page(shop: Site, visit: Any) -> None:
    """A browser with JavaScript off arrives at the page that it asked for."""
    someone = visit(java_script_enabled=False)
    someone.page.goto(_url(shop, "/shop/plain?x=1"))
    assert "JavaScript is off" in someone.text()
    assert "takes about a second" not in someone.text()
    someone.page.wait_for_load_state()
    someone.page.locator("#uri").wait_for(timeout=60_000)
    assert someone.text().count("GET /shop/plain?x=1") == 1
    assert someone.page.url == _url(shop, "/shop/plain?x=1")


def test_a_form_is_sent_again_by_hand(shop: Site, visit: Any) -> None:
    """A challenged POST is not repeated: the page says "verified", Back leads to the form, sending it again works."""
    someone = visit()
    someone.page.goto(_url(shop, "/form"))
    someone.page.get_by_role("button", name="send").click()
    someone.wait_for("Verified. Please go back and send the form again.")
    assert someone.page.get_by_role("button", name="Back").evaluate("button => button === document.activeElement")
    someone.page.get_by_role("button", name="Back").click()
    someone.wait_for("GET /form")
    someone.page.get_by_role("button", name="send").click()
    someone.wait_for("POST /shop/order")
    assert someone.complaints == []


def test_blocked_cookies_are_said(shop: Site, visit: Any) -> None:
    """With cookies off nothing is solved in vain: a visible text, the reference, a button."""
    someone = visit(init="Object.defineProperty(Navigator.prototype, 'cookieEnabled', {get: () => false})")
    answer = someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("Cookies are blocked.")
    assert answer.headers["x-botsieve-id"] in someone.page.locator("#error").inner_text()
    assert someone.page.get_by_role("button", name="Try again").is_visible()
    assert not any("solve" in url for url in someone.requested)


def test_a_worker_that_does_not_start_is_said(shop: Site, visit: Any) -> None:
    """A failing worker file gives a visible text; "try again" works when the fault is gone."""
    someone = visit()
    someone.context.route("**/w.*.js", lambda route: route.abort())
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The check could not be started in this browser.")
    someone.context.unroute("**/w.*.js")
    someone.page.get_by_role("button", name="Try again").click()
    someone.wait_for("GET /shop/")


def test_a_network_fault_is_said(shop: Site, visit: Any) -> None:
    """When the solution cannot be sent the page says so, and the same solution can be sent later."""
    someone = visit()
    someone.context.route("**/solve", lambda route: route.abort())
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The network connection failed.")
    someone.context.unroute("**/solve")
    someone.page.get_by_role("button", name="Try again").click()
    someone.wait_for("GET /shop/")


def test_a_refused_solution_is_said(shop: Site, visit: Any) -> None:
    """A 4xx gives a visible text; "try again" loads a new challenge."""
    someone = visit()
    someone.context.route("**/solve", lambda route: route.fulfill(status=403, body='{"code":"botsieve_expired"}'), times=1)
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The check was not accepted.")
    someone.page.get_by_role("button", name="Try again").click()
    someone.wait_for("GET /shop/")


def test_a_script_that_does_not_load_is_said(shop: Site, visit: Any) -> None:
    """Where a filter keeps the page's script away, a text appears after a while, without any script."""
    someone = visit()
    someone.context.route("**/c.*.js", lambda route: route.abort())
    someone.page.goto(_url(shop, "/shop/"))
    assert not someone.page.locator("#stuck").is_visible()
    someone.page.locator("#stuck").wait_for(state="visible", timeout=60_000)
    assert "could not be loaded" in someone.page.locator("#stuck").inner_text()


def test_thirty_seconds_are_the_most(shop: Site, visit: Any) -> None:
    """A worker that finds nothing is stopped after 30 s of the browser's clock, with a visible text."""
    someone = visit()
    someone.page.clock.install()
    someone.context.route(
        "**/w.*.js", lambda route: route.fulfill(body="onmessage = function () {};", content_type="text/javascript")
    )
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("Checking")
    someone.page.clock.run_for(29_000)
    assert someone.page.locator("#error").inner_text() == ""
    someone.page.clock.run_for(2_000)
    someone.wait_for("The check took too long on this device.")


def test_a_loop_ends_in_an_explanation(shop: Site, visit: Any) -> None:
    """A browser that drops the cookie after every solution is told why after three, and nothing goes round any more."""
    someone = visit(
        user_agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
    )

    def without_cookie(route: Any) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
        someone.context.clear_cookies()
        route.fulfill(status=answer.status, headers=headers)

    someone.context.route("**/solve", without_cookie)
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The check keeps coming back")
    solved = [url for url in someone.requested if url.endswith("/solve")]
    assert len(solved) == 3
    assert someone.page.get_by_role("button", name="Check now").is_visible()
    someone.context.unroute("**/solve")
    someone.page.get_by_role("button", name="Check now").click()
    someone.wait_for("GET /shop/")


def test_the_page_speaks_german_to_germans(shop: Site, visit: Any) -> None:
    """The language of the browser is that of the page."""
    someone = visit(locale="de-DE", java_script_enabled=False)
    someone.page.goto(_url(shop, "/shop/"))
    assert "Ihr Browser wird geprüft" in someone.text()


def test_a_refusal_names_reference_and_contact(shop: Site, visit: Any) -> None:
    """A blocked visitor sees the id that the operator can look up, and whom to write to."""
    someone = visit()
    answer = someone.page.goto(_url(shop, "/closed/"))
    assert answer.status == 403
    assert answer.headers["x-botsieve-id"] in someone.text()
    assert someone.page.get_by_role("link").get_attribute("href") == "mailto:help@shop.example"
    assert someone.complaints == []


def test_keyboard_and_dark_mode(shop: Site, visit: Any) -> None:
    """The button is reached and pressed by keys; in the dark the page is dark and its text bright."""
    someone = visit(color_scheme="dark")
    someone.context.route("**/w.*.js", lambda route: route.abort(), times=1)
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The check could not be started")
    shade = "element => getComputedStyle(document.body)[element].match(/\\d+/g).map(Number)"
    assert max(someone.page.evaluate(shade, "backgroundColor")) < 60
    assert min(someone.page.evaluate(shade, "color")) > 200
    someone.page.keyboard.press("Tab")
    someone.page.keyboard.press("Enter")
    someone.wait_for("GET /shop/")


def test_what_a_screen_reader_is_told(shop: Site, visit: Any) -> None:
    """Landmark, heading, a named progress bar, what goes on as a status, what went wrong as an alert, in the page's language."""
    someone = visit()
    someone.context.route("**/solve", lambda route: route.abort())
    someone.page.goto(_url(shop, "/shop/"))
    someone.wait_for("The network connection failed.")
    page = someone.page
    assert page.locator("html").get_attribute("lang") == "en"
    told = page.get_by_role("main")
    assert told.get_by_role("heading", name="Checking your browser", level=1).is_visible()
    assert told.get_by_text("This takes about a second.").is_visible()
    assert told.get_by_role("progressbar", name="Progress of the check").is_visible()
    assert "network connection failed" in told.get_by_role("alert").inner_text()
    someone.context.unroute("**/solve")
    someone.context.route("**/w.*.js", lambda route: None)  # a worker that never comes: the check goes on
    told.get_by_role("button", name="Try again").click()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Checking')")
    assert told.get_by_role("alert").inner_text() == ""
