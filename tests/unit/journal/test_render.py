"""botsieve.journal.render"""

from __future__ import annotations

import json
import math
from typing import Any

import botsieve.journal.render as render_module
import pytest
from botsieve.decision import Decision, Measure, Signal
from botsieve.journal.packing import pack
from botsieve.journal.record import unpack
from botsieve.journal.redact import Redactor
from botsieve.journal.render import client_text, line_of, render, second_text, time_text, to_line
from botsieve.observation import Observation, make_observation, pack_address
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.journal.samples import CURL, NOW_S, SCHEMA, TIMER, TOLD, decision, decisions, observation, observations

# What takes a terminal over, breaks a line, or turns text around.
HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    'a"\r\n{"event":"decision"}',
    "\u202etxt.exe",
    "\u2028\u2029\x85",
    "\x9b31m",
    "\x7f\x00",
    "=1+1",
]


def rendered(o: Observation, d: Decision, **settings: Any) -> dict[str, Any]:
    return render(unpack(pack(o, d, NOW_S, 14, 0.0)), Redactor(**settings))


def test_the_object_has_the_keys_of_the_contract() -> None:
    """docs/decision-log.md, key by key; what has no value is left out."""
    assert rendered(observation(), decision(7, CURL, TIMER, would_be="challenge", rule="threshold.challenge", bot=True)) == {
        "time": "2026-11-21T21:33:19.898Z",
        "level": "info",
        "event": "decision",
        "id": "0000-0000-0000-0007",
        "verdict": "allow",
        "would_be": "challenge",
        "mode": "monitor",
        "score": 75,
        "bot": True,
        "reasons": ["bot_useragent:curl", "suspicious_timing:35"],
        "signals": TOLD,
        "rule": "threshold.challenge",
        "policy": "shop",
        "config": "3f9c2a71be04",
        "edge": "nginx",
        "request_id": "b5" * 16,
        "kind": "api",
        "audience": "mixed",
        "client": "203.0.113.7",
        "network": "203.0.113.0/24",
        "peer": "203.0.113.7",
        "method": "GET",
        "host": "shop.example",
        "path": "/items/17",
        "route": "/items/{n}",
        "user_agent": "curl/7.88.1",
        "decide_us": 14,
    }


@given(observations(), decisions, st.sampled_from(["full", "prefix", "hmac"]))
def test_every_line_is_one_line_of_the_schema(o: Observation, d: Decision, form: str) -> None:
    """Any bytes anywhere in a request: one line of printable ASCII that parses back to the object and fits the schema."""
    told = rendered(o, d, form=form, key=bytes(32))
    line = line_of(unpack(pack(o, d, NOW_S, 14, 0.0)), Redactor(form=form, key=bytes(32)))
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line) == told
    assert to_line(told) + b"\n" == line
    SCHEMA.validate(told)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_client_reaches_neither_terminal_nor_the_next_line(text: str) -> None:
    """Escape sequences, line breaks and direction marks in every field that a client writes come back as they were."""
    raw = text.encode()
    o = make_observation(
        client=pack_address("203.0.113.7"),
        method=raw[:32],
        uri=b"/" + raw.replace(b"?", b""),
        headers={b"user-agent": raw},
        edge_time_s=NOW_S,
        host=raw,
        request_id=raw[:64],
        ja4=raw,
    )
    line = line_of(unpack(pack(o, decision(), NOW_S, 14, 0.0)), Redactor())
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert line[-1:] == b"\n"
    back = json.loads(line)
    assert [back[key] for key in ("user_agent", "host", "request_id", "ja4")] == [text] * 4


def test_canaries_reach_no_line() -> None:
    """Cookie, Authorization and query values are in no form of the line, also when a route carries its query."""
    o = observation(b"/a?token=CANARY", cookie=b"s=CANARY", authorization=b"Bearer CANARY", proxy_authorization=b"CANARY")
    line = to_line(rendered(o, decision(1, CURL, route="/a?token=CANARY")))
    assert b"CANARY" not in line


def test_bytes_that_are_no_text_are_shown() -> None:
    r"""Bytes that are not UTF-8 appear as \xNN."""
    assert client_text(b"caf\xc3\xa9 \xff") == "café \\xff"


def test_what_the_databases_know_stands_beside_the_client() -> None:
    """Only when somebody wants to know, and of the client's whole address whatever is shown of it."""
    redactor = Redactor("prefix")
    redactor.whereabouts = lambda address: {"asn": 64500, "country": "DE"} if address == observation().client else {}
    line = render(unpack(pack(observation(), decision(1), NOW_S, 14, 0.0)), redactor)
    assert (line["asn"], line["country"]) == (64500, "DE")
    SCHEMA.validate(json.loads(to_line(line)))
    assert rendered(observation(), decision(1)).keys() == line.keys() - {"asn", "country"}


def test_a_measure_without_a_number_is_left_out() -> None:
    """JSON has no NaN and no infinity."""
    signal = Signal("timing.x", 1, measures=(Measure("a", math.nan, 1.0), Measure("b", 2.0, math.inf), Measure("c", 3.0)))
    assert rendered(observation(), decision(1, signal))["signals"] == [
        {"id": "timing.x", "points": 1, "measures": {"b": [2.0], "c": [3.0]}}
    ]


@pytest.mark.parametrize(
    ("now_s", "text"),
    [(0.0, "1970-01-01T00:00:00.000Z"), (1.9996, "1970-01-01T00:00:02.000Z"), (1795296799.898, "2026-11-21T21:33:19.898Z")],
)
def test_times_are_utc_with_milliseconds(now_s: float, text: str) -> None:
    """Rounded to the millisecond, also over the second; asked again, and after another, the same."""
    assert time_text(now_s) == time_text(now_s) == text


def test_whole_seconds() -> None:
    """UTC, RFC 3339; what has begun is not rounded up."""
    assert second_text(1431857140.9) == "2015-05-17T10:05:40Z"


def test_what_lines_have_in_common_is_remembered_within_bounds() -> None:
    """A line is the same when its pieces were rendered before; a flood of User-Agents, routes and measures fills no memory."""

    def line(number: int) -> bytes:
        signal = Signal("timing.x", 1, measures=(Measure("a", float(number), 1.0),))
        o = observation(b"/a", user_agent=b"bot/%d" % number)
        return line_of(unpack(pack(o, decision(1, signal, route=f"/{number}"), NOW_S, 14)), Redactor())

    first = line(1)
    for number in range(3_000):
        assert b'"user_agent":"bot/%d"' % number in line(number)
        assert b'"measures":{"a":[%d.0,1.0]}' % number in line(number)
    assert line(1) == first
    assert (
        max(len(known) for known in (render_module._KNOWN_RULED, render_module._KNOWN_SEEN, render_module._KNOWN_SIGNALS))
        <= 1_024
    )
