"""challenge/clearance.py: what a solved challenge earns."""

from __future__ import annotations

import pytest
from botsieve.challenge.clearance import Clearances, Standing
from botsieve.challenge.keys import KeyRing
from hypothesis import given
from hypothesis import strategies as st

from .builders import KEYS, NOW_S, cleared, desk, nonce, request, settings, waited

CHROME_TLS, OTHER_TLS = b"t13d1516h2_8daaf6152771_02713d6af862", b"t13d1516h2_aaaaaaaaaaaa_02713d6af862"


def _minted(clearances: Clearances, number: int = 1, *, level: str = "normal", no_js: bool = False) -> bytes:
    cookie = clearances.mint(
        request(), nonce=nonce(number), level=level, no_js=no_js, place=bytes([203, 0, 113]), family=b"", now_s=NOW_S
    )
    assert cookie
    return cookie.partition(";")[0].encode()


def _standing(clearances: Clearances, cookie: bytes, at_s: float = NOW_S, **facts: object) -> Standing | None:
    headers = {b"cookie": cookie, **facts.pop("headers", {})}  # type: ignore[dict-item]
    return clearances.standing(request(headers=headers, **facts), at_s)


def test_a_clearance_holds_until_it_runs_out() -> None:
    """From the moment it is given until `clearance_s` later, not a second more."""
    at = desk(clearance_s=1800)
    cookie = cleared(at)
    standing = _standing(at.clearances, cookie)
    assert standing is not None
    assert (standing.level, standing.no_js, standing.expires_s) == ("normal", False, int(NOW_S) + 1800)
    assert _standing(at.clearances, cookie, NOW_S + 1799.9) == standing
    assert _standing(at.clearances, cookie, NOW_S + 1800.0) is None


def test_who_uses_it_is_not_asked_again_for_a_day() -> None:
    """It runs out `clearance_s` after the last request that it let through, and a day after it was given in any case."""
    at = desk(clearance_s=1800)
    cookie = cleared(at)
    for number in range(24 * 4):
        standing = _standing(at.clearances, cookie, NOW_S + 900 * number)
        assert standing is not None, number
        at.clearances.count(standing, NOW_S + 900 * number, url=7)
    assert _standing(at.clearances, cookie, NOW_S + 86_399) is not None
    assert _standing(at.clearances, cookie, NOW_S + 86_400) is None
    assert _standing(desk(b"another process").clearances, cookie, NOW_S + 1800) is None


def test_a_form_that_took_an_hour_is_covered() -> None:
    """What somebody wrote is not lost to a challenge: a form is covered for a day, a page load is not."""
    at = desk(clearance_s=1800)
    cookie = cleared(at)
    form = {b"sec-fetch-mode": b"navigate", b"content-type": b"application/x-www-form-urlencoded"}
    assert _standing(at.clearances, cookie, NOW_S + 3600) is None
    assert _standing(at.clearances, cookie, NOW_S + 3600, method=b"POST", headers=form) is not None
    assert _standing(at.clearances, cookie, NOW_S + 86_400, method=b"POST", headers=form) is None


def test_what_was_waited_for_is_not_prolonged() -> None:
    """Any script can wait: five minutes are five minutes."""
    at = desk()
    cookie = waited(at).header("Set-Cookie").partition(";")[0].encode()
    standing = _standing(at.clearances, cookie, NOW_S + 304)
    assert standing is not None
    at.clearances.count(standing, NOW_S + 304)
    assert _standing(at.clearances, cookie, NOW_S + 305) is None


def test_a_spoiled_one_that_was_prolonged_raises_the_level_as_long() -> None:
    """Until it would have run out."""
    at = desk(clearance_s=1800)
    standing = _standing(at.clearances, cleared(at))
    assert standing is not None
    at.clearances.count(standing, NOW_S + 1700)
    at.clearances.spoil(standing)
    assert at.clearances.next_level(request(), "light", NOW_S + 3499) == "hard"
    assert at.clearances.next_level(request(), "light", NOW_S + 3500) == "light"


