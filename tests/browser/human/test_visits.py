"""Visits of every form: our script asks once a page, and nothing ever goes round."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.browser.human.conftest import Human

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_NUMBERS = itertools.count(300)


class Tab:
    """A visit that counts what it asks for."""

    def __init__(self, visit: Any, human: Human, **options: Any) -> None:
        self.visit = visit(user_agent=AGENT.format(next(_NUMBERS)), **options)
        self.human, self.page = human, self.visit.page
        self.asked: list[str] = []
        self.visit.context.on("request", lambda request: self.asked.append(f"{request.method} {request.url}"))

    def calls(self) -> int:
        return self.asked.count(f"GET {self.human.url('/.botsieve/e')}")

    def loads(self) -> int:
        return len([one for one in self.asked if "/.botsieve/" not in one])

    def settle(self) -> None:
        self.page.wait_for_timeout(2_500)


@pytest.fixture
def tab(visit: Any, human: Human) -> Any:
    return lambda **options: Tab(visit, human, **options)


def test_tabs_side_by_side(tab: Any, human: Human) -> None:
    """Four at once: a token each, nothing more."""
    one = tab()
    pages = [one.page, *(one.visit.context.new_page() for _ in range(3))]
    for number, page in enumerate(pages):
        page.goto(human.url(f"/tab-{number}"))
    one.settle()
    assert (one.loads(), one.calls()) == (4, 4)


def test_back_forward_and_reload(tab: Any, human: Human) -> None:
    """A page out of the browser's own store asks again at most once; none loads itself anew."""
    one = tab()
    one.page.goto(human.url("/first"))
    one.page.goto(human.url("/second"))
    one.page.go_back()
    one.page.go_forward()
    one.page.reload()
    one.settle()
    assert one.loads() <= 5
    assert one.calls() <= one.loads()
    assert one.page.url == human.url("/second")
    assert one.visit.complaints == []


def test_without_script(tab: Any, human: Human) -> None:
    """Pages work; after the grace there is a refusal, once a page, that reloads nothing."""
    one = tab(java_script_enabled=False)
    statuses = [one.page.goto(human.url(f"/plain-{number}")).status for number in range(14)]
    one.settle()
    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 403
    assert (one.loads(), one.calls()) == (14, 0)


def test_without_cookies(tab: Any, human: Human) -> None:
    """A browser that keeps none is known by its address and name: a hand counts for it too."""
    one = tab()
    one.visit.context.route("**/*", lambda route: route.continue_(headers={**route.request.headers, "cookie": ""}))
    one.page.goto(human.url("/cookieless"))
    before = human.told()
    for name in ("Tab", "Tab", "Shift"):
        one.page.keyboard.down(name)
        one.page.wait_for_timeout(70)
        one.page.keyboard.up(name)
        one.page.wait_for_timeout(120)
    one.settle()
    assert human.hear(before) == {"regular"}
    statuses = [one.page.goto(human.url(f"/cookieless-{number}")).status for number in range(20)]
    assert set(statuses) == {200}
    assert one.loads() == 21


def test_a_prefetched_page_runs_nothing(tab: Any, human: Human) -> None:
    """What the browser fetches ahead has the tag and no visitor: no token is asked for it."""
    one = tab()
    one.page.goto(human.url("/linked"))
    one.page.evaluate(
        "url => document.head.append(Object.assign(document.createElement('link'), {rel: 'prefetch', href: url}))",
        human.url("/ahead"),
    )
    one.settle()
    assert one.calls() == 1


def test_a_service_that_refuses_is_not_asked_again_and_again(tab: Any, human: Human) -> None:
    """403 to every report: one more token for each, at the pace of reports, and the page works."""
    one = tab()
    one.visit.context.route(
        "**/.botsieve/e", lambda route: route.fulfill(status=403) if route.request.method == "POST" else route.continue_()
    )
    one.page.goto(human.url("/refused"))
    for _ in range(3):
        one.page.keyboard.press("Tab")
        one.settle()
    assert one.calls() <= 4


def test_without_a_token_nothing_is_sent(tab: Any, human: Human) -> None:
    """The token's fetch fails: no report, no second try, no complaint of the script."""
    one = tab()
    one.visit.context.route("**/.botsieve/e", lambda route: route.fulfill(status=503))
    one.page.goto(human.url("/tokenless"))
    one.page.keyboard.press("Tab")
    one.settle()
    assert one.calls() == 1
    assert [asked for asked in one.asked if asked.startswith("POST")] == []
    assert [text for text in one.visit.complaints if "503" not in text] == []
