"""Device ids in a real browser, through real nginx: what is kept, what is noticed, and what is nobody's fault."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.pages import Pages, cookie, device_of, open_page, running

MORE = """
device: {enabled: true}
browser: {events: false}
detectors: {sessions.resets: {action: block, integrity_faults: 2, integrity_s: 60, cookie_deletions: 2, deletion_s: 60}}
"""
RESETS = "Session Resets by Persistent Client Identification"


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    """Ids are on; more than two faults or deletions in a minute are an attack."""
    with running(MORE) as pages:
        yield pages


@pytest.fixture
def calm(site: Pages) -> Iterator[Pages]:
    """For tests of people: at their end no reset was found that was not there before."""
    before = len(site.decisions("sessions.resets"))
    yield site
    time.sleep(0.3)  # the log is written in the background
    assert len(site.decisions("sessions.resets")) == before


def test_an_id_is_kept_in_three_places(calm: Pages, visit: Any) -> None:
    """HttpOnly cookie, localStorage, IndexedDB; the next pages renew the text and keep the id; nobody complains."""
    someone = visit()
    first = open_page(someone.page, calm.url("/items/1"))["id"]
    kept = cookie(someone.page)
    assert kept is not None
    assert (kept["value"], kept["httpOnly"], kept["sameSite"], kept["path"]) == (first, True, "Lax", "/")
    assert 7100 < kept["expires"] - time.time() < 7300
    second = open_page(someone.page, calm.url("/items/2"))["id"]
    assert device_of(second) == device_of(first)
    assert second != first
    assert someone.complaints == []
    assert {url.split("/")[2] for url in someone.requested} == {calm.url().split("/")[2]}


def test_over_tls_it_belongs_to_this_host_alone(calm: Pages, visit: Any) -> None:
    """`__Host-` and Secure."""
    someone = visit()
    open_page(someone.page, calm.url("/", "https"))
    kept = cookie(someone.page, "__Host-botsieve_d")
    assert kept is not None
    assert kept["secure"]


def test_a_strict_policy_of_the_site_is_enough(calm: Pages, visit: Any) -> None:
    """`default-src 'self'`: no complaint, nothing refused."""
    someone = visit()
    assert open_page(someone.page, calm.url("/strict/"))["id"]
    assert someone.complaints == []


def test_deleted_cookies_are_an_attack(site: Pages, visit: Any) -> None:
    """The id comes back each time; the third deletion in time is answered, under F5's name."""
    someone = visit()
    first = open_page(someone.page, site.url("/deleted/0"))["id"]
    for number in range(1, 4):
        someone.context.clear_cookies()
        again = open_page(someone.page, site.url(f"/deleted/{number}"))["id"]
        assert device_of(again) == device_of(first)
    assert someone.page.goto(site.url("/deleted/4")).status == 403
    line = site.wait_for("sessions.resets")
    signal = next(signal for signal in line["signals"] if signal["id"] == "sessions.resets")
    assert signal["attack_type"] == RESETS
    assert (line["verdict"], line["rule"]) == ("block", "prevention")


def test_tampering_is_an_attack(site: Pages, visit: Any) -> None:
    """localStorage is changed, then holds somebody else's id: faults; the device is blocked, the other one is not."""
    someone, other = visit(), visit()
    open_page(someone.page, site.url("/tampered/0"))
    theirs = open_page(other.page, site.url("/tampered/other"))["id"]
    someone.page.evaluate("localStorage.setItem('botsieve_d', 'x' + localStorage.getItem('botsieve_d').slice(1))")
    open_page(someone.page, site.url("/tampered/1"))
    someone.page.evaluate("localStorage.setItem('botsieve_d', 'nonsense')")
    open_page(someone.page, site.url("/tampered/2"))
    someone.page.evaluate("localStorage.setItem('botsieve_d', 'other nonsense')")
    open_page(someone.page, site.url("/tampered/3"))
    assert someone.page.goto(site.url("/tampered/4")).status == 403
    assert other.page.goto(site.url("/tampered/other")).status == 200
    assert theirs


def test_a_browser_that_clears_everything_is_no_attack(calm: Pages, visit: Any) -> None:
    """Cookies and storage gone, again and again: a new device each time, and no fault."""
    someone = visit()
    seen = set()
    for number in range(5):
        seen.add(device_of(open_page(someone.page, calm.url(f"/cleared/{number}"))["id"]))
        someone.context.clear_cookies()
        someone.page.evaluate(
            "new Promise(done => { localStorage.clear(); const gone = indexedDB.deleteDatabase('botsieve_d');"
            " gone.onsuccess = gone.onerror = gone.onblocked = () => done(); })"
        )
    assert len(seen) == 5


