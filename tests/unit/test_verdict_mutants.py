"""verdict.py: what could be broken without any other test noticing (`make mutation`)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from botsieve.challenge.deferrals import DEFER_CALLS, DEFER_S, Deferrals
from botsieve.decision import BLOCK, CHALLENGE
from botsieve.policy import Rulebook
from botsieve.verdict import HEARD_S, HEARD_TIMES, TOGETHER_S, Outcome, Standpoint, outcome
from botsieve.verifications import REFUTED

from tests.unit.rig import CALL, PAGE, Rig, enforcing, found, hello, points, request
from tests.unit.test_engine_crawlers import PAGE_LOAD, Asked
from tests.unit.test_verdict import BLOCKED_PAGE, IN_THE_BAND, NOBODY, suspect

IDLE_S = 1799.0  # a clearance ends half an hour after its last use
# A browser's page view with something found in it.
BARE = {name: value for name, value in PAGE.items() if name not in (b"accept-language", b"accept-encoding")}
IMAGE = {**PAGE, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image", b"accept": b"image/avif,*/*;q=0.8"}
SOCKET = {**{name: value for name, value in PAGE.items() if not name.startswith(b"sec-fetch")}, b"upgrade": b"websocket"}


def heard_at(*times_s: float) -> list[str]:
    """What page loads that reach block_at get.  The very first request of a client is not remembered, so one goes before them."""
    rig = Rig(enforcing(**BLOCKED_PAGE))
    rig.ask("/p", headers=NOBODY)
    return [rig.ask("/p", at_s=at_s, headers=NOBODY).verdict for at_s in times_s]


@pytest.mark.plain
class TestHeard:
    @pytest.mark.parametrize(("after_s", "verdict"), [(299.5, "block"), (300.0, "challenge"), (300.5, "challenge")])
    def test_three_times_in_three_hundred_seconds(self, after_s: float, verdict: str) -> None:
        """From the first of the three to now, and 300 s is no longer within them."""
        assert (HEARD_TIMES, HEARD_S) == (3, 300.0)
        assert heard_at(10.0, 20.0, 30.0, 10.0 + after_s)[-1] == verdict

    @pytest.mark.parametrize(("gap_s", "verdict"), [(2.0, "block"), (1.5, "challenge")])
    def test_together_is_less_than_two_seconds(self, gap_s: float, verdict: str) -> None:
        """Three pages two seconds apart were asked three times; a second and a half apart, twice."""
        assert TOGETHER_S == 2.0
        assert heard_at(10.0, 10.0 + gap_s, 10.0 + 2 * gap_s, 17.0)[-1] == verdict

    def test_no_more_is_remembered_than_is_asked_about(self) -> None:
        """Three times a client, however long it goes on."""
        rig = Rig(enforcing(**BLOCKED_PAGE))
        at = standpoint(rig, *[10.0 * number for number in range(3)])
        client = at.view.profiles.client
        assert client is not None
        for _ in range(5):
            client.challenged_s = client.challenged_s[:2]  # else it would be blocked
            assert judged(at).verdict == CHALLENGE
            at.view.now_s += 400.0
        assert len(client.challenged_s) <= HEARD_TIMES


def standpoint(rig: Rig, *times_s: float, uri: str = "/p", **facts: Any) -> Standpoint:
    """What the verdict was asked about last, of a client that came at these times."""
    seen: list[Standpoint] = []
    settle = rig.engine._settle

    def note(at: Standpoint, *rest: Any) -> Any:
        seen.append(at)
        return settle(at, *rest)

    rig.engine._settle = note  # type: ignore[method-assign]
    for at_s in times_s:
        rig.ask(uri, at_s=at_s, **{"headers": NOBODY, **facts})
    return seen[-1]


def judged(at: Standpoint, would: str = BLOCK) -> Outcome:
    """The verdict of it, for somebody who has no clearance."""
    return outcome(at, would, None, Deferrals())


@pytest.mark.plain
class TestPrevention:
    """A prevention asks for a level; so does the score."""

    @pytest.mark.parametrize(
        ("score", "level", "asked"),
        [(45, "", "light"), (45, "normal", "normal"), (45, "hard", "hard"), (75, "hard", "hard"), (75, "light", "normal")],
    )
    def test_the_harder_of_the_two(self, score: int, level: str, asked: str) -> None:
        """What a prevention asks for is not softened by a score that asks too, nor the other way round."""
        at = standpoint(Rig(enforcing(audience="browser")), 0.0, 10.0)
        at.score, at.level = score, level
        assert judged(at, CHALLENGE) == Outcome(CHALLENGE, asked)


class TestLies:
    """Who says that he is somebody's crawler, and is not."""

    def test_is_no_person(self) -> None:
        """Blocked at once where anybody else would be challenged first."""
        policy = enforcing(**BLOCKED_PAGE)
        assert "false_crawler:yandex.com-bots" in found(lying := Asked(policy).claim(REFUTED, headers=PAGE_LOAD))
        assert lying.verdict == "block"
        assert Rig(policy).ask("/p", headers=NOBODY).verdict == "challenge"

    def test_reads_nothing_under_that_name(self) -> None:
        """Not even what programs are meant to read."""
        rig = Asked(enforcing(**BLOCKED_PAGE))
        rig.claim(REFUTED, headers=PAGE_LOAD)
        assert rig.ask("/.well-known/x", headers=PAGE_LOAD, at_s=20).verdict == "block"


