"""Observations and decisions for the journal's tests: one of each by hand, and strategies for any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botsieve.decision import AUDIENCES, LEVELS, VERDICTS, Decision, Measure, Signal
from botsieve.observation import Observation, make_observation, pack_address
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

NOW_S = 1795296799.898
ID = "7k3m-9x2q-f4d1-p8wz"
CONFIG = "3f9c2a71be04"
CURL = Signal("agent.bot_useragent", 40, "curl")
TIMER = Signal("timing.suspicious_timing", 35, "35", "client", (Measure("cv", 0.012, 0.05), Measure("mean_s", 1.001, 2.0)))
# The two as the decision log tells them.
TOLD = [
    {"id": "agent.bot_useragent", "points": 40, "detail": "curl"},
    {
        "id": "timing.suspicious_timing",
        "points": 35,
        "detail": "35",
        "subject": "client",
        "measures": {"cv": [0.012, 0.05], "mean_s": [1.001, 2.0]},
    },
]

_SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "decision-log.schema.json").read_text())
SCHEMA = Draft202012Validator(_SCHEMA)


def observation(uri: bytes = b"/items/17?ref=secret", **headers: bytes) -> Observation:
    """A request of 203.0.113.7; `headers` with `_` for `-`."""
    sent = {b"user-agent": b"curl/7.88.1"} | {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return make_observation(
        client=pack_address("203.0.113.7"),
        method=b"GET",
        uri=uri,
        headers=sent,
        edge_time_s=NOW_S,
        host=b"shop.example",
        request_id=b"b5" * 16,
    )


def decision(number: int = 0, *signals: Signal, would_be: str = "allow", **facts: Any) -> Decision:
    """A decision in mode monitor; different numbers have different ids."""
    digits = f"{number:016d}"
    made: dict[str, Any] = {
        "id": "-".join(digits[at : at + 4] for at in (0, 4, 8, 12)),
        "verdict": "allow",
        "would_be": would_be,
        "mode": "monitor",
        "score": min(100, sum(signal.points for signal in signals)),
        "bot": False,
        "signals": signals,
        "rule": "threshold.allow",
        "policy": "shop",
        "audience": "mixed",
        "config": CONFIG,
        "route": "/items/{n}",
    }
    return Decision(**(made | facts))


_header_names = st.sampled_from([b"user-agent", b"cookie", b"authorization", b"accept", b"sec-fetch-mode", b"x-whatever"])
_facts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "host": st.binary(max_size=60),
        "request_id": st.binary(max_size=64),
        "ja3": st.binary(max_size=300),
        "ja4": st.binary(max_size=40),
        "tls_sig": st.binary(max_size=40),
        "edge": st.sampled_from(["nginx", "forward", "grpc"]),
    },
)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Any request: whatever bytes a client may write anywhere."""
    return make_observation(
        client=draw(st.binary(min_size=16, max_size=16)),
        peer=draw(st.binary(min_size=16, max_size=16) | st.just(b"")),
        method=draw(st.binary(min_size=1, max_size=32)),
        uri=draw(st.binary(min_size=1, max_size=2000)),
        headers=draw(st.dictionaries(_header_names, st.binary(max_size=400), max_size=6)),
        edge_time_s=draw(st.floats(0, 4e9)),
        **draw(_facts),
    )


_ids = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=16, max_size=16).map(
    lambda t: f"{t[:4]}-{t[4:8]}-{t[8:12]}-{t[12:]}"
)
_measures = st.builds(Measure, st.sampled_from(["cv", "mean_s", "items"]), st.floats(), st.none() | st.floats())
_signals = st.builds(
    Signal,
    id=st.sampled_from([CURL.id, TIMER.id, "network.busy_range"]),
    points=st.integers(-100, 100),
    detail=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20),
    subject=st.sampled_from(["", "client", "network"]),
    measures=st.lists(_measures, max_size=3).map(tuple),
    attack_type=st.sampled_from(["", "Bot Detected"]),
)
decisions = st.builds(
    Decision,
    id=_ids,
    verdict=st.sampled_from(VERDICTS),
    would_be=st.sampled_from(VERDICTS),
    mode=st.sampled_from(["monitor", "enforce"]),
    score=st.integers(0, 100),
    bot=st.booleans(),
    signals=st.lists(_signals, max_size=4).map(tuple),
    rule=st.sampled_from(["threshold.allow", "allowlist", "rule.partner"]),
    policy=st.text(min_size=1, max_size=20),
    audience=st.sampled_from(AUDIENCES),
    config=st.just(CONFIG),
    level=st.sampled_from(["", *LEVELS]),
    route=st.text(max_size=1500),
    deferred=st.booleans(),
)
