"""Visitors who open sessions, for the tests of `sessions.opening`."""

from __future__ import annotations

from typing import Any

import msgspec
from botsieve.decision import Decision
from botsieve.detectors.settings import THRESHOLDS, SessionOpening
from botsieve.observation import DELIVERS_COOKIE, SEES_ALL_HEADERS, Observation
from botsieve.policy import Policy

from tests.unit.rig import CHROME, PAGE, START_S, Rig, enforcing, request

DELIVERS = SEES_ALL_HEADERS | DELIVERS_COOKIE


def policy_of(**changes: Any) -> Policy:
    """Only the openings of sessions are watched, and answered; scores say nothing.  `changes`: of the settings."""
    thresholds = {name: msgspec.structs.replace(settings, action="ignore") for name, settings in THRESHOLDS.items()}
    opening = SessionOpening(**{"action": "block"} | changes)
    return enforcing(thresholds=thresholds | {"sessions.opening": opening}, challenge_at=100, block_at=100)


class Visitors:
    """People and programs before one engine; each call is one page load, at START_S + `at_s`."""

    def __init__(self, policy: Policy | None = None, **options: Any) -> None:
        self.rig = Rig(policy or policy_of(), cookies=True, **options)
        self.engine = self.rig.engine
        self.draw_0_1 = 0.0
        self._number = 0

    def decide(self, o: Observation, at_s: float) -> Decision:
        """Decides with the draw of the moment."""
        self._number += 1
        decision = self.engine.decide(o, START_S + at_s, f"0000-0000-0000-{self._number:04d}", self.draw_0_1)
        assert not self.rig.failed
        return decision

    def stranger(self, at_s: float, *, client: str = "203.0.113.7", number: int = 0, **facts: Any) -> Decision:
        """Somebody without a cookie; each `number` (default: each call) with a User-Agent of its own."""
        headers = {**PAGE, b"user-agent": agent_of(number or self._number)}
        return self.decide(self.seen(at_s, client=client, headers=headers, **facts), at_s)

    def guest(self, at_s: float, cookie: bytes, *, client: str = "203.0.113.7", number: int = 0, **facts: Any) -> Decision:
        """Somebody whose cookie comes back."""
        headers = {**PAGE, b"user-agent": agent_of(number), b"cookie": cookie} | dict(facts.pop("plus", {}))
        return self.decide(self.seen(at_s, client=client, headers=headers, **facts), at_s)

    def seen(self, at_s: float, **facts: Any) -> Observation:
        """A page load on an edge that delivers cookies."""
        return request(facts.pop("uri", "/"), at_s=at_s, **{"sight": DELIVERS} | facts)

    def flood(self, per_s: float, seconds: float, *, at_s: float = 0.0, client: str = "203.0.113.7") -> list[Decision]:
        """Openings at an even rate."""
        return [self.stranger(at_s + number / per_s, client=client) for number in range(round(per_s * seconds))]

    def crowd(self, per_s: float, seconds: float, *, at_s: float = 0.0, client: str = "203.0.113.7") -> list[Decision]:
        """The same, by browsers: each loads a second page with its cookie a little later."""
        found = []
        for number in range(round(per_s * seconds)):
            now_s = at_s + number / per_s
            first = self.stranger(now_s, client=client)
            found += [first, self.guest(now_s + 0.001, cookie_of(first), client=client)]
        return found

    def usually(self, per_s: float, *, client: str = "203.0.113.7") -> None:
        """Eleven minutes in which that is what the address opens, whenever it opens any."""
        for at_s in (0.0, 310.0, 620.0):
            self.crowd(per_s, 10, at_s=at_s, client=client)


def agent_of(number: int) -> bytes:
    """A browser's name; each number has its own."""
    return CHROME + b" v%d" % number


def cookie_of(decision: Decision) -> bytes:
    """The Cookie header after an answer that set one."""
    assert decision.set_cookie
    return decision.set_cookie.partition(";")[0].encode()
