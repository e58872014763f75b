"""botsieve.journal.packing"""

from __future__ import annotations

from botsieve.decision import Decision
from botsieve.journal.packing import MAX_PATH, MAX_PRINT, MAX_USER_AGENT, pack
from botsieve.journal.record import ruled_of, seen_of, unpack
from botsieve.observation import Observation
from hypothesis import given

from tests.unit.journal.samples import NOW_S, decision, decisions, observation, observations


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
