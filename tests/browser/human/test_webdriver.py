"""What Selenium does to a page, sent to chromedriver as Selenium sends it."""

from __future__ import annotations

from pathlib import Path

from tests.browser.human.conftest import Human
from tests.browser.human.webdriver import WebDriver


def test_seleniums_click_and_keys_are_irregular(human: Human, tmp_path: Path) -> None:
    """`element.click()` and `send_keys()` of WebDriver: trusted events, and no hand in them."""
    with WebDriver(tmp_path) as driver:
        driver.tell("/url", {"url": human.url("/webdriver")})
        before = human.told()
        driver.tell(f"/element/{driver.find('#button')}/click", {})
        driver.tell(f"/element/{driver.find('#text')}/value", {"text": "hello"})
        driver.tell("/url", {"url": human.url("/webdriver-2")})
        assert human.hear(before) == {"irregular"}