class TestClearanceInUse:
    """Idle for half an hour a clearance ends; what counts as using it."""

    def used_by(self, uri: str, headers: dict[bytes, bytes], **facts: Any) -> bool:
        """Whether this, just before the end, gives it another half hour."""
        rig = Rig(enforcing(challenge_at=15, **facts), cookies=True)
        cookie = {b"cookie": rig.clearance_cookie(request("/p"))}
        page = {**BARE, **cookie}
        assert rig.ask("/p", headers=page, at_s=1).rule == "clearance"
        assert rig.ask(uri, headers={**headers, **cookie}, at_s=IDLE_S).verdict == "allow"
        return rig.ask("/p", headers=page, at_s=IDLE_S + 600).verdict == "allow"

    def test_parts_of_a_page(self) -> None:
        """An image only where something was found in it, however little."""
        assert not self.used_by("/a.png", IMAGE)
        odd = {name: value for name, value in IMAGE.items() if name != b"accept-language"}
        settings = {"detectors": points("headers.no_accept_language", 1)}
        assert Rig(enforcing(**settings)).ask("/a.png", headers=odd).score == 1
        assert self.used_by("/a.png", odd, **settings)

    def test_an_upgrade(self) -> None:
        """A WebSocket does not use it up; what takes an item under that name does."""
        assert Rig(enforcing()).ask("/live", headers=SOCKET).score == 0
        assert not self.used_by("/live", SOCKET)
        assert self.used_by("/items/17", SOCKET)


class TestRefresh:
    """A timer asks for a page again and again."""

    def level(self, *uris: str, challenge_at: int, cookies: bool = True) -> tuple[list[str], str]:
        """What is found after a while, and of which level its challenge is."""
        rig = Rig(enforcing(challenge_at=challenge_at), cookies=cookies)
        headers = {**PAGE, b"cookie": rig.session_cookie(opened_s=-1000)} if cookies else PAGE
        for number in range(40):
            decision = rig.ask(uris[number % len(uris)], headers=headers, at_s=1.503 * number)
        return found(decision), decision.level

    def test_one_page_of_a_session_refreshes_itself(self) -> None:
        """That is what the page does, not the person: no behaviour, so the level is light."""
        assert self.level("/board", challenge_at=10) == (["suspicious_timing:15"], "light")

    def test_nobody_knows_whose_page_it_is(self) -> None:
        """Without a cookie of ours it is a program."""
        assert self.level("/board", challenge_at=30, cookies=False) == (["suspicious_timing:35"], "normal")

    def test_several_pages_are_taken(self) -> None:
        """A page that refreshes itself is one page."""
        assert self.level("/items/1", "/items/2", challenge_at=30) == (["suspicious_timing:35"], "normal")