def test_storage_that_is_cleared_alone_is_no_attack(calm: Pages, visit: Any) -> None:
    """A browser that ages script storage: the cookie goes on."""
    someone = visit()
    seen = set()
    for number in range(4):
        seen.add(device_of(open_page(someone.page, calm.url(f"/aged/{number}"))["id"]))
        someone.page.evaluate("localStorage.clear()")
    assert len(seen) == 1


def test_two_tabs_become_one_device(calm: Pages, visit: Any) -> None:
    """Two first pages at once, both without an id; then pages of both in turn: one id, no fault."""
    someone = visit()
    other = someone.context.new_page()
    with (
        someone.page.expect_response(lambda answer: answer.url.endswith("/d")),
        other.expect_response(lambda answer: answer.url.endswith("/d")),
    ):
        someone.page.goto(calm.url("/tab/1"), wait_until="commit")
        other.goto(calm.url("/tab/2"), wait_until="commit")
    seen = [device_of(open_page(page, calm.url("/tab/3"))["id"]) for page in (someone.page, other, someone.page, other)]
    assert len(set(seen)) == 1


def test_a_private_mode_without_databases_has_an_id_too(calm: Pages, visit: Any) -> None:
    """IndexedDB refuses, or both refuse: what is left is used, nothing complains."""
    no_database = "Object.defineProperty(window, 'indexedDB', {get() { throw new DOMException('no', 'SecurityError'); }});"
    someone = visit(init=no_database)
    first = open_page(someone.page, calm.url("/private/1"))["id"]
    assert device_of(open_page(someone.page, calm.url("/private/2"))["id"]) == device_of(first)
    assert someone.complaints == []


def test_without_script_nothing_happens(calm: Pages, visit: Any) -> None:
    """Pages come, no id is stored."""
    someone = visit(java_script_enabled=False)
    for number in range(5):
        assert someone.page.goto(calm.url(f"/noscript/{number}")).status == 200
    assert cookie(someone.page) is None


def test_in_a_frame_it_is_silent(calm: Pages, visit: Any) -> None:
    """In somebody's frame our cookies may stay away and would seem deleted: there it does nothing."""
    someone = visit()
    someone.page.goto(calm.url("/frame/"), wait_until="networkidle")
    assert any(url.endswith("/inner") for url in someone.requested)
    assert not any(url.endswith("/.botsieve/d") for url in someone.requested)


def test_another_site_s_page_cannot_report(calm: Pages, visit: Any) -> None:
    """A page of another origin that posts to us on a visitor's behalf is refused, and the visitor has no fault."""
    someone = visit()
    open_page(someone.page, calm.url("/victim/1"))
    foreign = calm.url("/plain/", host="localhost")
    someone.page.goto(foreign)
    post = (
        "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body: '{\"local\":\"x\"}'})"
        ".then(() => true, () => true)"
    )
    for _ in range(5):
        someone.page.evaluate(post, calm.url("/.botsieve/d"))
    open_page(someone.page, calm.url("/victim/2"))


def test_back_and_forward_and_reload(calm: Pages, visit: Any) -> None:
    """However a person moves, the device stays."""
    someone = visit()
    first = open_page(someone.page, calm.url("/moves/1"))["id"]
    open_page(someone.page, calm.url("/moves/2"))
    someone.page.go_back(wait_until="networkidle")
    someone.page.go_forward(wait_until="networkidle")
    someone.page.reload(wait_until="networkidle")
    assert device_of(open_page(someone.page, calm.url("/moves/3"))["id"]) == device_of(first)
    assert someone.complaints == []


def test_it_shares_its_script_with_the_collector(visit: Any) -> None:
    """Everything on: one script tag, both reports, a worker of the same file, nothing complains."""
    everything = (
        "device: {enabled: true}\nbrowser: {events: true, fingerprint: true}\ndetectors: {browser.suspicious: {action: alarm}}"
    )
    with running(everything) as pages:
        someone = visit()
        someone.page.on("worker", lambda worker: workers.append(worker.url))
        workers: list[str] = []
        open_page(someone.page, pages.url("/strict/"))
        someone.page.wait_for_load_state("networkidle")
        assert {url.partition("/.botsieve/")[2] for url in someone.requested} >= {"b.js", "d", "e"}
        assert [url.partition("/.botsieve/")[2] for url in workers] == ["b.js"]
        assert "worker" not in pages.reports()[-1]["marks"]
        assert "frame" not in pages.reports()[-1]["marks"]
        assert someone.complaints == []
