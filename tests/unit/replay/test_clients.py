"""The table of clients."""

from __future__ import annotations

from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.replay.clients import MAX_REASONS, ClientTable, Tally, client_key
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.replay.decisions import decision, observation


def tally_of(number: int) -> Tally:
    """A new client with a number for an address."""
    return Tally(number.to_bytes(16, "big"), b"agent", None, 1.0, 1.0, reasons={})


def test_tally_counts() -> None:
    """Verdicts, the first of each bad kind, the worst, the highest score and the findings of one client."""
    tally = tally_of(1)
    for at, (verdict, score, reasons) in enumerate(
        [(ALLOW, 5, {"a"}), (CHALLENGE, 50, {"a", "b"}), (BLOCK, 90, {"a"}), (CHALLENGE, 60, set()), (BLOCK, 80, set())]
    ):
        new = tally.add(observation(at_s=10.0 + at), decision(verdict, score), reasons)
        assert new == [["a"], ["b"], [], [], []][at]
    assert (tally.requests, tally.allowed, tally.challenged, tally.blocked) == (5, 1, 2, 2)
    assert (tally.first_challenge, tally.first_block, tally.worst, tally.max_score) == (2, 3, BLOCK, 90)
    assert (tally.first_s, tally.last_s, tally.reasons) == (1.0, 14.0, {"a": 3, "b": 1})


def test_reasons_are_bounded() -> None:
    """No log makes one client's table of findings grow without end."""
    tally = tally_of(1)
    for at in range(3 * MAX_REASONS):
        tally.add(observation(), decision(), {f"r{at}"})
    assert len(tally.reasons) == MAX_REASONS


def test_key() -> None:
    """A client is one address with one User-Agent."""
    assert client_key(observation()) == client_key(observation(at_s=5.0, uri=b"/b"))
    assert (
        len(
            {
                client_key(o)
                for o in (observation(), observation(agent=b"x"), observation("203.0.113.8"), observation(agent=b""))
            }
        )
        == 4
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([ALLOW, CHALLENGE, BLOCK])), max_size=200), st.integers(2, 10))
def test_small_memory_changes_nothing(stream: list[tuple[int, str]], keep: int) -> None:
    """A table that holds only a few clients in memory says the same as one that holds all, in the same order."""
    small, large = ClientTable(keep), ClientTable()
    for table in (small, large):
        for number, verdict in stream:
            key = number.to_bytes(2, "big")
            tally = table.find(key)
            is_new = tally is None
            tally = tally or tally_of(number)
            tally.add(observation(), decision(verdict), {"a"})
            if is_new:
                table.add(key, tally)
    assert len(small) == len(large) == len({number for number, _ in stream})
    assert list(small.worst_first()) == list(large.worst_first())
    assert list(small.worst_first(3)) == list(large.worst_first(3))


def test_order() -> None:
    """By worst verdict, then by requests."""
    table = ClientTable()
    for number, (verdict, requests) in enumerate([(ALLOW, 9), (BLOCK, 1), (CHALLENGE, 2), (CHALLENGE, 3)]):
        tally = tally_of(number)
        for _ in range(requests):
            tally.add(observation(), decision(verdict), set())
        table.add(bytes([number]), tally)
    assert [(t.worst, t.requests) for t in table.worst_first()] == [(BLOCK, 1), (CHALLENGE, 3), (CHALLENGE, 2), (ALLOW, 9)]
