"""Totals and shares."""

from __future__ import annotations

from collections import Counter

from botsieve.decision import ALLOW, BLOCK, CHALLENGE, VERDICTS, Signal
from botsieve.observation import pack_address
from botsieve.replay.labels import Labels
from botsieve.replay.totals import LabelTotal, Totals, shares_of
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.replay.decisions import decision, observation


def label_total(challenged: int, blocked: int, allowed: int) -> LabelTotal:
    """Clients of one label."""
    return LabelTotal(
        clients=challenged + blocked + allowed, by_verdict={ALLOW: allowed, CHALLENGE: challenged, BLOCK: blocked}
    )


def test_formulas() -> None:
    """docs/replay.md's own example: 100 of 208 bots caught, 1 of 265 humans challenged."""
    shares = shares_of(
        {"bot_declared": label_total(90, 10, 108), "human_strong": label_total(1, 0, 264), "unknown": label_total(7, 7, 7)}
    )
    assert (shares.labelled_bots, shares.labelled_humans) == (208, 265)
    assert (shares.bots_challenged, shares.bots_blocked, shares.humans_challenged, shares.humans_blocked) == (90, 10, 1, 0)
    assert shares.recall == 100 / 208
    assert shares.precision == 100 / 101
    assert shares.false_positive_rate == 1 / 265
    assert shares.false_block_rate == 0.0


def test_blocked_humans() -> None:
    """false_positive_rate counts challenged and blocked, false_block_rate blocked only; labels of one kind add up."""
    shares = shares_of({"human_a": label_total(1, 2, 5), "human_b": label_total(0, 1, 1), "bot": label_total(0, 0, 3)})
    assert (shares.false_positive_rate, shares.false_block_rate, shares.precision, shares.recall) == (0.4, 0.3, 0.0, 0.0)


def test_zero_below_the_line() -> None:
    """Without labels, or with a zero below the line, a share is null."""
    nothing = shares_of({})
    assert [nothing.recall, nothing.precision, nothing.false_positive_rate, nothing.false_block_rate] == [None] * 4
    nobody_caught = shares_of({"bot": label_total(0, 0, 2)})
    assert (nobody_caught.recall, nobody_caught.precision) == (0.0, None)


STREAM = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([b"a", b"b"]), st.sampled_from(VERDICTS), st.sets(st.sampled_from("xyz"))),
    max_size=60,
)


@given(STREAM)
def test_totals_are_those_of_a_recount(stream: list[tuple[int, bytes, str, set[str]]]) -> None:
    """Counted request by request with a table of two clients, the figures are those of counting everything at the end."""
    labels = Labels({(pack_address("203.0.113.1"), None): "bot", (pack_address("203.0.113.2"), b"a"): "human"})
    totals = Totals(labels, keep=2)
    worst: dict[tuple[int, bytes], str] = {}
    label_requests: Counter[str] = Counter()
    reasons: dict[str, list[tuple[int, bytes]]] = {}
    for client, agent, verdict, found in stream:
        signals = tuple(Signal(f"f.{name}", 10 * (1 + "xyz".index(name))) for name in found)
        totals.add(observation(f"203.0.113.{client}", agent), decision(verdict, signals=signals))
        worst[client, agent] = max(verdict, worst.get((client, agent), ALLOW), key=VERDICTS.index)
        label_requests[{1: "bot", 2: "human"}.get(client, "") if (client, agent) != (2, b"b") else ""] += 1
        for name in found:
            reasons.setdefault(name, []).append((client, agent))
    assert totals.requests == len(stream)
    assert totals.requests_by == {verdict: sum(entry[2] == verdict for entry in stream) for verdict in VERDICTS}
    assert totals.clients_by == {verdict: sum(w == verdict for w in worst.values()) for verdict in VERDICTS}
    assert {label: total.requests for label, total in totals.labels.items()} == {k: v for k, v in label_requests.items() if k}
    for label, total in totals.labels.items():
        of_label = [
            w
            for (client, agent), w in worst.items()
            if (label == "bot" and client == 1) or (label == "human" and (client, agent) == (2, b"a"))
        ]
        assert (total.clients, total.by_verdict) == (len(of_label), {verdict: of_label.count(verdict) for verdict in VERDICTS})
    assert {name: (total.requests, total.clients, total.points) for name, total in totals.reasons.items()} == {
        name: (len(clients), len(set(clients)), 10 * (1 + "xyz".index(name))) for name, clients in reasons.items()
    }
