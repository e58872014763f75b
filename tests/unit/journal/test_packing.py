"""botsieve.journal.packing"""

from __future__ import annotations

import pytest
from botsieve.decision import Again, Decision, Measure, Signal, Violation
from botsieve.journal import packing
from botsieve.journal.packing import MAX_PATH, MAX_PRINT, MAX_USER_AGENT, pack, packed, record_of
from botsieve.journal.record import ruled_of, seen_of, unpack
from botsieve.observation import Observation
from botsieve.values import replace
from hypothesis import given

from tests.unit.journal.samples import CURL, NOW_S, decision, decisions, observation, observations


@given(observations(), decisions)
def test_any_request_gives_a_bounded_record(o: Observation, d: Decision) -> None:
    """Whatever a client writes: a record of a few kilobytes at most, whose text fields keep their bounds."""
    packed = pack(o, d, NOW_S, 14)
    record = unpack(packed)
    ruled, seen, path = ruled_of(record[4]), seen_of(record[6]), record[9]
    assert len(packed) < 16_000
    assert len(seen.user_agent) <= MAX_USER_AGENT
    assert len(path) <= MAX_PATH
    assert len(ruled.route) <= MAX_PATH
    assert max(len(seen.ja3), len(seen.ja4), len(seen.tls_sig)) <= MAX_PRINT


def test_secrets_are_not_even_in_memory() -> None:
    """Cookie, Authorization, query values and other headers are not in the packed record."""
    o = observation(
        b"/a?token=CANARY", cookie=b"s=CANARY", authorization=b"Bearer CANARY", x_api_key=b"CANARY", referer=b"/b?CANARY"
    )
    assert b"CANARY" not in pack(o, decision(), NOW_S, 1)


def test_text_that_is_no_text_does_not_stop_a_decision() -> None:
    """A lone surrogate in a name of ours is replaced: recording never raises."""
    assert ruled_of(unpack(pack(observation(), decision(route="/\udcff"), NOW_S, 1))[4]).route == "/\\udcff"


@given(observations(), decisions)
def test_a_record_is_what_is_read_back(o: Observation, d: Decision) -> None:
    """The log renders the record itself, `explain` what was packed of it: they say the same."""
    record = record_of(o, d, NOW_S, 14, 1.0)
    assert unpack(packed(record)) == record


def test_what_decisions_have_in_common_is_packed_once() -> None:
    """Two requests of one client with one count: the larger pieces of their records are the same objects."""
    count = Signal("sessions.opening", 0, "no_cookie", "client", (Measure("page_loads", 7.0, 5.0),), "Some Anomaly")
    first, second = (record_of(observation(), decision(number, count), NOW_S, 14) for number in (1, 2))
    assert first[3] != second[3]
    assert all(first[piece] is second[piece] for piece in (4, 5, 6))


def test_a_finding_that_comes_again_is_packed_like_any_other() -> None:
    """The first time and the next, alone and beside others, and where it does not stand among the signals."""
    count = Signal("sessions.opening", 0, "no_cookie", "client", (Measure("page_loads", 7.0, 5.0),), "Some Anomaly")
    violation = Violation("sessions.opening", "Some Anomaly", "client", bytes(8), "alarm", count.measures, 60.0, "no_cookie")
    violation = replace(violation, again=Again(count))
    for signals in ((count,), (count,), (CURL, count), (CURL,), ()):
        first, second = (
            record_of(observation(), replace(decision(1, *signals), violations=found), NOW_S, 14)
            for found in ((), (violation,))
        )
        assert first == second


def test_what_is_packed_once_is_bounded() -> None:
    """A flood of routes, User-Agents and counts is forgotten again."""
    for number in range(5_000):
        count = Signal("a.b", 0, measures=(Measure(f"m{number}", 7.0, 5.0),))
        record_of(observation(user_agent=b"bot/%d" % number), decision(1, count, route=f"/{number}"), NOW_S, 14)
    assert max(known.held for known in (packing._RULED, packing._SEEN, packing._COUNTS)) <= 2 * 1024


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, "another")
            for name in ("verdict", "would_be", "mode", "rule", "policy", "audience", "config", "level", "route")
        ),
        ("score", 7),
        ("bot", True),
        ("deferred", True),
    ],
)
def test_what_the_last_decision_said_is_not_said_of_another(name: str, value: object) -> None:
    """Two decisions in a row that differ in one thing are packed apart."""
    one = decision(1)
    other = replace(one, **{name: value})
    for each in (one, other, one):
        ruled = ruled_of(record_of(observation(), each, NOW_S, 14)[4])  # type: ignore[arg-type]
        assert getattr(ruled, name) == getattr(each, name)


@pytest.mark.parametrize("name", ["edge", "kind"])
def test_nor_what_it_said_of_the_request(name: str) -> None:
    """The same of what stands beside it of the request."""
    one = observation()
    for each in (one, replace(one, **{name: "another"}), one):
        assert getattr(ruled_of(record_of(each, decision(1), NOW_S, 14)[4]), name) == getattr(each, name)  # type: ignore[arg-type]
