"""More evidence against a request never makes its verdict milder, more evidence for it never harder: the whole of what settles one.

What the detectors find and what preventions say is given by the test; everything from there to the verdict is the engine's.
"""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from botsieve.attacks.types import NOTHING, Ruling
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, LEVELS, VERDICTS, Decision, Signal
from botsieve.detectors import TABLE, Detector, Plan, Watch
from botsieve.detectors.settings import DEFAULTS
from botsieve.policy import Rulebook
from botsieve.ranges import RangeSet
from botsieve.remembered import Remembered
from botsieve.reputation import Listing, Reputation
from botsieve.state.profiles import ClientProfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.rig import CALL, PAGE, START_S, Rig, enforcing, request

pytestmark = pytest.mark.plain

MANY = 150
IDS = [detector.id for detector in TABLE]
REQUESTS: dict[str, dict[str, Any]] = {
    "page": {"headers": PAGE},
    "prefetched page": {"headers": {**PAGE, b"sec-purpose": b"prefetch"}},
    "form": {"headers": PAGE, "method": b"POST"},
    "call": {"headers": CALL},
    "call of another origin": {"headers": {**CALL, b"sec-fetch-site": b"same-site", b"origin": b"https://app.example"}},
    "embedded picture": {
        "uri": "/a.png",
        "headers": {**PAGE, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image", b"sec-fetch-site": b"cross-site"},
    },
    "preflight": {"headers": {b"access-control-request-method": b"GET"}, "method": b"OPTIONS"},
    "socket": {"headers": {b"upgrade": b"websocket", b"connection": b"upgrade"}},
    "robots": {"uri": "/robots.txt", "headers": PAGE},
}
RULINGS = [
    NOTHING,
    Ruling(CHALLENGE, "normal"),
    Ruling(CHALLENGE, "hard"),
    Ruling(BLOCK, hold_s=60),
    Ruling(BLOCK, retry_after_s=9),
]


class Setting(msgspec.Struct, frozen=True):
    """All that is known of one request.  `asked`: how often its client was lately challenged; `is_due`: a challenge was put off."""

    request: str = "page"
    points: dict[str, int] = {}
    ruling: int = 0
    is_listed: bool = False
    clearance: str = ""
    has_session: bool = False
    asked: int = 0
    is_due: bool = False
    policy: dict[str, Any] = {}


policies = st.builds(
    lambda at, first, challenge, audience, mode: {
        "challenge_at": at[0],
        "block_at": at[1],
        "challenge_first": first,
        "challenge": challenge,
        "audience": audience,
        "mode": mode,
    },
    st.sampled_from([(60, 90), (45, 80), (30, 60), (45, 45), (85, 85), (80, 50), (1, 100)]),
    st.booleans(),
    st.sampled_from(["pow", "none"]),
    st.sampled_from(["browser", "mixed", "api"]),
    st.sampled_from(["enforce", "monitor"]),
)
known = st.builds(
    Setting,
    request=st.sampled_from(sorted(REQUESTS)),
    points=st.dictionaries(st.sampled_from(IDS), st.sampled_from([5, 15, 20, 30, 35, 45, 60, 100]), max_size=5),
    ruling=st.integers(0, len(RULINGS) - 1),
    is_listed=st.booleans(),
    clearance=st.sampled_from(["", *LEVELS]),
    has_session=st.booleans(),
    asked=st.integers(0, 3),
    is_due=st.booleans(),
    policy=policies,
)


RIG = Rig(cookies=True)
NUMBERS = itertools.count(1)


def decided(at: Setting) -> Decision:
    """What the engine makes of it, for a client that it has never seen: an address of its own."""
    engine, number = RIG.engine, next(NUMBERS)
    policies = (enforcing(**at.policy),)
    facts: dict[str, Any] = {**REQUESTS[at.request], "client": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
    uri = facts.pop("uri", "/items/17")
    cookies = [RIG.session_cookie(opened_s=-1000, number=number)] if at.has_session else []
    if at.clearance:
        cookies.append(RIG.clearance_cookie(request(uri, **facts), level=at.clearance, at_s=-5, number=number))
    if cookies:
        facts["headers"] = {**facts["headers"], b"cookie": b"; ".join(cookies)}
    o = request(uri, **facts)
    bad = Reputation(RangeSet.parse(["10.0.0.0/8"]), b"\0", [Listing("bad", "block")]) if at.is_listed else None
    engine.rulebook = Rulebook(policies=policies, reputation=bad)
    client = ClientProfile(START_S - 1000.0)
    client.challenged_s = tuple(START_S - 200.0 + 50.0 * asked for asked in range(at.asked))
    client.was_shown = at.policy.get("mode") != "monitor"
    client.deferred_since_s = START_S - 20.0 if at.is_due else 0.0
    engine.world.clients.put(engine.who(o, START_S).key, client, client.cost, client.cost, START_S - 10.0, settle=True)
    plan = Plan((), tuple([_watch(name, points) for name, points in at.points.items()]), Remembered(10))
    engine._plan = lambda *_, **__: plan  # type: ignore[method-assign]
    ruling = RULINGS[at.ruling]
    if at.policy.get("challenge") == "none" and ruling.verdict == CHALLENGE:
        ruling = NOTHING  # as attacks/book.py does
    engine._ruling = lambda _: ruling  # type: ignore[method-assign]
    return engine.decide(o, START_S, f"0000-0000-0000-{number:04d}")


def _watch(name: str, points: int) -> Watch:
    detector = next(one for one in TABLE if one.id == name)
    signal = Signal(name, points, str(points))
    return Watch(Detector(name, lambda *_: signal, detector.behaviour), lambda *_: signal, DEFAULTS[name])


def hardness(decision: Decision) -> tuple[int, int]:
    """Verdict first, then how hard its challenge is."""
    return VERDICTS.index(decision.would_be), LEVELS.index(decision.level) if decision.level else -1


def harder(less: Setting, more: Setting) -> None:
    a, b = decided(less), decided(more)
    assert hardness(a) <= hardness(b), (less, a.would_be, a.level, a.rule, more, b.would_be, b.level, b.rule)
    assert a.bot <= b.bot


@settings(max_examples=MANY, deadline=None)
@given(known, st.sampled_from(IDS), st.sampled_from([5, 15, 30, 45, 100]))
@example(Setting("page", ruling=1, clearance="light"), "claim.contradiction", 45)
@example(Setting("embedded picture", ruling=1), "claim.contradiction", 45)
@example(Setting("page", ruling=2), "claim.contradiction", 45)
@example(Setting("page", {"claim.contradiction": 45}, ruling=3), "timing.suspicious_timing", 45)
def test_a_finding_more(at: Setting, name: str, points: int) -> None:
    """Or a finding with more points."""
    more = {**at.points, name: max(points, at.points.get(name, 0))}
    harder(at, msgspec.structs.replace(at, points=more))


@settings(max_examples=MANY, deadline=None)
@given(known, st.integers(0, len(RULINGS) - 1))
def test_a_prevention_more(at: Setting, ruling: int) -> None:
    """Or a stricter one: nothing, a challenge, a harder one, a block."""
    less, more = sorted((at.ruling, ruling))
    harder(msgspec.structs.replace(at, ruling=less), msgspec.structs.replace(at, ruling=more))


@settings(max_examples=MANY, deadline=None)
@given(known)
def test_a_list_of_bad_addresses(at: Setting) -> None:
    """Being on it is never better than not."""
    harder(msgspec.structs.replace(at, is_listed=False), msgspec.structs.replace(at, is_listed=True))


@settings(max_examples=MANY, deadline=None)
@given(known, st.sampled_from(["", *LEVELS]))
def test_a_clearance(at: Setting, level: str) -> None:
    """Or one of a higher level.  But for this: who solved the hardest and reaches block all the same is not asked again, but blocked."""
    order = ["", *LEVELS]
    less, more = sorted((at.clearance, level), key=order.index)
    with_less, with_more = (msgspec.structs.replace(at, clearance=one) for one in (less, more))
    if more == "hard" and decided(with_more).would_be == BLOCK:
        return
    harder(with_more, with_less)


@settings(max_examples=MANY, deadline=None)
@given(known)
def test_a_session(at: Setting) -> None:
    """A cookie of ours that came back."""
    harder(msgspec.structs.replace(at, has_session=True), msgspec.structs.replace(at, has_session=False))


@settings(max_examples=MANY, deadline=None)
@given(known)
def test_mode_monitor_says_what_enforce_would(at: Setting) -> None:
    """And does nothing."""
    monitor, enforce = (
        decided(msgspec.structs.replace(at, policy={**at.policy, "mode": mode})) for mode in ("monitor", "enforce")
    )
    assert hardness(monitor) == hardness(enforce)
    assert (monitor.verdict, enforce.verdict) == (ALLOW, enforce.would_be)
