"""verdict.py: nobody is made worse off than the score says, except by a challenge that was put off and is now due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botsieve.decision import Decision
from botsieve.policy import PathSet, Rule, Rulebook

from tests.unit.rig import CALL, PAGE, TOOL, Rig, enforcing, found, hello, request

# A page load of nobody in particular on a route for browsers: no_useragent 40 + language 20 + encoding 15 = 75.
NOBODY: Mapping[bytes, bytes] = {b"accept": b"text/html"}
# Whatever is found asks for a challenge and no more.
IN_THE_BAND: Mapping[str, Any] = {"challenge_at": 30, "block_at": 100}
BLOCKED_PAGE: Mapping[str, Any] = {"audience": "browser", "block_at": 75}


def verdicts(rig: Rig, times: int, *, gap_s: float = 10.0, start_s: float = 0.0, **facts: Any) -> list[tuple[str, str]]:
    decisions = [rig.ask("/p", at_s=start_s + number * gap_s, **facts) for number in range(times)]
    return [(decision.verdict, decision.level) for decision in decisions]


class TestChallengeFirst:
    def test_a_page_load_is_heard_before_it_is_blocked(self) -> None:
        """Challenged hard; after three that were not answered in 300 s, blocked.  Its first request is not remembered."""
        got = verdicts(Rig(enforcing(**BLOCKED_PAGE)), 7, headers=NOBODY)
        assert got == [("challenge", "hard")] * 4 + [("block", "")] * 3

    def test_tabs_that_open_together_are_heard_once(self) -> None:
        """Twenty links of a search: each is asked, none refused.  Whoever goes on so is blocked after seconds."""
        rig = Rig(enforcing(**BLOCKED_PAGE))
        tabs = verdicts(rig, 20, gap_s=0.09, headers=NOBODY)
        assert tabs == [("challenge", "hard")] * 20
        went_on = verdicts(rig, 100, gap_s=0.09, start_s=1.8, headers=NOBODY)
        assert went_on[-1] == ("block", "")

    def test_what_is_fetched_ahead_is_not_heard(self) -> None:
        """Nobody sees a challenge that a browser fetched before the link was followed."""
        rig = Rig(enforcing(**BLOCKED_PAGE))
        ahead = {**NOBODY, b"sec-fetch-dest": b"document", b"sec-purpose": b"prefetch;prerender"}
        assert set(verdicts(rig, 6, headers=ahead)) == {("challenge", "hard")}
        assert rig.ask("/p", at_s=60, headers=NOBODY).verdict == "challenge"

    def test_slowly_it_is_heard_again(self) -> None:
        """Three challenges within 300 s, not ever."""
        assert set(verdicts(Rig(enforcing(**BLOCKED_PAGE)), 9, gap_s=160, headers=NOBODY)) == {("challenge", "hard")}

    def test_what_is_no_page_load_is_blocked(self) -> None:
        """Nobody reads a challenge there."""
        rig = Rig(enforcing(audience="browser", block_at=70))
        assert rig.ask("/api", headers={b"accept": b"*/*"}).verdict == "block"

    @pytest.mark.parametrize(
        "changes",
        [
            {"challenge_first": False},
            {"challenge": "none"},
            {"never_challenge": PathSet(("/p",))},
            {"rules": (Rule(name="r", then="block", score_from=1),)},
        ],
    )
    def test_where_it_is_blocked_at_once(self, changes: dict[str, Any]) -> None:
        """Switched off, no challenge to give, a path that is never challenged, a rule's word."""
        rig = Rig(enforcing(**BLOCKED_PAGE, **changes))
        assert rig.ask("/p", headers=NOBODY).verdict == "block"

    def test_who_solved_the_hardest_and_still_reaches_block_is_blocked(self) -> None:
        """A clearance lifts challenges, never a block; one of a lower level is asked for the hardest."""
        for level, verdict in (("hard", "block"), ("normal", "challenge"), ("light", "challenge")):
            rig = Rig(enforcing(**BLOCKED_PAGE), cookies=True)
            cookie = rig.clearance_cookie(request("/p", headers=NOBODY), level=level)
            assert rig.ask("/p", headers={**NOBODY, b"cookie": cookie}, at_s=1).verdict == verdict


