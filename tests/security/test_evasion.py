"""Ways round a verdict that a scraper who has read the source would try: each costs what it should.

Law of the file: one trick a class, written as the scraper writes it; the same client without the trick is stopped too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from botsieve.challenge.clearance import PARTS_OF_A_PAGE
from botsieve.challenge.deferrals import DEFER_CALLS
from botsieve.challenge.settings import ChallengeSettings
from botsieve.observation import SEES_ALL_HEADERS

from tests.unit.rig import CALL, PAGE, Rig, enforcing, hello, request

# It says Chrome and sends Python's hello.
LIAR = {**hello("python-requests-2.34"), "http": b"HTTP/1.1"}


def walk(
    rig: Rig, headers: Mapping[bytes, bytes], *, times: int = 300, pace_s: float = 0.31, path: str = "/items/", **facts: object
) -> Counter[str]:
    """So many items in no order at no rhythm; how often each verdict came."""
    draw = random.Random(7)
    at_s, verdicts = 0.0, Counter[str]()
    for _ in range(times):
        at_s += pace_s * draw.uniform(0.5, 1.5)
        verdicts[rig.ask(f"{path}{draw.randrange(10**6)}", headers=headers, at_s=at_s, **facts).verdict] += 1
    return verdicts


class TestWebSockets:
    """`Upgrade: websocket` on what is none: nginx takes the header off, and the application sends its page."""

    UPGRADE: Mapping[bytes, bytes] = {
        **CALL,
        b"upgrade": b"websocket",
        b"sec-websocket-version": b"13",
        b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
        b"sec-fetch-mode": b"websocket",
    }

    def test_items_are_counted_under_that_name_too(self) -> None:
        """As many get through as without it."""
        assert walk(Rig(), self.UPGRADE) == walk(Rig(), CALL)

    def test_a_session_does_not_make_it_free(self) -> None:
        """What takes an item is challenged and put off like any data call."""
        rig = Rig(enforcing(), cookies=True)
        cookie = rig.session_cookie(opened_s=-1000)
        rest = Rig(enforcing(), cookies=True)
        assert walk(rig, {**self.UPGRADE, b"cookie": cookie}) == walk(rest, {**CALL, b"cookie": cookie})

    def test_no_item_hides_behind_another_site(self) -> None:
        """`cross-site` too, so that it is nobody's item: a session puts off, and lifts nothing then."""
        rig = Rig(enforcing(), cookies=True)
        foreign = {**self.UPGRADE, b"sec-fetch-site": b"cross-site", b"cookie": rig.session_cookie()}
        assert walk(rig, foreign, times=400, **LIAR)["allow"] <= DEFER_CALLS

    def test_a_clearance_is_used_up_by_it(self) -> None:
        """As by data calls."""
        rig = Rig(enforcing(), cookies=True)
        cookie = rig.clearance_cookie(request(**LIAR))
        got = walk(rig, {**self.UPGRADE, b"cookie": cookie}, times=400, pace_s=7.0, **LIAR)
        assert got["allow"] == ChallengeSettings().clearance_requests

    def test_a_page_s_own_connections_stay_free(self) -> None:
        """One address opened again and again while a server is away, by who holds a session: no item, never challenged."""
        rig = Rig(enforcing(), cookies=True)
        headers = {**self.UPGRADE, b"cookie": rig.session_cookie(opened_s=-1000)}
        assert {rig.ask("/live?token=x", headers=headers, at_s=n).verdict for n in range(200)} == {"allow"}


