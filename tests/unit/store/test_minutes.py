"""store/minutes.py: what happened in a minute."""

from __future__ import annotations

from botsieve.attacks.incidents import Tally
from botsieve.store.minutes import Minutes

from tests.unit.store.rows import AT_S, minute


def test_a_minute_holds_what_grew_in_it() -> None:
    """Differences, not sums; every edge of a policy together; a quiet minute has no row."""
    minutes = Minutes(AT_S + 10.0)
    decisions = {
        ("nginx", "shop", "allow", "allow"): 10,
        ("grpc", "shop", "allow", "allow"): 5,
        ("nginx", "shop", "block", "block"): 2,
        ("nginx", "api", "allow", "challenge"): 1,
    }
    tallies = {"shop": Tally(1, 3, 2)}
    assert not minutes.is_over(AT_S + 59.9)
    assert minutes.is_over(AT_S + 60.0)
    assert minutes.turn(AT_S + 60.0, decisions, tallies) == [
        minute(policy="api", allowed=1, would_challenge=1),
        minute(attacks=1, violations=3, rejected=2, allowed=15, blocked=2, would_block=2),
    ]
    assert minutes.turn(AT_S + 120.0, decisions, tallies) == []
    decisions["nginx", "shop", "challenge", "challenge"] = 4
    tallies["shop"].violations = 4
    assert minutes.turn(AT_S + 180.0, decisions, tallies) == [minute(2, violations=1, challenged=4, would_challenge=4)]


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    """What was counted is told once, under the minute that it began in."""
    minutes = Minutes(AT_S)
    decisions = {("nginx", "shop", "allow", "allow"): 1}
    assert minutes.is_over(AT_S - 3_600.0)
    assert minutes.turn(AT_S - 3_600.0, decisions, {}) == [minute(allowed=1)]
    assert minutes.turn(AT_S, decisions, {}) == []
