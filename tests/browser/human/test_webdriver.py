"""Selenium in a real browser, headless and in a window: its own input is no hand; a hand on its window is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from botsieve.challenge.events import parse_report
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import IRREGULAR, REGULAR, score

from tests.browser.human.conftest import Human
from tests.browser.human.desk import Screen
from tests.browser.human.webdriver import WebDriver
from tests.servers import wait_until


def found(driver: WebDriver, human: Human, before: dict[str, int]) -> tuple[set[str], set[str]]:
    """What the page's reports show, as the service counted it, and the rules that say so."""
    wait_until(driver.reports, what="a report")
    findings = [score(parse_report(body).events, SequenceRules()) for body in driver.reports()]
    return human.hear(before, len(findings)), {rule for finding in findings for rule in finding.rules}


def opened(driver: WebDriver, human: Human, path: str) -> dict[str, int]:
    """Opens a page and waits until its script has its token; the reports before."""
    before = human.told()
    driver.keep_reports()
    driver.open(human.url(path))
    asked = "return performance.getEntriesByType('resource').some(one => one.name.endsWith('/e'))"
    wait_until(lambda: driver.script(asked), what="the token")
    return before


@pytest.mark.parametrize("where", ["headless", "in a window"])
def test_seleniums_click_and_keys_are_irregular(human: Human, tmp_path: Path, where: str) -> None:
    """`click()` and `send_keys()`: trusted events, and no hand in them: no pressure, no travel, no time."""
    screen = None if where == "headless" else Screen()
    try:
        with WebDriver(tmp_path, screen) as driver:
            before = opened(driver, human, "/selenium-input")
            driver.find("#button").click()
            driver.find("#text").send_keys("hello")
            words, rules = found(driver, human, before)
    finally:
        if screen is not None:
            screen.leave()
    assert IRREGULAR in words
    assert REGULAR not in words
    assert "no_pressure" in rules
    assert rules & {"press_dwell", "teleport", "key_dwell", "key_rhythm", "key_dwell_constant"}


def test_a_click_by_script_is_irregular(human: Human, tmp_path: Path) -> None:
    """`execute_script("arguments[0].click()")`: nobody's event."""
    with WebDriver(tmp_path) as driver:
        before = opened(driver, human, "/selenium-script")
        driver.script("arguments[0].click()", driver.find("#button"))
        assert found(driver, human, before) == ({IRREGULAR}, {"untrusted"})


def test_who_only_loads_pages_is_refused_after_the_grace(human: Human, tmp_path: Path) -> None:
    """Ten requests, then none: Selenium that reads pages shows no hand."""
    with WebDriver(tmp_path) as driver:
        for number in range(14):
            driver.open(human.url(f"/selenium-reader-{number}"))
    shown = human.shown("/selenium-reader-")
    assert [shown[f"/selenium-reader-{number}"] for number in (0, 9, 13)] == ["allow", "allow", "block"]


@pytest.mark.realtime
def test_a_hand_on_its_window_is_a_person(human: Human, tmp_path: Path) -> None:
    """xdotool moves, presses and turns in the window that Selenium opened: regular, and thirty pages later nothing is refused."""
    with Screen() as screen, WebDriver(tmp_path, screen) as driver:
        before = human.told()
        driver.open(human.url("/selenium-window"))
        screen.wait_for_window()
        time.sleep(1.0)
        screen.move(300, 400)
        screen.press()
        screen.turn(4)
        screen.move(500, 600)
        assert human.hear(before) == {REGULAR}
        for number in range(30):
            driver.open(human.url(f"/selenium-window-{number}"))
    shown = human.shown("/selenium-window-")
    assert len(shown) == 30
    assert set(shown.values()) == {"allow"}
