"""An explanation as text and as JSON."""

from __future__ import annotations

import json

from botsieve.policy import Policy
from botsieve.replay.explain import explain_record
from botsieve.replay.explain_text import explain_lines, explain_object

from tests.unit.replay.test_explain import CURL, TIMER, VOLUME, record

HEADERS = [
    {"id": f"headers.no_{name}", "points": points} for name, points in (("accept_language", 20), ("referer", 15), ("x", 15))
]


def test_text() -> None:
    """Who, what, findings with values beside limits, the score, and the changes."""
    found = record(75, [CURL, TIMER], client="203.0.113.7", method="GET", path="/items/17", kind="api", policy="shop")
    assert list(explain_lines(explain_record(found, Policy()))) == [
        "7k3m-9x2q-f4d1-p8wz  2026-11-21T21:18:03.512Z  203.0.113.7",
        "GET /items/17  (api; policy shop)",
        "",
        "challenge: score 75 of 100 (challenge from 45, block from 80); settled by threshold.challenge",
        "",
        "   +40  bot_useragent:curl",
        "   +35  suspicious_timing:35",
        "          cv 0.012, limit 0.05",
        "          mean_s 0.9, limit 2",
        "    75  score",
        "",
        "One change that turns challenge (by score) into something else:",
        "  without bot_useragent:curl: score 35, allow",
        "  without suspicious_timing:35: score 40, allow",
        "  mean_s at least 2 instead of 0.9 (suspicious_timing:35): score 40, allow",
        "",
        "If this was a mistake, one of these; a configuration that is saved is in force within seconds:",
        "  let this address through, always  allow: {networks: [203.0.113.7]}",
        "  leave this finding out            detectors: {agent.bot_useragent: {points: 0}} (in policy shop)",
        "  leave this finding out            detectors: {timing.suspicious_timing: {points: 0}} (in policy shop)",
        "  only watch, everywhere, at once   botsieve pause",
    ]


def test_sides_of_a_limit() -> None:
    """What was too small has to be at least the limit, what was too large less than it."""
    text = "\n".join(explain_lines(explain_record(record(90, [VOLUME, CURL]), Policy())))
    assert "items less than 200 instead of 230 (volume:50): score 65, challenge" in text


def test_caps_rules_and_the_end_of_the_scale() -> None:
    """The lines add up to the score: what a cap takes away and a rule adds is a line of its own."""
    lines = list(explain_lines(explain_record(record(65, [CURL, *HEADERS], "challenge", "rule.r"), Policy())))
    assert "   -15  findings of the family headers count 35 at most" in lines
    assert "   -10  added by a rule of the policy" in lines
    assert "   100  score  (at most 100)" in list(explain_lines(explain_record(record(100, [VOLUME, CURL, TIMER]), Policy())))


def test_nothing_found() -> None:
    """No finding, no change."""
    lines = list(explain_lines(explain_record(record(0, []), Policy())))
    assert lines[-1] == "No finding."


def test_no_single_change() -> None:
    """That no one finding decides is an answer too."""
    found = record(100, [VOLUME, CURL, TIMER, {"id": "claim.contradiction", "points": 45}])
    assert "No single finding decides: without any one of them the score still says block." in list(
        explain_lines(explain_record(found, Policy()))
    )


def test_terminal_is_safe() -> None:
    """Text of a client or of a strange file reaches a terminal as printable characters only."""
    evil = "\x1b]0;owned\x07\u202e"
    found = record(
        75,
        [{**CURL, "detail": evil}, {**TIMER, "measures": {evil: [1, 2]}}],
        user_agent=evil,
        path=evil,
        policy=evil,
        rule=evil,
    )
    for line in explain_lines(explain_record(found | {"mode": evil, "verdict": "allow"}, Policy())):
        assert line.isprintable(), line


def test_json() -> None:
    """The record, and what was worked out of it."""
    out = json.loads(json.dumps(explain_object(explain_record(record(90, [VOLUME, CURL]), Policy()))))
    assert out["decision"]["id"] == "7k3m-9x2q-f4d1-p8wz"
    assert (out["by_threshold"], out["challenge_at"], out["block_at"], out["added_points"]) == ("block", 45, 80, 0)
    assert out["families"][0] == {"family": "traversal", "points": 50, "cap": None, "counted": 50}
    assert {
        "signal": "traversal.volume",
        "score": 65,
        "verdict": "challenge",
        "measure": "items",
        "value": 230,
        "limit": 200,
    } in out["changes"]
