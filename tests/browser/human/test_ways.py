"""The script in pages with a Content-Security-Policy, and what a browser's own filling in of forms looks like."""

from __future__ import annotations

from typing import Any

from botsieve.challenge.human_desk import COLLECTOR

from tests.browser.human.conftest import Human
from tests.browser.human.test_drivers import AGENT


def opened(visit: Any, human: Human, path: str, number: int) -> Any:
    one = visit(user_agent=AGENT.format(number))
    one.page.goto(human.url(path))
    one.page.wait_for_timeout(500)
    return one


def test_a_strict_policy_lets_the_script_run(visit: Any, human: Human) -> None:
    """`script-src 'nonce-...' 'strict-dynamic'`: the Lua way carries the page's nonce; the browser complains of nothing."""
    one = opened(visit, human, "/csp/page", 400)
    assert human.url("/.botsieve/e") in one.requested
    assert one.complaints == []


def test_stock_nginx_cannot_add_the_nonce(visit: Any, human: Human) -> None:
    """The documented limit of sub_filter: the script is refused by the browser, the page works."""
    one = opened(visit, human, "/csp-sub/page", 401)
    assert human.url("/.botsieve/e") not in one.requested
    assert any("Content Security Policy" in text for text in one.complaints)
    assert one.page.inner_text("#uri") == "app /csp-sub/page"


def test_stock_nginx_without_a_policy(visit: Any, human: Human) -> None:
    """sub_filter: the script runs."""
    one = opened(visit, human, "/sub/page", 402)
    assert human.url("/.botsieve/e") in one.requested


def test_a_form_filled_in_by_the_browser_is_no_hand_and_no_fault(visit: Any, human: Human) -> None:
    """Such keys are plain events without a code, pressed for no time: none of them is reported."""
    one = visit(user_agent=AGENT.format(403))
    bodies: list[str] = []
    one.context.on("request", lambda request: request.method == "POST" and bodies.append(request.post_data))
    one.page.goto(human.url("/autofill"))
    one.page.wait_for_timeout(300)
    one.page.evaluate(
        "() => ['keydown', 'keyup', 'keydown', 'keyup'].forEach(type => document.querySelector('#text')"
        ".dispatchEvent(new Event(type, {bubbles: true})))"
    )
    one.page.wait_for_timeout(2_000)
    assert bodies == []
    assert b"!e.keyCode" in COLLECTOR