def test_polls_use_nothing_up() -> None:
    """One of the last four addresses again; what takes turns among more is counted."""
    at = desk(clearance_requests=10)
    standing = _standing(at.clearances, cleared(at))
    assert standing is not None
    for number in range(400):
        at.clearances.count(standing, NOW_S, url=number % 4 + 1)
    cookie = cleared(at, number=2)
    standing = _standing(at.clearances, cookie)
    assert standing is not None
    for number in range(9):
        at.clearances.count(standing, NOW_S, url=number % 5 + 1)
    assert _standing(at.clearances, cookie) is not None
    at.clearances.count(standing, NOW_S, url=5)
    assert _standing(at.clearances, cookie) is None


def test_it_is_bound_to_host_and_user_agent() -> None:
    """Carried to another host or another browser it is nothing."""
    at = desk()
    cookie = cleared(at)
    assert _standing(at.clearances, cookie, host=b"other.example") is None
    assert _standing(at.clearances, cookie, headers={b"user-agent": b"curl/8.5.0"}) is None
    assert _standing(at.clearances, cookie) is not None


def test_what_other_sites_embed_is_not_covered() -> None:
    """A form that another site posts is; its pictures, frames and calls are not, and use nothing up."""
    at = desk()
    cookie = cleared(at)
    posted = {b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate"}
    assert _standing(at.clearances, cookie, method=b"POST", headers=posted) is not None
    for mode, dest in ((b"navigate", b"iframe"), (b"no-cors", b"image"), (b"cors", b"empty")):
        foreign = {b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": mode, b"sec-fetch-dest": dest}
        assert _standing(at.clearances, cookie, headers=foreign) is None


def test_all_cookies_of_the_name_are_tried() -> None:
    """A stale or foreign cookie beside the good one does no harm."""
    at = desk()
    cookie = cleared(at)
    for others in (b"__Host-botsieve_c=old; " + cookie, cookie + b"; __Host-botsieve_c=" + b"A" * 80):
        assert _standing(at.clearances, others) is not None


def test_places_may_join_up_to_roam() -> None:
    """Four networks join; the fifth is not covered while the known ones still are."""
    at = desk(roam=4)
    cookie = cleared(at)
    for number in range(4):
        assert _standing(at.clearances, cookie, address=f"198.51.{number}.1") is not None
    assert _standing(at.clearances, cookie, address="198.51.4.1") is None
    assert _standing(at.clearances, cookie, address="198.51.3.200") is not None
    assert _standing(at.clearances, cookie) is not None


def test_a_clearance_passed_on_to_twenty_networks_is_worth_five() -> None:
    """One cookie used from 20 prefixes covers the first and four more."""
    at = desk()
    cookie = cleared(at)
    covered = [_standing(at.clearances, cookie, address=f"198.51.{number}.1") is not None for number in range(20)]
    assert covered == [True] * 4 + [False] * 16


def test_tls_families_grow_like_networks() -> None:
    """WebSocket and HTTP/3 connections of one browser say hello differently: no challenge in between, within `roam`."""
    at = desk(roam=1)
    cookie = cleared(at, ja4=CHROME_TLS)
    assert _standing(at.clearances, cookie, ja4=CHROME_TLS) is not None
    assert _standing(at.clearances, cookie) is not None, "an absent fingerprint is not evidence"
    assert _standing(at.clearances, cookie, ja4=OTHER_TLS) is not None
    assert _standing(at.clearances, cookie, ja4=b"t13d1516h2_bbbbbbbbbbbb_0") is None


def test_the_first_family_is_no_growth() -> None:
    """A challenge solved where no fingerprint was seen takes the first one that is."""
    at = desk(roam=0)
    cookie = cleared(at)
    assert _standing(at.clearances, cookie, ja4=CHROME_TLS) is not None
    assert _standing(at.clearances, cookie, ja4=OTHER_TLS) is None


def test_roam_zero_is_the_first_of_each_only() -> None:
    """No other network is covered."""
    at = desk(roam=0)
    cookie = cleared(at)
    assert _standing(at.clearances, cookie, address="203.0.113.99") is not None
    assert _standing(at.clearances, cookie, address="203.0.114.7") is None


def test_ipv4_and_ipv6_of_one_visitor() -> None:
    """A browser that changes between IPv4 and IPv6 on every request is covered all the time."""
    at = desk()
    cookie = cleared(at)
    for _ in range(20):
        assert _standing(at.clearances, cookie, address="2001:db8:7::1") is not None
        assert _standing(at.clearances, cookie) is not None


def test_it_is_used_up_after_its_requests() -> None:
    """The last of `clearance_requests` is covered, the next is not."""
    at = desk(clearance_requests=3)
    cookie = cleared(at)
    for _ in range(3):
        standing = _standing(at.clearances, cookie)
        assert standing is not None
        at.clearances.count(standing, NOW_S)
    assert _standing(at.clearances, cookie) is None
    assert at.clearances.next_level(request(), "normal", NOW_S) == "normal"


@pytest.mark.parametrize(("level", "higher"), [("light", "normal"), ("normal", "hard"), ("hard", "hard")])
def test_spoiled_it_lifts_nothing_and_the_next_is_harder(level: str, higher: str) -> None:
    """After a new finding the cookie lifts nothing, and until it would have run out the next challenge is of the next level."""
    at = desk()
    cookie = cleared(at, level=level)
    standing = _standing(at.clearances, cookie)
    assert standing is not None
    at.clearances.spoil(standing)
    at.clearances.spoil(standing)
    assert _standing(at.clearances, cookie) is None
    assert at.clearances.next_level(request(), "light", NOW_S) == higher
    assert at.clearances.next_level(request(), "hard", NOW_S) == "hard"
    assert at.clearances.next_level(request(address="203.0.113.8"), "light", NOW_S) == "light"
    assert at.clearances.next_level(request(), "light", NOW_S + 1800) == "light"


def test_a_spoiled_wait_is_followed_by_work() -> None:
    """Who waited and then misbehaved gets the level that cannot be waited out."""
    at = desk()
    standing = _standing(at.clearances, waited(at).header("Set-Cookie").partition(";")[0].encode(), NOW_S + 6)
    assert standing is not None
    assert standing.no_js
    at.clearances.spoil(standing)
    assert at.clearances.next_level(request(), "light", NOW_S + 6) == "hard"


def test_what_it_was_earned_for_is_made_up_for() -> None:
    """A clearance is a client of its own: the finding is gone at first, and comes again with the pages that follow."""
    walk, other = frozenset(["url_pattern:30"]), frozenset(["suspicious_timing:35"])
    clearances = Clearances(settings(clearance_requests=12), KEYS)
    clearances.asked(request(), walk, NOW_S - 300)
    cookie = _minted(clearances)
    standing = _standing(clearances, cookie)
    assert standing is not None
    assert not clearances.brings_new(standing, frozenset())
    assert not clearances.brings_new(standing, walk)
    assert clearances.brings_new(standing, walk | other)
    clearances.count(standing, NOW_S, 0, frozenset())
    clearances.count(standing, NOW_S + 3, 0, walk)
    clearances.count(standing, NOW_S + 6, 0, walk)
    assert _standing(clearances, cookie) is not None  # 11 of 12: while that goes on, a page view is five
    clearances.count(standing, NOW_S + 9, 0, walk)
    assert _standing(clearances, cookie) is None


@pytest.mark.parametrize(("gap_s", "pages"), [(3.0, 60), (2.9, 5)])
def test_pages_that_nobody_can_read_so_fast_cost_more(gap_s: float, pages: int) -> None:
    """Sixty chapters at a reader's pace, five at a faster one."""
    walk = frozenset(["url_pattern:30"])
    clearances = Clearances(settings(), KEYS)
    clearances.asked(request(), walk, NOW_S)
    cookie = _minted(clearances)
    standing = _standing(clearances, cookie)
    assert standing is not None
    clearances.count(standing, NOW_S - gap_s)
    for number in range(pages):
        assert _standing(clearances, cookie) is not None
        clearances.count(standing, NOW_S + number * gap_s, 0, walk)
    assert _standing(clearances, cookie) is None


@pytest.mark.parametrize(
    ("asked_s", "address", "no_js"), [(-301, "203.0.113.7", False), (0, "203.0.113.8", False), (0, "203.0.113.7", True)]
)
def test_who_was_not_asked_for_it_makes_up_for_nothing(asked_s: int, address: str, no_js: bool) -> None:
    """A challenge that is too old, somebody else's, one that was only waited out."""
    walk = frozenset(["url_pattern:30"])
    clearances = Clearances(settings(), KEYS)
    clearances.asked(request(address=address), walk, NOW_S + asked_s)
    standing = _standing(clearances, _minted(clearances, no_js=no_js))
    assert standing is not None
    assert not clearances.brings_new(standing, frozenset())
    assert clearances.brings_new(standing, walk)


def test_only_findings_that_were_not_there_are_new() -> None:
    """What led to the challenge is forgiven; what comes later is new each time it is asked about."""
    at = desk()
    standing = _standing(at.clearances, cleared(at))
    assert standing is not None
    timing, pattern = "timing.suspicious_timing", "traversal.url_pattern"
    assert not at.clearances.brings_new(standing, frozenset([timing]))
    assert not at.clearances.brings_new(standing, frozenset())
    assert at.clearances.brings_new(standing, frozenset([timing, pattern]))
    assert at.clearances.brings_new(standing, frozenset([pattern]))


def test_after_a_restart_it_is_honoured_with_fresh_counters() -> None:
    """A process with the same keys and no memory covers the cookie again; one with other keys does not."""
    at = desk(clearance_requests=1)
    cookie = cleared(at)
    standing = _standing(at.clearances, cookie)
    assert standing is not None
    at.clearances.count(standing, NOW_S)
    assert _standing(at.clearances, cookie) is None
    again = desk(b"another process", clearance_requests=1)
    assert _standing(again.clearances, cookie) == standing
    assert _standing(desk(keys=KeyRing((b"o" * 32,))).clearances, cookie) is None


def test_memory_is_bounded_and_drops_the_oldest() -> None:
    """Beyond the limit the clearance that was idle longest starts with fresh counters; one at work is kept."""
    clearances = Clearances(settings(clearance_requests=2), KEYS, limit=2)
    first, second = _minted(clearances, 1), _minted(clearances, 2)
    for cookie in (second, first):
        standing = _standing(clearances, cookie)
        assert standing is not None
        clearances.count(standing, NOW_S)
        clearances.count(standing, NOW_S)
        assert _standing(clearances, cookie) is None
    _minted(clearances, 3)
    assert _standing(clearances, first) is None
    assert _standing(clearances, second) is not None


def test_a_stranger_to_its_memory_changes_nothing() -> None:
    """Counting or spoiling a clearance that was forgotten is no error."""
    standing = Standing(b"12345678", "normal", False, int(NOW_S), int(NOW_S) + 60, b"w" * 16)
    clearances = desk().clearances
    clearances.count(standing, NOW_S)
    clearances.spoil(standing)
    assert not clearances.brings_new(standing, frozenset(["x.y"]))
    assert clearances.next_level(request(), "light", NOW_S) == "light"


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 5))
def test_never_more_places_than_allowed(visited: list[int], roam: int) -> None:
    """In whatever order networks come, at most `roam` besides the first are ever covered, and a covered one stays so."""
    clearances = Clearances(settings(roam=roam), KEYS)
    cookie = _minted(clearances)
    covered: set[int] = set()
    for number in visited:
        if _standing(clearances, cookie, address=f"198.51.{number}.1") is not None:
            covered.add(number)
        else:
            assert number not in covered
    assert len(covered) <= roam
