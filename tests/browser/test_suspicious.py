"""Driven browsers and disallowed extensions: real Chromium, with and without a program that drives it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PLAIN
from tests.browser.human.desk import Desk
from tests.browser.human.webdriver import WebDriver
from tests.browser.pages import Pages, open_page, running
from tests.servers import wait_until

SUSPICIOUS = "Suspicious Clients"


def extension(folder: Path, name: str, **manifest: Any) -> str:
    """A dummy extension in a folder of its own; its id, which Chromium makes of the folder's path."""
    place = folder / name
    place.mkdir()
    (place / "manifest.json").write_text(json.dumps({"manifest_version": 3, "name": name, "version": "1.0", **manifest}))
    (place / "mark.txt").write_text("here")
    (place / "element.js").write_text("document.documentElement.dataset.markerExtension = 'on';")
    (place / "global.js").write_text("window.minerExtension = true;")
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:32]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest)


def _script(file: str, world: str) -> list[dict[str, Any]]:
    return [{"matches": ["http://*/*"], "js": [file], "run_at": "document_start", "world": world}]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the extensions lie."""
    with tempfile.TemporaryDirectory(prefix="botsieve-") as name:
        yield Path(name).resolve()


@pytest.fixture(scope="module")
def extensions(folder: Path) -> dict[str, str]:
    """Three that show themselves in three ways, and the line of the list for each."""
    resources = [{"resources": ["mark.txt"], "matches": ["<all_urls>"]}]
    file_id = extension(folder, "scraper", web_accessible_resources=resources)
    extension(folder, "marker", content_scripts=_script("element.js", "ISOLATED"))
    extension(folder, "miner", content_scripts=_script("global.js", "MAIN"))
    return {
        "scraper": f"Scraper = chrome-extension://{file_id}/mark.txt",
        "marker": "Marker = selector html[data-marker-extension]",
        "miner": "Miner = global minerExtension",
    }


@pytest.fixture(scope="module")
def site(extensions: dict[str, str]) -> Iterator[Pages]:
    """Suspicious browsers are blocked; device ids are on, so that nobody else is concerned."""
    with running(_blocking(*extensions.values())) as pages:
        yield pages


def _blocking(*extensions: str) -> str:
    return (
        f"detectors: {{browser.suspicious: {{action: block, extensions: {json.dumps(extensions)}}}}}\n"
        "device: {enabled: true}\nbrowser: {events: false}"
    )


def _browse(playwright: Playwright, folder: Path, profile: str, names: list[str], *more: str) -> Any:
    """A browser with extensions, which nothing in the page can tell is driven but for the open protocol session."""
    paths = ",".join(str(folder / name) for name in names)
    loaded = [f"--disable-extensions-except={paths}", f"--load-extension={paths}"] if names else []
    return playwright.chromium.launch_persistent_context(
        str(folder / f"profile-{profile}"),
        executable_path=CHROMIUM,
        headless=False,
        ignore_default_args=["--enable-automation", "--disable-extensions"],
        args=["--headless=new", *PLAIN, *loaded, "--disable-blink-features=AutomationControlled", *more],
    )


@pytest.mark.parametrize("name", ["scraper", "marker", "miner"])
def test_a_listed_extension_is_blocked(playwright: Playwright, folder: Path, site: Pages, extensions: Any, name: str) -> None:
    """Found on the first page; the next one is refused, under F5's name and with the extension's."""
    context = _browse(playwright, folder, name, [name])
    try:
        page = context.pages[0]
        open_page(page, site.url(f"/{name}/1"))
        assert site.reports()[-1]["extensions"] == [name.capitalize()]
        assert page.goto(site.url(f"/{name}/2")).status == 403
    finally:
        context.close()
    wait_until(lambda: any(_detail(line) == name.capitalize() for line in site.decisions("browser.suspicious")), what=name)


def _detail(line: dict[str, Any]) -> str:
    signal = next(signal for signal in line["signals"] if signal["id"] == "browser.suspicious")
    assert signal["attack_type"] == SUSPICIOUS
    return str(signal["detail"]).partition("+")[0]


def test_without_it_nobody_is_blocked(playwright: Playwright, folder: Path, site: Pages, extensions: Any) -> None:
    """The same browser with no extension goes on: an open protocol session alone is no accusation."""
    agent = f"--user-agent={_person(playwright)}"
    context = _browse(playwright, folder, "none", [], agent)
    try:
        page = context.pages[0]
        for number in range(3):
            open_page(page, site.url(f"/none/{number}"))
            report = site.reports()[-1]
            assert report["extensions"] == []
        assert page.goto(site.url("/none/9")).status == 200
    finally:
        context.close()


def _person(playwright: Playwright) -> str:
    version = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version.partition('.')[0]}.0.0.0 Safari/537.36"
    )


def test_a_driven_browser_is_challenged_and_never_blocked(playwright: Playwright, site: Pages) -> None:
    """Playwright as it comes: webdriver and the debugger; `action: block` asks for a challenge, which it solves."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    try:
        # A User-Agent of its own: what the tests above left behind of their browsers is not its business.
        page = browser.new_page(user_agent=_person(playwright).replace(" Safari", " Driven Safari"))
        open_page(page, site.url("/driven/1"))
        assert {"webdriver", "debugger"} <= set(site.reports()[-1]["marks"])
        answer = page.goto(site.url("/driven/2"))
        assert answer.status == 403
        assert "challenge" in site.decisions("browser.suspicious")[-1]["would_be"]
        page.wait_for_url(site.url("/driven/2"))
        page.locator("#uri").wait_for(timeout=60_000)  # it solves it
    finally:
        browser.close()


def test_a_person_s_browser_shows_no_mark(site: Pages, tmp_path: Path) -> None:
    """Chromium in a window, started with an address and driven by nobody: not one of the marks that matter."""
    before = len(site.reports())
    with Desk(tmp_path, site.url("/person")):
        wait_until(lambda: len(site.reports()) > before, what="the report")
    # Without a GPU there is software rendering, here as on many office machines.
    assert set(site.reports()[-1]["marks"]) <= {"software_gl"}


def test_webdriver_leaves_its_names_behind(tmp_path: Path) -> None:
    """What Selenium drives: webdriver, the names of chromedriver and an open debugger."""
    # A site of its own: its User-Agent is that of the browsers with extensions, whose neighbour would be asked, and pass, on page one.
    with running(_blocking()) as site, WebDriver(tmp_path) as driver:
        driver.open(site.url("/webdriver"))
        wait_until(site.reports, what="the report")
        assert {"webdriver", "globals", "debugger"} <= set(site.reports()[-1]["marks"])
        driver.open(site.url("/webdriver/2"))
        wait_until(lambda: _named(site, "/webdriver/2"), what="the decision")
        decision = _named(site, "/webdriver/2")[0]
    assert "challenge" in decision["would_be"]
    assert any({"webdriver", "globals"} <= set(reason.partition(":")[2].split("+")) for reason in decision["reasons"])


def _named(site: Pages, path: str) -> list[dict[str, Any]]:
    return [decision for decision in site.decisions("browser.suspicious") if decision["path"] == path]


def test_marks_are_off_unless_somebody_watches(playwright: Playwright) -> None:
    """The packaged `action: ignore`: neither marks nor extensions are in the script or in a report."""
    with running("device: {enabled: true}\nbrowser: {events: false}") as pages:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = browser.new_page()
            open_page(page, pages.url("/"))
            assert set(pages.reports()[-1]) == {"local", "indexed"}
            assert "webdriver" not in page.request.get(pages.url("/.botsieve/b.js")).text()
        finally:
            browser.close()