class TestNames:
    """Another User-Agent with each request, from one address, without cookies: each name asks for little, all of them for everything."""

    def ask(self, rig: Rig, names: int, **facts: Any) -> Counter[str]:
        """A thousand items, three a second, as Firefox on so many systems."""
        draw, verdicts = random.Random(11), Counter[str]()
        for number in range(1000):
            agent = b"Mozilla/5.0 (X11; Linux %d; rv:140.0) Gecko/20100101 Firefox/140.0" % (number % names)
            headers = {**PAGE, b"user-agent": agent, b"sec-ch-ua": b"", b"sec-ch-ua-mobile": b"", b"sec-ch-ua-platform": b""}
            decision = rig.ask(f"/items/{draw.randrange(10**6)}", headers=headers, at_s=number / 3 + draw.random() / 9, **facts)
            verdicts[decision.verdict] += 1
        return verdicts

    @pytest.mark.parametrize("names", [30, 1000])
    def test_they_are_judged_by_what_they_take_together(self, names: int) -> None:
        """From the three hundredth item within 300 s on each is challenged; the first 31 of a network are not looked at."""
        assert self.ask(Rig(enforcing(), cookies=True), names) == {"allow": 299 + 31, "challenge": 1000 - 299 - 31}

    def test_data_calls_of_another_host_s_pages_are_left_alone(self) -> None:
        """Our cookies do not go there, and nobody could answer a challenge."""
        rig = Rig(enforcing(), cookies=True)
        for number in range(1000):
            agent = b"Mozilla/5.0 (X11; Linux %d; rv:140.0) Gecko/20100101 Firefox/140.0" % number
            headers = {**CALL, b"user-agent": agent, b"sec-ch-ua": b"", b"sec-ch-ua-mobile": b"", b"sec-ch-ua-platform": b""}
            assert rig.ask(f"/api/items/{number * number}", headers=headers, at_s=number / 3).verdict == "allow"

    def test_not_where_no_cookie_can_come_back(self) -> None:
        """Under plain protect.conf people behind one address look the same."""
        assert self.ask(Rig(), 1000, sight=SEES_ALL_HEADERS) == {"allow": 1000}

    def test_people_behind_one_address_are_left_alone(self) -> None:
        """250 within five minutes with 30 browsers, each in on an item and with its cookie from then on: 1,500 items, no challenge."""
        rig = Rig(enforcing(), cookies=True)
        draw = random.Random(5)
        came_s = [draw.uniform(0, 300) for _ in range(250)]
        for at_s, person, page in sorted((came_s[who] + 25 * page, who, page) for who in range(250) for page in range(6)):
            agent = b"Mozilla/5.0 (X11; Linux %d; rv:140.0) Gecko/20100101 Firefox/140.0" % (person % 30)
            headers = {**PAGE, b"user-agent": agent, b"sec-ch-ua": b"", b"sec-ch-ua-mobile": b"", b"sec-ch-ua-platform": b""}
            if page:
                headers[b"cookie"] = rig.session_cookie(opened_s=came_s[person], number=person + 1)
            decision = rig.ask(f"/items/{draw.randrange(10**6)}", headers=headers, at_s=at_s)
            assert not any(signal.subject == "network" for signal in decision.signals)


class TestParts:
    """What calls itself a part of a page uses a clearance up as well, where anything is found."""

    PART: Mapping[bytes, bytes] = {**PAGE, b"sec-fetch-dest": b"image", b"sec-fetch-mode": b"no-cors"}

    def test_one_solution_is_not_worth_everything(self) -> None:
        """Thirty parts are a page view: 9,000 items for one solution, not as many as a day holds."""
        rig = Rig(enforcing(), cookies=True)
        cookie = rig.clearance_cookie(request(**LIAR))
        most = ChallengeSettings().clearance_requests * PARTS_OF_A_PAGE
        got = walk(rig, {**self.PART, b"cookie": cookie}, times=most + 200, pace_s=0.01, **LIAR)
        assert got == {"allow": most, "challenge": 200}

    def test_a_person_s_pictures_cost_nothing(self) -> None:
        """Nothing is found in them."""
        rig = Rig(enforcing(), cookies=True)
        cookie = rig.clearance_cookie(request())
        assert walk(rig, {**self.PART, b"cookie": cookie}, times=9300, pace_s=0.01) == {"allow": 9300}
        assert rig.clearances is not None
        standing = rig.clearances.standing(request(headers={**PAGE, b"cookie": cookie}), request().edge_time_s + 100)
        assert standing is not None


class TestPaths:
    """A path that is never challenged, and leads elsewhere for whoever reads it in another way."""

    @pytest.mark.parametrize(
        "prefix",
        ["/.well-known/..;/items/", "/.well-known/..\\items\\", "/.well-known/%252e%252e/items/", "/.well-known/..%3b/items/"],
    )
    def test_no_exception_for_what_may_be_read_in_two_ways(self, prefix: str) -> None:
        """Servlets take `..;` for `..`, WHATWG parsers `\\` for `/`, others decode twice."""
        got = walk(Rig(), PAGE, path=prefix)
        assert got == walk(Rig(), PAGE)

    @pytest.mark.parametrize("uri", ["/robots.txt#/../items/17", "/.well-known/x#/../../items/17"])
    def test_what_stands_behind_a_fragment_sign(self, uri: str) -> None:
        """nginx hands it on; whoever reads on behind it would see another path."""
        assert Rig(enforcing(audience="browser")).ask(uri, headers={b"accept": b"text/html"}).verdict != "allow"

    def test_what_machines_read_stays_free(self) -> None:
        """Certificates are renewed."""
        rig = Rig(enforcing(audience="browser"))
        for uri in ("/.well-known/acme-challenge/A-b_c", "/robots.txt", "/.well-known/security.txt?x=1", "/%72obots.txt"):
            assert rig.ask(uri, headers={b"accept": b"*/*"}).verdict == "allow"