class TestLevels:
    @pytest.mark.parametrize(
        ("challenge_at", "level"),
        [(75, "light"), (61, "light"), (60, "normal"), (45, "normal")],
    )
    def test_by_how_far_it_is_over(self, challenge_at: int, level: str) -> None:
        """Fewer than 15 points above the threshold: light."""
        decision = Rig(enforcing(audience="browser", challenge_at=challenge_at)).ask("/p", headers=NOBODY)
        assert (decision.verdict, decision.level) == ("challenge", level)

    def test_behaviour_is_never_light(self) -> None:
        """A finding about behaviour asks for the normal level."""
        rig = Rig(enforcing(challenge_at=30))
        for number in range(6):
            decision = rig.ask(f"/items/{number}", headers={**TOOL, b"accept": b"text/html"}, at_s=number * 7.3)
        assert found(decision) == ["url_pattern:30"]
        assert (decision.verdict, decision.level) == ("challenge", "normal")

    def test_a_policy_without_challenges_blocks(self) -> None:
        """challenge: none."""
        assert Rig(enforcing(audience="browser", challenge="none")).ask("/p", headers=NOBODY).verdict == "block"


def cleared(rig: Rig, **facts: Any) -> Mapping[bytes, bytes]:
    cookie = rig.clearance_cookie(request("/p", headers=NOBODY), **facts)
    return {**NOBODY, b"cookie": cookie}


class TestClearance:
    def test_lifts_the_challenge_and_nothing_else(self) -> None:
        """Allow, by rule `clearance`; score and findings stay."""
        rig = Rig(enforcing(audience="browser"), cookies=True)
        decision = rig.ask("/p", headers=cleared(rig), at_s=1)
        assert (decision.verdict, decision.rule, decision.score) == ("allow", "clearance", 75)

    def test_of_a_lower_level_it_does_not(self) -> None:
        """A light one does not lift a normal challenge."""
        rig = Rig(enforcing(audience="browser"), cookies=True)
        assert rig.ask("/p", headers=cleared(rig, level="light"), at_s=1).verdict == "challenge"

    def test_ends_half_an_hour_after_its_last_use_or_after_300_requests(self) -> None:
        """Page views and data calls that it let through count."""
        rig = Rig(enforcing(audience="browser"), cookies=True)
        headers = cleared(rig)
        assert rig.ask("/p", headers=headers, at_s=1799).verdict == "allow"
        assert rig.ask("/p", headers=headers, at_s=1799 + 1799).verdict == "allow"
        assert rig.ask("/p", headers=headers, at_s=1799 + 1799 + 1800).verdict == "challenge"
        rig = Rig(enforcing(audience="browser"), cookies=True)
        headers = cleared(rig)
        said = [rig.ask("/p", headers=headers, at_s=1 + number * 3.3 % 7).verdict for number in range(301)]
        assert said == ["allow"] * 300 + ["challenge"]

    @pytest.mark.parametrize("every_s", [1.001, 17.3])
    @pytest.mark.parametrize("preset", [{}, {"challenge_at": 30, "block_at": 60}])
    def test_a_page_that_polls_does_not_end_it(self, preset: dict[str, Any], every_s: float) -> None:
        """An application that loads no second page goes on, all day, behind a proxy whose hello contradicts every browser."""
        rig, facts = Rig(enforcing(**preset), cookies=True), hello("go-1.27")
        assert rig.ask("/", **facts).verdict == "challenge"
        cookie = rig.session_cookie() + b"; " + rig.clearance_cookie(request("/", **facts))
        for number in range(int(7200 / every_s)):
            uri = f"/api/news?_={number}" if number % 2 else "/api/mail"
            decision = rig.ask(uri, headers={**CALL, b"cookie": cookie}, at_s=2 + number * every_s, **facts)
            assert decision.verdict == "allow", (number, found(decision))

    def test_a_walk_ends_it_although_a_page_polls(self) -> None:
        """Items are items: the poll beside them hides nothing."""
        rig, facts = Rig(enforcing(), cookies=True), hello("go-1.27")
        call = {**CALL, b"cookie": rig.clearance_cookie(request("/", **facts))}
        polls = [rig.ask("/api/mail", headers=call, at_s=1.001 * number, **facts).verdict for number in range(20)]
        walk = [rig.ask(f"/api/items/{number}", headers=call, at_s=30 + 5.3 * number, **facts).verdict for number in range(7)]
        assert (polls, walk) == (["allow"] * 20, ["allow"] * 5 + ["challenge"] * 2)

    def test_a_new_behaviour_finding_ends_it(self) -> None:
        """And the next challenge is of the next level."""
        rig = Rig(enforcing(audience="browser"), cookies=True)
        headers = cleared(rig)
        said = [rig.ask(f"/items/{number}", headers=headers, at_s=5.0 * number) for number in range(1, 8)]
        assert [decision.verdict for decision in said] == ["allow"] * 5 + ["challenge"] * 2
        assert said[-1].level == "hard"


