"""What Prometheus is told of incidents, of the store and of feedback.

Law of the file: labels are closed sets of ours: attack types and outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from botsieve.attacks.types import ATTACK_TYPES
from botsieve.challenge.feedback import OUTCOMES
from botsieve.store.feed import StoreFeed


def families(feed: StoreFeed, feedback: Mapping[str, int]) -> Iterable[Metric]:
    """The families.  `feedback`: how often each outcome came."""
    book = feed.book
    incidents = CounterMetricFamily("botsieve_incidents", "Incidents that opened.", labels=("attack_type",))
    violations = CounterMetricFamily("botsieve_violations", "Requests that were part of an attack.", labels=("attack_type",))
    for attack_type in ATTACK_TYPES:
        tally = book.by_type.get(attack_type)
        incidents.add_metric((attack_type,), tally.attacks if tally else 0)
        violations.add_metric((attack_type,), tally.violations if tally else 0)
    yield incidents
    yield violations
    yield GaugeMetricFamily("botsieve_incidents_open", "Incidents that go on.", value=len(book.open))
    yield CounterMetricFamily("botsieve_store_lost", "Rows that will never be in the database.", value=feed.lost)
    failing = 1.0 if feed.trouble else 0.0
    yield GaugeMetricFamily("botsieve_store_failing", "1 while nothing can be written to the database.", value=failing)
    said = CounterMetricFamily("botsieve_feedback", "Visitors who said that they are people.", labels=("outcome",))
    for outcome in OUTCOMES:
        said.add_metric((outcome,), feedback.get(outcome, 0))
    yield said
