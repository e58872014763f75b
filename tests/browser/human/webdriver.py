"""Selenium as a scraper uses it: its Python package, chromedriver, Chromium.

Law of the file: both programs are named, so nothing is looked for and nothing fetched (`SE_OFFLINE`); `--headless`, or in a window on
a screen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.conftest import CHROMIUM
from tests.browser.human.desk import IN_A_WINDOW, Screen

CHROMEDRIVER = "/usr/bin/chromedriver"
_HEADLESS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
# A report is kept for the test on its way out.
_KEEP = """
window.__sent = [];
const send = navigator.sendBeacon.bind(navigator), ask = window.fetch.bind(window);
const keep = (url, body) => { if (String(url).endsWith('/e') && typeof body == 'string') { window.__sent.push(body); } };
navigator.sendBeacon = (url, body) => { keep(url, body); return send(url, body); };
window.fetch = (url, more) => { keep(url, more && more.body); return ask(url, more); };
"""


class WebDriver:
    """One session; use it as a context manager.  `screen`: where its window is; None: headless."""

    def __init__(self, folder: Path, screen: Screen | None = None) -> None:
        options = ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*(_HEADLESS if screen is None else IN_A_WINDOW), f"--user-data-dir={folder}/profile"):
            options.add_argument(argument)
        environment = {**(os.environ if screen is None else screen.environment), "SE_OFFLINE": "true"}
        self.selenium = Chrome(options, Service(CHROMEDRIVER, env=environment))
        self.selenium.set_page_load_timeout(120)

    def open(self, url: str) -> None:
        """Loads a page."""
        self.selenium.get(url)

    def keep_reports(self) -> None:
        """From the next page on, what its script sends can be looked at."""
        self.selenium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _KEEP})

    def reports(self) -> list[bytes]:
        """What the page's script has sent so far, as if the tab was left now."""
        self.script("dispatchEvent(new Event('visibilitychange'))")
        return [text.encode() for text in json.loads(self.script("return JSON.stringify(window.__sent)"))]

    def script(self, text: str, *arguments: object) -> Any:
        """Runs a script in the page."""
        return self.selenium.execute_script(text, *arguments)

    def find(self, css: str) -> WebElement:
        """An element of the page."""
        return self.selenium.find_element(By.CSS_SELECTOR, css)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.selenium.quit()