def suspect(rig: Rig, *, start_s: float = 0.0, cookie: bytes = b"") -> Decision:
    """The first data call of a walk over items that a browser's policy challenges: url_pattern 30."""
    for number in range(6):
        decision = rig.ask(f"/api/items/{number}", headers={**CALL, b"cookie": cookie}, at_s=start_s + 7.3 * number)
    return decision


class TestEmbedded:
    """Behind a proxy whose hello contradicts every browser, and on a host where nobody loads a page."""

    def ask(self, uri: str, *, block_at: int = 80, **changes: bytes) -> Decision:
        embedded = {**PAGE, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image", b"sec-fetch-site": b"cross-site"}
        headers = embedded | {name.replace("_", "-").encode(): value for name, value in changes.items()}
        return Rig(enforcing(block_at=block_at)).ask(uri, headers=headers, **hello("go-1.27"))

    def test_files_are_let_through(self) -> None:
        """A challenge would be a broken picture, whoever looks at the page."""
        decision = self.ask("/shared/logo.png")
        assert (decision.score, decision.verdict) == (45, "allow")
        assert self.ask("/font.woff2", sec_fetch_dest=b"font", sec_fetch_site=b"same-site").verdict == "allow"

    def test_nothing_else_is(self) -> None:
        """Data that calls itself a picture, a file of one's own page, what the score blocks."""
        assert self.ask("/api/items/17").verdict == "challenge"
        assert self.ask("/shared/logo.png", sec_fetch_site=b"same-origin").verdict == "challenge"
        assert self.ask("/shared/logo.png", block_at=45).verdict == "block"


class TestDeferral:
    def rig(self, **changes: Any) -> tuple[Rig, bytes]:
        rig = Rig(enforcing(challenge_at=30, **changes), cookies=True)
        return rig, rig.session_cookie(opened_s=-1000)

    def test_a_data_call_is_let_through_and_the_next_page_load_challenged(self) -> None:
        """A single-page application is not broken in mid-air."""
        rig, cookie = self.rig()
        decision = suspect(rig, cookie=cookie)
        assert (decision.verdict, decision.deferred, decision.score) == ("allow", True, 30)
        page = rig.ask("/about", headers={**PAGE, b"cookie": cookie}, at_s=50)
        assert (page.verdict, page.deferred) == ("challenge", False)

    def test_it_is_due_although_nothing_is_found_any_more(self) -> None:
        """Once; then it is forgotten."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        page = {**PAGE, b"cookie": cookie}
        assert rig.ask("/api/x", headers={**CALL, b"cookie": cookie}, at_s=390).verdict == "allow"
        assert rig.ask("/about", headers=page, at_s=400).verdict == "challenge"
        assert rig.ask("/about", headers=page, at_s=401).verdict == "allow"

    def test_without_a_session_it_is_refused(self) -> None:
        """Nobody would come back."""
        rig, _ = self.rig()
        decision = suspect(rig)
        assert (decision.verdict, decision.deferred) == ("challenge", False)

    def test_for_sixty_seconds(self) -> None:
        """Then the calls are refused."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        call = {**CALL, b"cookie": cookie}
        assert rig.ask("/api/items/6", headers=call, at_s=36.5 + 60).verdict == "allow"
        assert rig.ask("/api/items/7", headers=call, at_s=36.5 + 60.1).verdict == "challenge"

    def test_for_a_hundred_calls(self) -> None:
        """The first among them."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        call = {**CALL, b"cookie": cookie}
        said = [rig.ask("/api/items/6", headers=call, at_s=37 + number / 7.7).verdict for number in range(100)]
        assert said == ["allow"] * 99 + ["challenge"]

    def test_who_solved_one_meanwhile_owes_nothing(self) -> None:
        """A clearance settles it."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        page = {**PAGE, b"cookie": cookie + b"; " + rig.clearance_cookie(request("/about"), at_s=40)}
        assert rig.ask("/about", headers=page, at_s=400).verdict == "allow"

    @pytest.mark.parametrize(
        "changes",
        [
            {"never_challenge": PathSet(("/about",))},
            {"rules": (Rule(name="partner", then="allow", paths=PathSet(("/about",))),)},
        ],
    )
    def test_not_where_nobody_is_challenged(self, changes: dict[str, Any]) -> None:
        """A path that is never challenged, a rule that lets through: it stays due for the next page load."""
        rig, cookie = self.rig(**changes)
        suspect(rig, cookie=cookie)
        page = {**PAGE, b"cookie": cookie}
        assert rig.ask("/about", headers=page, at_s=50).verdict == "allow"
        assert rig.ask("/other", headers=page, at_s=51).verdict == "challenge"


def calls_let_through(rig: Rig, cookie: bytes, start_s: float, times: int = 50) -> int:
    """Data calls of the walk that go on: how many of so many are let through."""
    call = {**CALL, b"cookie": cookie}
    return sum(
        rig.ask(f"/api/items/{int(start_s) * 10 + number}", headers=call, at_s=start_s + number / 3.7).verdict == "allow"
        for number in range(times)
    )


class TestIgnored:
    """A challenge that was put off, shown with a page, and not solved."""

    def rig(self) -> tuple[Rig, bytes]:
        rig = Rig(enforcing(**IN_THE_BAND), cookies=True)
        return rig, rig.session_cookie(opened_s=-1000)

    def page(self, rig: Rig, cookie: bytes, at_s: float) -> str:
        headers = {**PAGE, b"cookie": cookie} if cookie else PAGE
        return rig.ask("/about", headers=headers, at_s=at_s).verdict

    def test_who_ignores_it_on_every_page_gets_no_more_data(self) -> None:
        """A page after every fifty calls, an hour long: two hundred calls in half an hour, not thousands."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        let_through = 0
        for at_s in range(40, 3640, 15):
            let_through += calls_let_through(rig, cookie, at_s)
            assert self.page(rig, cookie, at_s + 14.3) == "challenge"
        assert let_through <= 50 + 100

    def test_nor_who_throws_the_session_of_each_away(self) -> None:
        """The cookie that comes with a challenge buys no calls."""
        rig, _ = self.rig()
        suspect(rig)
        let_through = 0
        for number in range(20):
            asked = rig.ask("/items/7", headers=PAGE, at_s=40 + 15 * number)
            assert (asked.verdict, bool(asked.set_cookie)) == ("challenge", True)
            fresh = asked.set_cookie.partition(";")[0].encode()
            let_through += calls_let_through(rig, fresh, 41.0 + 15 * number)
        assert let_through == 0

    def test_a_tab_goes_on_while_another_one_answers(self) -> None:
        """Forty tabs that ask at once are one question; the calls of the tab that was open all the while are let through."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        assert {self.page(rig, cookie, 50 + number / 40) for number in range(40)} == {"challenge"}
        assert calls_let_through(rig, cookie, 51.0, times=30) == 30

    def test_who_solved_it_has_calls_put_off_again(self) -> None:
        """When the clearance is used up the application is not broken in mid-air either."""
        rig, cookie = self.rig()
        suspect(rig, cookie=cookie)
        assert self.page(rig, cookie, 50) == "challenge"
        assert self.page(rig, cookie + b"; " + rig.clearance_cookie(request("/about"), at_s=51), 51.5) == "allow"
        assert calls_let_through(rig, cookie, 120.0, times=20) == 20

    def test_a_neighbour_who_ignores_it_costs_nobody_a_call(self) -> None:
        """One address, one browser: who has a session of his own is put off as ever."""
        rig, _ = self.rig()
        suspect(rig)
        for number in range(5):
            self.page(rig, b"", 40 + 5 * number)
        other = rig.session_cookie(opened_s=30, number=7)
        assert calls_let_through(rig, other, 70.0, times=20) == 20

    def test_what_mode_monitor_said_was_never_shown(self) -> None:
        """Whoever switches enforcement on begins with nobody who has ignored anything."""
        monitor = enforcing(**IN_THE_BAND, mode="monitor")
        rig = Rig(monitor, cookies=True)
        cookie = rig.session_cookie(opened_s=-1000)
        suspect(rig, cookie=cookie)
        for at_s in range(40, 240, 15):
            calls_let_through(rig, cookie, at_s)
            self.page(rig, cookie, at_s + 14.3)
        rig.engine.rulebook = Rulebook(policies=(enforcing(**IN_THE_BAND),))
        assert calls_let_through(rig, cookie, 250.0, times=30) == 30

    def test_nor_is_a_page_blocked_for_it(self) -> None:
        """Three challenges that mode monitor would have shown are no hearing."""
        rig = Rig(enforcing(**BLOCKED_PAGE, mode="monitor"))
        said = [rig.ask("/p", at_s=10.0 * number, headers=NOBODY).would_be for number in range(7)]
        assert said == ["challenge"] * 4 + ["block"] * 3
        rig.engine.rulebook = Rulebook(policies=(enforcing(**BLOCKED_PAGE),))
        assert verdicts(rig, 4, start_s=70.0, headers=NOBODY) == [("challenge", "hard")] * 3 + [("block", "")]
