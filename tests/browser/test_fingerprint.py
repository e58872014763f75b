"""FingerprintJS in a real browser: one hash, no other host, one browser under several names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.challenge.device_script import LIBRARY_NAME

from tests.browser.pages import Pages, device_of, open_page, running

MORE = """
device: {enabled: true}
browser: {fingerprint: true, events: false}
detectors: {sessions.resets: {action: block, cookie_deletions: 2, deletion_s: 60}}
"""
# The library reports its use to its maker once in a thousand times; with this, each time.
ALWAYS = "Math.random = () => 0;"


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    """Ids and fingerprints are on."""
    with running(MORE) as pages:
        yield pages


def _clear(someone: Any) -> None:
    someone.context.clear_cookies()
    someone.page.evaluate(
        "new Promise(done => { localStorage.clear(); sessionStorage.clear(); const gone = indexedDB.deleteDatabase('botsieve_d');"
        " gone.onsuccess = gone.onerror = gone.onblocked = () => done(); })"
    )


def test_no_other_host_is_asked(site: Pages, visit: Any) -> None:
    """Twenty fingerprints of the library as it is served, its chance of reporting set to one: nothing leaves this host."""
    someone = visit(init=ALWAYS)
    for number in range(20):
        open_page(someone.page, site.url(f"/hosts/{number}"))
        _clear(someone)
    assert sum(LIBRARY_NAME in url for url in someone.requested) >= 1
    hosts = {url.split("/")[2] for url in someone.requested if url.startswith(("http", "ws"))}
    assert hosts == {site.url().split("/")[2]}


def test_that_test_would_notice(site: Pages, visit: Any) -> None:
    """The same library with its `monitoring` left on does ask its maker's host (which is not let through here)."""
    someone = visit(init=ALWAYS)
    someone.context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    open_page(someone.page, site.url("/control"))
    someone.page.evaluate("FingerprintJS.load({monitoring: true}).then(agent => agent.get())")
    assert any("openfpcdn" in url for url in someone.requested)


def test_one_hash_is_sent_and_nothing_else(site: Pages, visit: Any) -> None:
    """32 hex digits, the copies, at most 4 KiB; no component of the fingerprint."""
    someone = visit()
    open_page(someone.page, site.url("/hash"))
    sent = [report for report in site.reports() if "fingerprint" in report][-1]
    assert set(sent) == {"local", "indexed", "fingerprint"}
    assert re.fullmatch("[0-9a-f]{32}", sent["fingerprint"])


def test_it_is_taken_once_a_tab(site: Pages, visit: Any) -> None:
    """The next pages send the same hash without loading the library again."""
    someone = visit()
    for number in range(3):
        open_page(someone.page, site.url(f"/once/{number}"))
    assert sum(LIBRARY_NAME in url for url in someone.requested) == 1
    assert len({report["fingerprint"] for report in site.reports()[-3:]}) == 1


def test_it_works_under_a_strict_policy(site: Pages, visit: Any) -> None:
    """`default-src 'self'`: the hash arrives."""
    someone = visit()
    open_page(someone.page, site.url("/strict/"))
    assert re.fullmatch("[0-9a-f]{32}", site.reports()[-1]["fingerprint"])


def test_a_browser_that_throws_everything_away_is_known(site: Pages, visit: Any) -> None:
    """Cookies and storage cleared on each page: new ids, one browser; the third time it is answered by a challenge at most."""
    someone = visit(viewport={"width": 811, "height": 611}, screen={"width": 1711, "height": 1011})
    seen = set()
    for number in range(4):
        seen.add(device_of(open_page(someone.page, site.url(f"/thrown/{number}"))["id"]))
        _clear(someone)
    assert len(seen) == 4
    someone.page.goto(site.url("/thrown/4"))
    line = site.wait_for("sessions.resets")
    signal = next(signal for signal in line["signals"] if signal["id"] == "sessions.resets")
    assert signal["attack_type"] == "Session Resets by Persistent Client Identification"
    assert line["would_be"] == "challenge"


def test_the_licence_travels_with_it(site: Pages, visit: Any) -> None:
    """What is served begins with the MIT text."""
    someone = visit()
    answer = someone.page.goto(site.url(f"/.botsieve/{LIBRARY_NAME}"))
    assert "Licensed under MIT License" in answer.text()[:300]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_it_is_the_version_that_the_table_names() -> None:
    """5.2.0, and no 4.x, whose licence is another."""
    names = [file.name for file in (Path(__file__).parents[2] / "service/botsieve/web/vendor").glob("*.js")]
    assert names == ["fingerprintjs-5.2.0.min.js"]
