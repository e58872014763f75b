"""A real browser in front of a real nginx in front of the real service.

Law of the file: the browser talks to loopback only; the site protects `/shop/` with a challenge for everybody, `/closed/`
with a block, and leaves the rest alone.
"""

from __future__ import annotations

import grp
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.servers import ServiceProcess, Site

CHROMIUM = "/usr/bin/chromium"
# What keeps a browser to itself, in a container too.
PLAIN = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ARGUMENTS = ["--headless", "--disable-quic", *PLAIN]
# What Chromium sends when nobody drives it.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36"

CONFIG = """
policies:
  - name: shop
    mode: enforce
    block_at: 100
    challenge_at: 99
    rules:
      - {{name: closed, when: {{path: /closed/}}, then: block}}
      - {{name: guarded, when: {{path: /shop/}}, then: challenge}}
edges:
  nginx: {{listen: "unix:{socket}", socket_group: {group}, deadline_ms: 1000}}
state: {{dir: "{state}", max_mib: 32}}
challenge:
  keys_file: "{state}/keys"
  contact: help@shop.example
  no_js: {{wait_s: 2}}
  per_prefix_per_min: 600
journal: {{decisions: {{to: "{state}/decisions.log"}}}}
web: {{listen: null}}
"""

FORM = (
    "<!doctype html><title>app</title><h1>app</h1><p id=uri>$request_method $request_uri</p>"
    "<form method=post action=/shop/order><input name=a value=b><button>send</button></form>"
)


@pytest.fixture(scope="package")
def shop() -> Iterator[Site]:
    """nginx and the service; `/shop/` is challenged."""
    # A short name: a socket's address holds 107 bytes.
    with tempfile.TemporaryDirectory(prefix="botsieve-") as name:
        folder = Path(name)
        socket, state = folder / "check.sock", folder / "state"
        state.mkdir()
        config = folder / "botsieve.yaml"
        group = grp.getgrgid(os.getegid()).gr_name
        config.write_text(CONFIG.format(socket=socket, state=state, group=group))
        site = folder / "site"
        site.mkdir()
        app = f"default_type text/html; return 200 '{FORM}';"
        with ServiceProcess(config), Site(site, socket, app=app, patient=True) as running:
            yield running


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver.  Only while this folder's tests run: its event loop holds the main thread, where others run theirs."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One headless Chromium for the run."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


class Visit:
    """One person's browser: what it showed, asked for and complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.requested: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        # A 403 page is reported as a failed load; everything else is a complaint.
        if message.type == "error" and "status of 403" not in message.text:
            self.complaints.append(message.text)

    def text(self) -> str:
        """What the page shows now."""
        return self.page.inner_text("body")

    def wait_for(self, text: str, at_most_s: float = 60.0) -> None:
        """Returns when the page shows this."""
        self.page.get_by_text(re.compile(re.escape(text))).first.wait_for(timeout=at_most_s * 1000)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Any]:
    """Opens visits: `visit()` for an ordinary one, with options of a Playwright context for others."""
    contexts: list[BrowserContext] = []

    def open_one(*, init: str = "", **options: Any) -> Visit:
        agent = USER_AGENT.format(chromium.version.partition(".")[0])
        context = chromium.new_context(**{"user_agent": agent, "ignore_https_errors": True, "locale": "en-US", **options})
        if init:
            context.add_init_script(init)
        contexts.append(context)
        return Visit(context)

    yield open_one
    for context in contexts:
        # What a test answers in a server's place may be under way still (an icon, say): it would fail in the middle of the next test.
        context.unroute_all(behavior="ignoreErrors")
        context.close()
