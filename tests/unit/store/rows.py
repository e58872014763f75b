"""Rows as the writer gets them."""

from __future__ import annotations

from typing import Any

from botsieve.store.messages import FeedbackRow, IncidentRow, MinuteRow, SampleRow

AT_S = 1_800_000_000.0
ID = "7k3m-9x2q-f4d1-p8wz"


def incident(**facts: Any) -> IncidentRow:
    """An incident that goes on, changed as told."""
    made: dict[str, Any] = {
        "id": ID,
        "attack_type": "Bot Detected",
        "policy": "shop",
        "detector": "surfing.rapid",
        "subject": "session",
        "key": b"12345678",
        "network_key": b"87654321",
        "client": "203.0.113.7",
        "network": "203.0.113.0/24",
        "action": "block",
        "mode": "enforce",
        "started_s": AT_S,
        "last_s": AT_S + 60.0,
        "until_s": AT_S + 1860.0,
        "ended_s": 0.0,
        "why": "",
        "violations": 120,
        "rejected": 100,
        "challenged": 3,
        "subjects": 1,
        "samples": 1,
        "measures": {"pages": [45.0, 31.0, 30.0], "window_s": [30.0, 30.0, None]},
        "details": [],
    }
    return IncidentRow(**(made | facts))


def sample(number: int = 1, **facts: Any) -> SampleRow:
    """A request of it."""
    made: dict[str, Any] = {
        "incident": ID,
        "number": number,
        "time_s": AT_S + number,
        "decision": "aaaa-bbbb-cccc-dddd",
        "verdict": "block",
        "score": 30,
        "reasons": "rapid",
        "client": "203.0.113.7",
        "method": "GET",
        "host": "shop.example",
        "path": "/items/17",
        "route": "/items/{n}",
        "user_agent": "curl/8",
    }
    return SampleRow(**(made | facts))


def feedback(**facts: Any) -> FeedbackRow:
    """Somebody is a person."""
    made: dict[str, Any] = {
        "id": ID,
        "time_s": AT_S,
        "policy": "shop",
        "verdict": "block",
        "score": 80,
        "client": "203.0.113.7",
        "decision": '{"id":"7k3m-9x2q-f4d1-p8wz","reasons":["bot_useragent:curl"],"path":"/items/17","user_agent":"curl/8"}',
    }
    return FeedbackRow(**(made | facts))


def minute(number: int = 0, policy: str = "shop", **counts: int) -> MinuteRow:
    """One minute after AT_S."""
    return MinuteRow(int(AT_S) + 60 * number, policy, **counts)
