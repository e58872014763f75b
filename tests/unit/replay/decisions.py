"""Observations and decisions made to measure."""

from __future__ import annotations

from botsieve.decision import Decision, Signal
from botsieve.observation import Observation, make_observation, pack_address


def observation(client: str = "203.0.113.7", agent: bytes = b"curl/8", at_s: float = 1000.0, uri: bytes = b"/a") -> Observation:
    """A GET with a User-Agent."""
    return make_observation(
        client=pack_address(client), method=b"GET", uri=uri, headers={b"user-agent": agent} if agent else {}, edge_time_s=at_s
    )


def decision(would_be: str = "allow", score: int = 0, signals: tuple[Signal, ...] = ()) -> Decision:
    """A decision of the packaged policy in mode monitor."""
    return Decision(
        id="0000-0000-0000-0001",
        verdict="allow",
        would_be=would_be,
        mode="monitor",
        score=score,
        bot=score >= 60,
        signals=signals,
        rule=f"threshold.{would_be}",
        policy="default",
        audience="mixed",
        config="000000000000",
    )