class TestDue:
    """A challenge that was put off."""

    def rig(self) -> tuple[Rig, bytes]:
        rig = Rig(enforcing(challenge_at=30), cookies=True)
        cookie = rig.session_cookie(opened_s=-1000)
        assert suspect(rig, cookie=cookie).deferred
        return rig, cookie

    def test_is_normal(self) -> None:
        """It was behaviour that it was put off for."""
        rig, cookie = self.rig()
        due = rig.ask("/about", headers={**PAGE, b"cookie": cookie}, at_s=400)
        assert (due.verdict, due.level) == ("challenge", "normal")

    def test_is_not_settled_by_what_nobody_sees(self) -> None:
        """A page that the browser fetched ahead is challenged, and the one that is opened then too."""
        rig, cookie = self.rig()
        page = {**PAGE, b"cookie": cookie}
        assert rig.ask("/about", headers={**page, b"sec-purpose": b"prefetch"}, at_s=400).verdict == "challenge"
        assert rig.ask("/about", headers=page, at_s=401).verdict == "challenge"
        assert rig.ask("/about", headers=page, at_s=402).verdict == "allow"

    def test_is_forgotten_where_there_are_none(self) -> None:
        """`challenge: none` since: nobody is blocked for what was only to be asked."""
        rig, cookie = self.rig()
        rig.engine.rulebook = Rulebook(policies=(enforcing(challenge_at=30, challenge="none"),))
        assert rig.ask("/about", headers={**PAGE, b"cookie": cookie}, at_s=400).verdict == "allow"

    def test_is_one_clients(self) -> None:
        """Whoever takes another session for each call has as many calls put off, for as long, as who keeps his."""
        rig = Rig(enforcing(**IN_THE_BAND), cookies=True)
        suspect(rig)

        def calls(start_s: float, gap_s: float) -> int:
            """How many are put off until one is refused."""
            put_off = 0
            for number in range(2 * DEFER_CALLS):
                at_s = start_s + gap_s * number
                fresh = rig.session_cookie(opened_s=at_s, number=int(1_000 * at_s))
                said = rig.ask(f"/api/items/{int(10 * at_s)}", headers={**CALL, b"cookie": fresh}, at_s=at_s)
                put_off += said.deferred
                if said.verdict != "allow":
                    break
            return put_off

        assert calls(40.0, 0.37) == DEFER_CALLS
        page = rig.ask("/items/7", headers=PAGE, at_s=120.0)
        assert page.verdict == "challenge"  # and with it, it may be put off again
        assert calls(121.0, 4.1) == int(DEFER_S / 4.1) + 1


class TestPassesOn:
    """What has no challenge anywhere."""

    def test_a_web_socket_of_who_solved_one(self) -> None:
        """A clearance alone is a cookie of ours, too."""
        rig = Rig(enforcing(audience="browser", challenge_at=40, block_at=100), cookies=True)
        cookie = rig.clearance_cookie(request("/p", headers=NOBODY), level="light")
        upgrade = {b"upgrade": b"websocket", b"cookie": cookie}
        assert rig.ask("/live", headers={b"upgrade": b"websocket"}, at_s=1).verdict == "challenge"
        decision = rig.ask("/live", headers=upgrade, at_s=1)
        assert (decision.verdict, decision.rule) == ("allow", "threshold.allow")

    @pytest.mark.parametrize(("method", "is_asked"), [(b"OPTIONS", False), (b"DELETE", True)])
    def test_methods(self, method: bytes, is_asked: bool) -> None:
        """OPTIONS is a browser's own question."""
        rig = Rig(enforcing(audience="browser", challenge_at=40, block_at=100))
        assert (rig.ask("/api", headers={}, method=method).verdict == "challenge") is is_asked

    def test_what_another_site_makes_a_browser_do(self) -> None:
        """Its findings end no clearance: anybody's page could send them."""
        rig = Rig(enforcing(**IN_THE_BAND), cookies=True)
        facts = hello("go-1.27")
        page = {**PAGE, b"cookie": rig.clearance_cookie(request("/", **facts))}
        foreign = {**page, b"sec-fetch-site": b"cross-site", b"sec-fetch-dest": b"empty", b"sec-fetch-mode": b"cors"}
        assert rig.ask("/items/0", headers=page, at_s=1, **facts).verdict == "allow"
        for number in range(1, 30):
            rig.ask(f"/items/{number}", headers=foreign, at_s=1 + 5.3 * number, **facts)
        assert rig.ask("/about", headers=page, at_s=200, **facts).verdict == "allow"


def test_a_standpoint_says_everything() -> None:
    """Of what the engine knows nothing is taken for granted."""
    fields = {field.name: field.required for field in msgspec.structs.fields(Standpoint)}
    assert [name for name, is_required in fields.items() if not is_required] == ["by_score"]
