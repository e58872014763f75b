"""score.py: a score is a sum that can be read off the signals."""

from __future__ import annotations

import pytest
from botsieve.decision import Signal
from botsieve.detectors.settings import FAMILY_MAX
from botsieve.score import settle, total
from hypothesis import given
from hypothesis import strategies as st

IDS = [
    "agent.bot_useragent",
    "headers.no_accept_language",
    "headers.no_accept_encoding",
    "headers.no_referer",
    "tls.suspicious_ja3",
    "claim.unlike_headers",
    "claim.contradiction",
    "timing.suspicious_timing",
    "traversal.url_pattern",
    "traversal.volume",
    "network.busy_range",
]
signals_lists = st.lists(st.builds(Signal, st.sampled_from(IDS), st.integers(-100, 100)), max_size=8, unique_by=lambda s: s.id)


def of(*told: tuple[str, int]) -> list[Signal]:
    return [Signal(name, points) for name, points in told]


@given(signals_lists)
def test_within_its_bounds_and_in_order(signals: list[Signal]) -> None:
    """0..100; most points first; nothing is invented, and settling twice changes nothing."""
    kept = settle(signals)
    assert 0 <= total(kept, FAMILY_MAX) <= 100
    assert [s.points for s in kept] == sorted((s.points for s in kept), reverse=True)
    assert set(kept) <= set(signals)
    assert settle(kept) == kept


@given(signals_lists, st.randoms(use_true_random=False))
def test_order_does_not_matter(signals: list[Signal], random: object) -> None:
    """The score is that of the set."""
    mixed = list(signals)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert total(mixed, FAMILY_MAX) == total(signals, FAMILY_MAX)


@given(st.lists(st.builds(Signal, st.sampled_from(IDS), st.integers(0, 100)), max_size=8, unique_by=lambda s: s.id))
def test_a_finding_more_is_never_a_lower_score(signals: list[Signal]) -> None:
    """Monotone in the findings that count."""
    kept = settle(signals)
    scores = [total(kept[:count], FAMILY_MAX) for count in range(len(kept) + 1)]
    assert scores == sorted(scores)


def test_families_are_capped() -> None:
    """20 + 15 + 15 of headers are 35; a family that is not named is not capped."""
    headers = of(("headers.no_accept_language", 20), ("headers.no_accept_encoding", 15), ("headers.no_referer", 15))
    assert total(headers, FAMILY_MAX) == 35
    assert total(headers, {}) == 50
    assert total([*headers, *of(("agent.bot_useragent", 40))], FAMILY_MAX) == 75


def test_three_readings_of_one_fact_count_once() -> None:
    """Of fingerprint, headers and contradiction only the highest is kept."""
    kept = settle(of(("tls.suspicious_ja3", 30), ("claim.unlike_headers", 25), ("claim.contradiction", 45), ("agent.x", 1)))
    assert [signal.id for signal in kept] == ["claim.contradiction", "agent.x"]
    assert [s.id for s in settle(of(("claim.contradiction", 15), ("tls.suspicious_ja3", 30)))] == ["tls.suspicious_ja3"]


@pytest.mark.parametrize(
    ("beside", "counts"),
    [
        ("timing.suspicious_timing", True),
        ("traversal.url_pattern", True),
        ("tls.suspicious_ja3", True),
        ("claim.contradiction", True),
        ("headers.no_referer", False),
        ("agent.bot_useragent", False),
        (None, False),
    ],
)
def test_a_busy_range_accuses_nobody_by_itself(beside: str | None, counts: bool) -> None:
    """It counts beside a finding about behaviour or TLS only."""
    told = of(("network.busy_range", 25), *([(beside, 15)] if beside else []))
    assert any(signal.id == "network.busy_range" for signal in settle(told)) == counts


def test_a_sum_beyond_the_ends_is_cut() -> None:
    """Never above 100, never below 0."""
    assert total(of(("a.b", 90), ("c.d", 90)), {}) == 100
    assert total(of(("a.b", -90)), {}) == 0
    assert total([], {}) == 0
