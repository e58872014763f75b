"""detectors/timing.py: a timer at work, and everything regular that is none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from botsieve.detectors.settings import SuspiciousTiming
from botsieve.policy import Policy

from tests.unit.rig import CALL, TOOL, Rig, enforcing, found, points, request, tuned

TIMING = "timing.suspicious_timing"
EXACT = [1.037] * 8


def after(gaps_s: list[float], *policies: Policy, uri: str = "/api/status", rig: Rig | None = None, **facts: Any) -> list[str]:
    """What timing says of the last request, after these intervals."""
    rig = rig or Rig(*policies)
    facts.setdefault("headers", TOOL)
    at_s = 0.0
    decision = rig.ask(uri.format(0), at_s=at_s, **facts)
    for number, gap_s in enumerate(gaps_s, 1):
        at_s = round(at_s + gap_s, 3)
        decision = rig.ask(uri.format(number), at_s=at_s, **facts)
    return found(decision, TIMING)


def spaced(mean_s: float, cv: float, count: int = 8) -> list[float]:
    """Intervals with exactly this mean and sample coefficient of variation."""
    by_s = mean_s * cv * ((count - 1) / count) ** 0.5
    return [mean_s + (by_s if number % 2 else -by_s) for number in range(count)]


@pytest.mark.parametrize(
    ("mean_s", "cv", "says"),
    [
        (1.503, 0.045, ["suspicious_timing:35"]),
        (1.503, 0.055, []),
        (1.957, 0.04, ["suspicious_timing:35"]),
        (2.057, 0.04, []),
        (0.957, 0.055, ["suspicious_timing:25"]),
        (0.957, 0.14, ["suspicious_timing:25"]),
        (0.957, 0.16, []),
        (1.057, 0.14, []),
        (0.957, 0.0, ["suspicious_timing:35"]),
    ],
)
def test_both_sides_of_each_limit(mean_s: float, cv: float, says: list[str]) -> None:
    """cv < 0.05 with mean < 2 s: 35; cv < 0.15 with mean < 1 s: 25 [S1-28, S1-29]."""
    assert after(spaced(mean_s, cv)) == says


def test_five_requests_at_least() -> None:
    """Four prove nothing, five do [S1-25]."""
    assert after(EXACT[:3]) == []
    assert after(EXACT[:4]) == ["suspicious_timing:35"]


def test_a_burst_is_no_timer() -> None:
    """All at one instant: mean 0 [S1-31]."""
    rig = Rig()
    for number in range(10):
        decision = rig.decide(request("/api", headers=TOOL, at_s=0.037, request_id=b"%04x" % number), 0.037)
    assert found(decision, TIMING) == []


def test_a_coarse_clock_shows_its_own_rhythm() -> None:
    """Stamps that are all multiples of 0.1 s prove nothing; one that is not proves that the clock is finer."""
    assert after([1.0] * 8) == []
    assert after([0.1] * 8) == []
    assert after([1.0, 1.0, 1.0, 1.001, 1.0, 1.0]) == ["suspicious_timing:35"]


def test_judged_on_one_route() -> None:
    """Another route between does not hide a timer, and two interleaved routes are no faster one."""
    rig = Rig()
    at_s = 0.0
    for number in range(8):
        at_s = number * 1.037
        decision = rig.ask("/api/status", headers=TOOL, at_s=at_s)
        rig.ask(f"/other/{number}", headers=TOOL, at_s=at_s + 0.1 + 0.07 * (number * 7 % 5))
    assert found(decision, TIMING) == ["suspicious_timing:35"]


def test_images_and_prefetches_prove_nothing() -> None:
    """What is no page view or data call is never counted."""
    assert after(EXACT, uri="/cam/{}.jpg") == []
    assert after(EXACT, headers={**CALL, b"sec-purpose": b"prefetch"}) == []
    assert after(EXACT, headers={**CALL, b"sec-fetch-dest": b"video"}) == []
    assert after(EXACT, headers={**CALL, b"sec-fetch-site": b"cross-site"}) == []
    assert after(EXACT, headers={**TOOL, b"access-control-request-method": b"GET"}, method=b"OPTIONS") == []


def test_a_page_that_refreshes_itself() -> None:
    """One URL again and again by a client with a session counts 15; item after item counts in full."""
    rig = Rig(cookies=True)
    cookie = {**CALL, b"cookie": rig.session_cookie(opened_s=-100)}
    assert after(EXACT, rig=rig, headers=cookie) == ["suspicious_timing:15"]
    assert after(EXACT, rig=rig, headers=cookie, uri="/api/items/{}") == ["suspicious_timing:35"]
    strangers = Rig(cookies=True)
    assert after(EXACT, rig=strangers, headers={**CALL, b"cookie": b"__Host-botsieve_s=forged"}) == ["suspicious_timing:35"]


def test_old_requests_are_forgotten() -> None:
    """A pause longer than the window begins anew [S1-24]."""
    assert after([*EXACT, 301.0, 1.037, 1.037]) == []
    assert after([*EXACT, 301.0, *EXACT[:4]]) == ["suspicious_timing:35"]


def test_the_newest_fifty_count() -> None:
    """An irregular beginning is forgotten after 50 regular requests [S1-24]."""
    irregular = [0.2, 3.7, 0.9, 8.1]
    assert after([*irregular, *[1.037] * 20]) == []
    assert after([*irregular, *[1.037] * 49]) == ["suspicious_timing:35"]


def test_what_the_operator_set_counts() -> None:
    """Own steps and minimum; points 0 switches it off; the clock of a scrambled log says nothing."""
    settings = tuned(timing_suspicious_timing=SuspiciousTiming(at_least=8))
    assert after(EXACT[:6], enforcing(detectors=settings)) == []
    assert after(EXACT[:7], enforcing(detectors=settings)) == ["suspicious_timing:35"]
    assert after(EXACT, enforcing(detectors=points(TIMING, 0))) == []
    rig = Rig()
    rig.engine.time_judged = False
    assert after(EXACT, rig=rig) == []


def test_measured_values_stand_beside_their_limits() -> None:
    """The evidence says what was measured and what would have been allowed."""
    rig = Rig()
    after(EXACT, rig=rig)
    signal = next(s for s in rig.ask("/api/status", headers=TOOL, at_s=9 * 1.037).signals if s.id == TIMING)
    assert {m.name: (m.value, m.limit) for m in signal.measures} == {"cv": (0.0, 0.05), "mean_s": (1.037, 2.0)}
    assert signal.subject == "client"


# ---- what waits in front of us is let go at a pace that is not the client's


def _typed(chance: random.Random) -> list[float]:
    """Twelve calls of somebody who types into a search field."""
    return [chance.lognormvariate(-1.9, 0.5) for _ in range(12)]


def _at_once(chance: random.Random) -> list[float]:
    """Twenty calls that a page makes within a second."""
    return [chance.uniform(0.0, 0.05) for _ in range(20)]


def _clicked(chance: random.Random) -> list[float]:
    """Thirty calls of somebody who clicks through an application."""
    return [chance.lognormvariate(-0.6, 0.6) for _ in range(30)]


def _held_up(gaps_s: list[float], every_s: float, drain_s: float) -> list[float]:
    """When they arrive if somebody in front lets them go only every so often, one after the other."""
    at_s, free_s, out = 0.0, 0.0, []
    for gap_s in gaps_s:
        at_s += gap_s
        opens_s = -(-at_s // every_s) * every_s + 0.0137 if every_s else at_s
        free_s = max(opens_s, free_s + drain_s)
        out.append(free_s)
    return out


@pytest.mark.parametrize("calls", [_typed, _at_once, _clicked])
@pytest.mark.parametrize(
    ("every_s", "drain_s"),
    [(0.0, 0.0), (0.2, 0.0), (0.2, 0.001), (0.1, 0.0), (0.0156, 0.0), (5.0, 0.001), (5.0, 0.15), (0.0, 0.12)],
    ids=[
        "nobody",
        "a stall of 200 ms, again and again",
        "the same, and a queue that empties at one a ms",
        "a throttled container",
        "a clock of 15.6 ms",
        "a proxy that batches for 5 s",
        "the same, and a slow service behind it",
        "a service of one thread",
    ],
)
def test_a_queue_in_front_of_us_is_no_timer(
    every_s: float, drain_s: float, calls: Callable[[random.Random], list[float]]
) -> None:
    """Irregular calls stay irregular, whoever held them up: at most one of a hundred people is called a timer by chance."""
    called = 0
    for seed in range(100):
        rig = Rig()
        arrivals = _held_up(calls(random.Random(seed)), every_s, drain_s)
        said = [rig.ask("/api/suggest", at_s=round(at_s, 3), headers=CALL) for at_s in arrivals]
        called += any(found(decision, TIMING) for decision in said)
    assert called <= 1


def test_a_timer_in_front_of_which_a_queue_stood_is_one_again() -> None:
    """What is left of the queue is forgotten with its five minutes."""
    rig = Rig()
    for number in range(20):
        rig.ask("/api/status", at_s=number * 0.001, headers=TOOL)
    assert after([301.0, *EXACT], rig=rig) == ["suspicious_timing:35"]
