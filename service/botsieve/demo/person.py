"""A person in `make attack`: a real Chromium, headless, at the pace of somebody who looks at things.

Law of the file: it clicks what a page offers and waits as people do; it knows nothing of the API behind the pages.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from typing import TYPE_CHECKING

from botsieve.errors import MachineError

if TYPE_CHECKING:
    from playwright.sync_api import Page

VISITS = 12
LONGEST_S = 60.0
HOW_TO_INSTALL = "no Chromium found; install it with your system's packages (Debian: apt-get install chromium)"
# It must not ask the internet for anything: no updates, no field trials, no safe browsing.
_QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """The browser's command, None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def browse(base: str, seed: int) -> int:
    """Looks at VISITS pages of the shop.  Returns how many pages were opened.  Errors: MachineError without Chromium."""
    from playwright.sync_api import sync_playwright

    command = find_chromium()
    if command is None:
        raise MachineError(HOW_TO_INSTALL)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command, args=[*_QUIET, *sandbox])
        try:
            page = browser.new_context(ignore_https_errors=True, locale="en-US").new_page()
            page.set_default_timeout(10_000)
            return _stroll(page, base, random.Random(seed))
        finally:
            browser.close()


def _stroll(page: Page, base: str, draw: random.Random) -> int:
    """From the first page to the list, and from there to one thing after another and back."""
    until = time.monotonic() + LONGEST_S
    page.goto(base + "/")
    _look(page, draw)
    page.click("nav a:last-of-type")
    opened = 2
    while opened < VISITS and time.monotonic() < until:
        _look(page, draw)
        things = page.locator("ul a")
        if page.url.rpartition("/")[2].startswith("items?") and things.count():
            things.nth(draw.randrange(things.count())).click()
        else:
            page.click("nav a:last-of-type")
        opened += 1
    _look(page, draw)
    return opened


def _look(page: Page, draw: random.Random) -> None:
    """Reads: moves the mouse, scrolls a little, waits 1 to 4 seconds."""
    page.mouse.move(draw.randrange(100, 600), draw.randrange(100, 400), steps=5)
    page.mouse.wheel(0, draw.randrange(50, 300))
    page.wait_for_timeout(draw.uniform(1000, 4000))
