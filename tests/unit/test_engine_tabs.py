"""Many tabs at once, through the whole engine: a browser that restores them after a restart, a folder of bookmarks that is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from botsieve.config.loader import loads
from botsieve.decision import ALLOW, CHALLENGE, LEVELS, Decision

from tests.unit.rig import CALL, PAGE, Rig, request

# What a browser sends of a tab that it restores: nobody clicked, no page led there.
RESTORED = {name: value for name, value in PAGE.items() if name not in (b"sec-fetch-user", b"referer")} | {
    b"sec-fetch-site": b"none"
}
TABS: dict[str, Callable[[int], str]] = {
    "pages of all kinds": lambda number: f"/{chr(97 + number % 26)}/{chr(97 + number // 26)}",
    "things of one shop": lambda number: f"/items/{number * number * 7 % 1009}",
    "things in order": lambda number: f"/items/{number}",
}
PRESETS = ("relaxed", "balanced", "strict")


class Browser:
    """One browser with its cookies.  `solved`: how many challenges it was asked to solve, one for all tabs that wait."""

    def __init__(self, preset: str, *, has_session: bool, has_clearance: bool) -> None:
        policy = f"policies: [{{name: shop, mode: enforce, preset: {preset}}}]\n"
        self.rig = Rig(book=loads(policy.encode()).rulebook, cookies=True)
        self.solved = 0
        self._session = self.rig.session_cookie(opened_s=-4000) if has_session else b""
        self._clearance = self.rig.clearance_cookie(request(), at_s=-1) if has_clearance else b""

    def ask(self, uri: str, at_s: float, headers: dict[bytes, bytes] = RESTORED) -> Decision:
        cookies = b"; ".join(cookie for cookie in (self._session, self._clearance) if cookie)
        decision = self.rig.ask(uri, at_s=at_s, headers={**headers, b"cookie": cookies} if cookies else headers)
        if decision.set_cookie:
            self._session = decision.set_cookie.partition(";")[0].encode()
        return decision

    def solve(self, level: str, at_s: float) -> None:
        self.solved += 1
        self._clearance = self.rig.clearance_cookie(request(), level=level, at_s=at_s, number=10 + self.solved)

    def open(self, uris: list[str], at_s: float, every_s: float = 0.025) -> set[str]:
        """All of them at once; where tabs are challenged one solves, and they load again.  The verdicts that were seen."""
        seen: set[str] = set()
        while uris:
            said = [(uri, self.ask(uri, at_s + number * every_s)) for number, uri in enumerate(uris)]
            seen |= {decision.verdict for _, decision in said}
            waiting = [(uri, decision.level) for uri, decision in said if decision.verdict == CHALLENGE]
            if waiting:
                self.solve(max((level for _, level in waiting), key=LEVELS.index), at_s + 2.5)
            uris, at_s = [uri for uri, _ in waiting], at_s + 3.0
        return seen

    def read(self, start_s: float) -> Iterator[str]:
        """Reads on for ten minutes: a page every six seconds or so, its picture, a call of its script."""
        at_s = start_s
        for number in range(100):
            at_s += 3.0 + number * 7 % 11 * 0.6
            yield self.ask(f"/read/{chr(97 + number % 26)}", at_s, PAGE).verdict
            yield self.ask("/a.png", at_s + 0.3, {**PAGE, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}).verdict
            yield self.ask("/api/basket", at_s + 0.7, CALL).verdict


@pytest.mark.parametrize("has_clearance", [False, True])
@pytest.mark.parametrize("has_session", [False, True])
@pytest.mark.parametrize("kind", TABS)
@pytest.mark.parametrize("preset", PRESETS)
def test_forty_restored_in_one_second(preset: str, kind: str, has_session: bool, has_clearance: bool) -> None:
    """Nobody notices anything with `relaxed` and `balanced`; with `strict` one challenge at most, and reading goes on."""
    browser = Browser(preset, has_session=has_session, has_clearance=has_clearance)
    seen = browser.open([TABS[kind](number) for number in range(40)], 0.0)
    assert seen <= ({ALLOW} if preset != "strict" else {ALLOW, CHALLENGE})
    assert browser.solved <= (preset == "strict")
    assert set(browser.read(5.0)) == {ALLOW}


@pytest.mark.parametrize("every_s", [0.0, 0.001, 0.005, 0.02])
@pytest.mark.parametrize("tabs", [31, 60, 100])
def test_more_of_them_and_faster(tabs: int, every_s: float) -> None:
    """With `strict`, with pages of all kinds: up to a hundred, however fast."""
    browser = Browser("strict", has_session=True, has_clearance=False)
    seen = browser.open([TABS["pages of all kinds"](number) for number in range(tabs)], 0.0, every_s)
    assert (seen, browser.solved) == ({ALLOW, CHALLENGE}, 1)
    assert set(browser.read(5.0)) == {ALLOW}


def test_again_after_a_crash() -> None:
    """Somebody who was reading, and whose browser restores everything twice within a minute."""
    browser = Browser("strict", has_session=True, has_clearance=False)
    uris = [TABS["pages of all kinds"](number) for number in range(40)]
    for number in range(8):
        assert browser.ask(f"/before/{chr(97 + number)}", number * 3.7, PAGE).verdict == ALLOW
    assert browser.open(uris, 30.0) == {ALLOW, CHALLENGE}
    assert browser.open(uris, 75.0) == {ALLOW}
    assert browser.solved == 1


@pytest.mark.parametrize("every_s", [0.3, 0.9])
def test_who_takes_one_page_after_the_other_is_blocked_at_the_31st(every_s: float) -> None:
    """As ever: these are no tabs."""
    browser = Browser("strict", has_session=True, has_clearance=False)
    said = [browser.ask(f"/{chr(97 + n % 26)}/{chr(97 + n // 26)}", n * every_s, PAGE).verdict for n in range(31)]
    assert said == [ALLOW] * 30 + ["block"]


@pytest.mark.parametrize("every_s", [0.005, 0.025, 0.1])
def test_who_begins_like_tabs_and_goes_on_is_blocked(every_s: float) -> None:
    """From the 31st page on he is refused by a challenge, within seconds for good; solving it helps for the pages of so many tabs."""
    for has_clearance in (False, True):
        browser = Browser("strict", has_session=True, has_clearance=has_clearance)
        said = [
            browser.ask(f"/{chr(97 + n % 26)}/{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}", n * every_s, PAGE).verdict
            for n in range(800)
        ]
        assert said[-1] == "block"
        assert said.count(ALLOW) <= (300 if has_clearance else 30)
