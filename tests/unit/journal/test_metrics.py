"""botsieve.journal.metrics"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from botsieve.decision import Measure, Signal
from botsieve.journal.metrics import _BUCKETS_US, BUCKETS_S, WHY_UNJUDGED, Metrics, SubjectFigures
from botsieve.store.figures import families
from prometheus_client.parser import text_string_to_metric_families

from tests.store.rig import Store
from tests.unit.journal.samples import CURL, TIMER, decision


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def full() -> Metrics:
    metrics = Metrics(lambda: {"client": SubjectFigures(3, 1200, 1)})
    store = Store(Path("nowhere"))  # never started
    metrics.more.append(lambda: families(store.feed, metrics.feedback))
    metrics.count_decision("nginx", decision(1, CURL, TIMER, would_be="challenge"), 14)
    metrics.count_unjudged("nginx", "deadline", 2)
    metrics.count_challenge("issued", "normal")
    metrics.count_report("regular")
    metrics.count_detector_error("agent.bot_useragent")
    return metrics


def test_names_and_labels_are_those_of_the_document(root: Path) -> None:
    """docs/metrics.md and docs/names.md name every metric with its labels, and no other."""
    families = list(text_string_to_metric_families(full().render().decode()))
    shown = {}
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        shown[name] = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
    rows = [row.split("|") for row in (root / "docs" / "metrics.md").read_text().splitlines() if row.startswith("| `")]
    assert shown == {row[1].strip(" `"): sorted(row[2].replace("`", "").split()) for row in rows}
    names = (root / "docs" / "names.md").read_text()
    assert all(name in names for name in shown)


def test_counts_are_exact() -> None:
    """What was counted is what is scraped."""
    found = samples(full())
    decided = (("edge", "nginx"), ("policy", "shop"), ("verdict", "allow"), ("would_be", "challenge"))
    assert found["botsieve_decisions_total", decided] == 1
    assert found["botsieve_findings_total", (("signal", "agent.bot_useragent"),)] == 1
    assert found["botsieve_unjudged_total", (("edge", "nginx"), ("why", "deadline"))] == 2
    assert found["botsieve_clients", (("subject", "client"),)] == 3
    assert found["botsieve_state_bytes", (("subject", "client"),)] == 1200
    assert found["botsieve_evictions_total", (("subject", "client"),)] == 1
    assert found["botsieve_log_dropped_total", ()] == 0


def test_every_reason_for_no_verdict_is_there_before_it_happens() -> None:
    """An alert on growth needs the series at zero."""
    metrics = Metrics()
    metrics.count_decision("nginx", decision(1), 14)
    found = samples(metrics)
    assert [found["botsieve_unjudged_total", (("edge", "nginx"), ("why", why))] for why in WHY_UNJUDGED] == [0] * 5


@pytest.mark.parametrize(
    ("decide_us", "le"), [(0, 0.0001), (100, 0.0001), (101, 0.00025), (250_000, 0.25), (250_001, float("inf"))]
)
def test_times_fall_into_the_bucket_whose_bound_they_do_not_exceed(decide_us: int, le: float) -> None:
    """`le` is inclusive; the buckets are cumulative."""
    metrics = Metrics()
    metrics.count_decision("nginx", decision(1), decide_us)
    found = samples(metrics)
    for bound in (*BUCKETS_S, float("inf")):
        text = "+Inf" if bound == float("inf") else str(bound)
        assert found["botsieve_decision_seconds_bucket", (("edge", "nginx"), ("le", text))] == (1 if bound >= le else 0)
    assert found["botsieve_decision_seconds_sum", (("edge", "nginx"),)] == decide_us / 1e6


def test_a_report_of_a_device_counts_each_thing_that_it_shows_once() -> None:
    """Three faults are one; a first id is told beside them; what is no report shows nothing else.  All series are there from the start."""
    metrics = Metrics()
    assert set(metrics.device_reports.values()) == {0}
    metrics.count_device_report(["integrity_fault", "integrity_fault", "cookie_deleted"], taken=True, is_new=False)
    metrics.count_device_report(["suspicious"], taken=True, is_new=True)
    metrics.count_device_report([], taken=True, is_new=False)
    metrics.count_device_report([], taken=False, is_new=False)
    assert metrics.device_reports == dict.fromkeys(
        ("none", "new", "integrity_fault", "cookie_deleted", "suspicious", "refused"), 1
    )
    assert b'botsieve_device_reports_total{finding="cookie_deleted"} 1.0' in metrics.render()


def test_hostile_requests_cannot_make_series() -> None:
    """20,000 decisions with labels as different as an operator's file could make them: at most 2,000 series, none lost."""
    metrics = Metrics(lambda: {f"subject{n}": SubjectFigures(1, 1, 1) for n in range(500)})
    chance = random.Random(7)
    for n in range(20_000):
        signal = Signal(f"a.{chance.randrange(5000)}", 1, "d", measures=(Measure("m", 1.0),))
        made = decision(n, signal, policy=f"p{chance.randrange(3000)}", would_be=chance.choice(["allow", "challenge", "block"]))
        metrics.count_decision(f"edge{chance.randrange(100)}", made, chance.randrange(300_000))
        metrics.count_unjudged(f"edge{chance.randrange(100)}", chance.choice(WHY_UNJUDGED))
        metrics.count_detector_error(f"a.{chance.randrange(5000)}")
    found = samples(metrics)
    assert len(found) <= 2000
    assert sum(value for (name, _), value in found.items() if name == "botsieve_decisions_total") == 20_000
    assert sum(value for (name, _), value in found.items() if name == "botsieve_findings_total") == 20_000
    assert sum(value for (name, _), value in found.items() if name == "botsieve_unjudged_total") == 20_000
    assert sum(value for (name, _), value in found.items() if name == "botsieve_decision_seconds_count") == 20_000


def test_words_outside_the_closed_sets_are_mistakes() -> None:
    """A caller cannot invent a label value."""
    metrics = Metrics()
    with pytest.raises(ValueError, match="accepted: edge_down, deadline"):
        metrics.count_unjudged("nginx", "bored")
    with pytest.raises(ValueError, match="accepted: issued"):
        metrics.count_challenge("issued", "impossible")


def test_the_buckets_are_the_same_in_both_units() -> None:
    """Counted in whole microseconds, told in seconds."""
    assert [round(bound_s * 1e6) for bound_s in BUCKETS_S] == _BUCKETS_US
