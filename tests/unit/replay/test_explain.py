"""Why a request was judged so."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from botsieve.errors import InputError
from botsieve.policy import Policy
from botsieve.replay.explain import explain_record
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def record(score: int, signals: list[dict[str, Any]], would_be: str = "", rule: str = "", **more: Any) -> dict[str, Any]:
    """A record of mode enforce, settled by the thresholds unless said otherwise."""
    would_be = would_be or Policy().verdict_of(score)
    return {
        "id": "7k3m-9x2q-f4d1-p8wz",
        "time": "2026-11-21T21:18:03.512Z",
        "event": "decision",
        "verdict": would_be,
        "would_be": would_be,
        "mode": "enforce",
        "score": score,
        "rule": rule or f"threshold.{would_be}",
        "signals": signals,
        "config": "3f9c2a71be04",
        **more,
    }


CURL = {"id": "agent.bot_useragent", "points": 40, "detail": "curl"}
TIMER = {
    "id": "timing.suspicious_timing",
    "points": 35,
    "detail": "35",
    "measures": {"cv": [0.012, 0.05], "mean_s": [0.9, 2.0]},
}
VOLUME = {"id": "traversal.volume", "points": 50, "detail": "50", "measures": {"items": [230, 200]}}


def changes(found: dict[str, Any], policy: Policy | None = None) -> list[tuple[str, str, int, str]]:
    """Finding, measure, score and verdict of every change that alters the verdict."""
    explanation = explain_record(found, policy or Policy())
    return [(c.signal, c.measure.name if c.measure else "", c.score, c.verdict) for c in explanation.changes]


def test_single_findings_left_out() -> None:
    """docs/decision-log.md's own example: 75; without either finding nobody is challenged."""
    found = record(75, [CURL, TIMER])
    assert changes(found) == [
        ("agent.bot_useragent", "", 35, "allow"),
        ("timing.suspicious_timing", "", 40, "allow"),
        ("timing.suspicious_timing", "mean_s", 40, "allow"),
    ]


def test_a_measure_at_its_limit_falls_to_the_next_step() -> None:
    """cv at 0.05 with a mean under 1 s is still the first mission document's second step: 25 points, and 65 still challenges."""
    weaker = {**TIMER, "measures": {"cv": [0.012, 0.05], "mean_s": [1.5, 2.0]}}
    assert ("timing.suspicious_timing", "cv", 40, "allow") in changes(record(75, [CURL, weaker]))
    assert all(measure != "cv" for _, measure, _, _ in changes(record(75, [CURL, TIMER])))


def test_volume_falls_to_its_lower_step() -> None:
    """Just under 200 items is still more than 60: 25 points."""
    assert changes(record(90, [VOLUME, CURL])) == [
        ("traversal.volume", "", 40, "allow"),
        ("traversal.volume", "items", 65, "challenge"),
        ("agent.bot_useragent", "", 50, "challenge"),
    ]


def test_no_single_finding_decides() -> None:
    """Enough is left without any one of them."""
    assert changes(record(100, [VOLUME, CURL, TIMER, {"id": "claim.contradiction", "points": 45}])) == []


def test_family_caps() -> None:
    """35 points of headers are 35, with or without the third finding: the cap is shown, and counted anew in every change."""
    headers = [
        {"id": "headers.no_accept_language", "points": 20},
        {"id": "headers.no_accept_encoding", "points": 15},
        {"id": "headers.no_referer", "points": 15},
    ]
    explanation = explain_record(record(75, [CURL, *headers]), Policy())
    assert [(f.name, f.points, f.cap, f.counted) for f in explanation.families] == [
        ("agent", 40, None, 40),
        ("headers", 50, 35, 35),
    ]
    assert explanation.added == 0
    assert [change[0] for change in changes(record(75, [CURL, *headers]))] == ["agent.bot_useragent"]


def test_what_counts_only_beside_another() -> None:
    """Without the timer the busy network does not count either."""
    busy = {"id": "network.busy_range", "points": 25}
    assert ("timing.suspicious_timing", "", 0, "allow") in changes(record(60, [TIMER, busy]))


def test_points_of_a_rule_stay() -> None:
    """A rule that takes 20 points away takes them away in every change too."""
    explanation = explain_record(record(55, [CURL, TIMER], rule="rule.partner"), Policy())
    assert explanation.added == -20
    assert [(c.score, c.verdict) for c in explanation.changes if c.measure is None] == [(15, "allow"), (20, "allow")]


def test_thresholds_of_the_policy() -> None:
    """The limits are the policy's."""
    strict = Policy(challenge_at=30, block_at=60)
    assert ("agent.bot_useragent", "", 35, "challenge") in changes(record(75, [CURL, TIMER], "block"), strict)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (record(0, [], rule="allowlist"), "allow list"),
        (record(0, [], rule="crawler"), "verified crawler"),
        (record(75, [CURL, TIMER], "allow", "clearance"), "solved a challenge"),
        (record(75, [CURL, TIMER], "block", "rule.enumerators"), "Rule enumerators"),
        (record(0, [], "block", "prevention"), "prevention"),
        (record(90, [VOLUME, CURL], "challenge"), "once, hard, before it is blocked"),
        (record(75, [CURL, TIMER], "allow"), "never challenged"),
        (record(90, [VOLUME, CURL], "allow"), "No score refuses what programs are meant to read"),
        (record(75, [CURL, TIMER], "allow", deferred=True), "waits for the next page load"),
        (record(75, [CURL, TIMER], "block"), "blocks in place of challenging"),
        (record(0, [], "challenge"), "put off before"),
        (record(75, [CURL, TIMER]) | {"verdict": "allow", "mode": "monitor"}, "The mode is monitor"),
    ],
)
def test_notes(found: dict[str, Any], says: str) -> None:
    """What settled a verdict that the score does not explain is said."""
    assert any(says in note for note in explain_record(found, Policy()).notes)


def test_plain_case_needs_no_note() -> None:
    """Score, thresholds and verdict agree."""
    assert explain_record(record(75, [CURL, TIMER]), Policy(), "3f9c2a71be04").notes == ()
    assert "has changed since" in explain_record(record(75, [CURL, TIMER]), Policy(), "000000000000").notes[0]


@given(st.dictionaries(st.sampled_from(["id", "verdict", "would_be", "score", "rule", "signals", "mode", "config"]), JSON))
def test_any_object_gives_an_explanation_or_an_input_error(found: dict[str, Any]) -> None:
    """Somebody else's JSON is refused, never a traceback."""
    with contextlib.suppress(InputError):
        explain_record({**record(75, [CURL]), **found}, Policy())


def test_refused() -> None:
    """The message says what an accepted object looks like."""
    with pytest.raises(InputError, match=r"this is no decision .* docs/decision-log\.md"):
        explain_record({"event": "service_ready"}, Policy())
