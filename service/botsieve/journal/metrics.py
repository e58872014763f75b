"""What Prometheus is told: exactly the names and labels of docs/names.md.

Plain integers are counted on the hot path; prometheus_client sees them only when somebody scrapes.

Law of the file: no label can be chosen by a client.  Every label comes from a closed set or from the operator's own file, every
set is capped (what is beyond it is `other`), so all series together stay below 2,000.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from botsieve import __version__
from botsieve.challenge.browser_facts import COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS
from botsieve.decision import LEVELS, Decision

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Upper bounds, inclusive (Prometheus' `le`).  The defaults of the client begin at 5 ms: useless for a decision.
BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
_BUCKETS_US = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000]  # the same
_FIRST_US = 100

WHY_UNJUDGED = ("edge_down", "deadline", "edge_fault", "overloaded", "unasked")
CHALLENGE_STEPS = ("issued", "loaded", "solved", "failed")
REPORTS = ("regular", "irregular", "none", "refused")
DEVICE_REPORTS = ("none", "new", INTEGRITY_FAULT, COOKIE_DELETED, SUSPICIOUS, "refused")
LOOKUP_RESULTS = ("verified", "refuted", "unanswered", "not_asked")
OTHER = "other"

# Caps: 12 edges x 15 series + 900 decisions + 2 x 100 findings + the small ones < 2,000.
_MAX_EDGES, _MAX_POLICIES, _MAX_DECISIONS, _MAX_SIGNALS, _MAX_SUBJECTS = 12, 200, 900, 100, 10

_Count = dict[tuple[str, ...], int]


class SubjectFigures(msgspec.Struct, frozen=True):
    """What the state holds of one kind of subject.  `evictions`: since the start."""

    known: int
    bytes: int
    evictions: int


StateFigures = Callable[[], Mapping[str, SubjectFigures]]


class Metrics:
    """Counts, and renders the counts.  `state`: asked at each scrape for the figures of the state, by subject."""

    def __init__(self, state: StateFigures | None = None) -> None:
        self.state = state
        self.config_refused = 0
        self.data_refused = 0
        self.listed: Mapping[str, int] = {"allow": 0, "reputation": 0}
        self.config_applied_s = 0.0
        self.log_dropped: Callable[[], int] = lambda: 0
        self.log_stalled: Callable[[], bool] = lambda: False
        self.crawler_lookups: Callable[[], Mapping[str, int]] = lambda: dict.fromkeys(LOOKUP_RESULTS, 0)
        self.more: list[Callable[[], Iterable[Metric]]] = []  # what other parts tell, at each scrape
        self.feedback: dict[str, int] = {}
        self._series: dict[tuple[str, ...], _Series] = {}
        self._last = _Series(("", "", "", ""), _Histogram(""))  # the series of the last decision, mostly also that of the next
        self.findings: dict[str, int] = {}
        self.unjudged: _Count = {}
        self.challenges: _Count = {}
        self.reports: dict[str, int] = dict.fromkeys(REPORTS, 0)
        self.device_reports: dict[str, int] = dict.fromkeys(DEVICE_REPORTS, 0)
        self.detector_errors: dict[str, int] = {}
        self._seconds: dict[str, _Histogram] = {}
        self._policies: set[str] = set()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Scrape(self))

    def count_decision(self, edge: str, decision: Decision, decide_us: int) -> None:
        """Counts one decision, its findings and the time it took.  Hot path."""
        series = self._last
        if not series.is_of(edge, decision):
            key = (edge, decision.policy, decision.verdict, decision.would_be)
            known = self._series.get(key)
            series = self._last = self._first_decision(key) if known is None else known
        series.count += 1
        series.histogram.add(decide_us)
        findings = self.findings
        for signal in decision.signals:
            before = findings.get(signal.id)
            if before is None:
                _count(findings, signal.id, 1, _MAX_SIGNALS)
            else:
                findings[signal.id] = before + 1

    def count_time(self, edge: str, decide_us: int) -> None:
        """Counts what one judgement took, also of one that came too late to be a decision.  Hot path."""
        self._histogram(edge).add(decide_us)

    def count_unjudged(self, edge: str, why: str, n: int = 1) -> None:
        """Counts requests that got no verdict.  Errors: ValueError for a `why` that is not in WHY_UNJUDGED, or n below 0."""
        if why not in WHY_UNJUDGED or n < 0:
            raise ValueError(f"why={why!r}, n={n}; accepted: {', '.join(WHY_UNJUDGED)}, and n from 0")
        edge = self._edge(edge)
        self.unjudged[edge, why] = self.unjudged.get((edge, why), 0) + n

    def count_challenge(self, step: str, level: str) -> None:
        """Counts one step of a challenge.  Errors: ValueError for a step or level that is not in the closed sets."""
        if step not in CHALLENGE_STEPS or level not in LEVELS:
            raise ValueError(f"step={step!r}, level={level!r}; accepted: {', '.join(CHALLENGE_STEPS)}; {', '.join(LEVELS)}")
        self.challenges[step, level] = self.challenges.get((step, level), 0) + 1

    def count_report(self, finding: str) -> None:
        """One report of a page's script.  Errors: KeyError for a `finding` that is not in REPORTS."""
        self.reports[finding] += 1

    def count_device_report(self, kinds: Iterable[str], *, taken: bool, is_new: bool) -> None:
        """One report of device and browser: each kind of fact that it shows once.  Errors: KeyError for one that there is not."""
        found = {*kinds, *(("new",) if is_new else ())} if taken else {"refused"}
        for kind in found or ("none",):
            self.device_reports[kind] += 1

    def count_detector_error(self, signal: str) -> None:
        """Counts a detector that failed and was skipped."""
        _count(self.detector_errors, signal, 1, _MAX_SIGNALS)

    @property
    def unjudged_total(self) -> int:
        """Requests without a verdict, of all edges, since the start."""
        return sum(self.unjudged.values())

    @property
    def decisions(self) -> _Count:
        """How many decisions, by edge, policy, verdict and would_be."""
        return {key: series.count for key, series in self._series.items()}

    @property
    def decisions_total(self) -> int:
        """Decisions since the start."""
        return sum([series.count for series in self._series.values()])

    def render(self) -> bytes:
        """The exposition text (CONTENT_TYPE)."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """Everything, as prometheus_client's values."""
        yield _counter("botsieve_decisions", "Decisions made.", ("edge", "policy", "verdict", "would_be"), self.decisions)
        yield _counter("botsieve_findings", "Findings of detectors.", ("signal",), _single(self.findings))
        yield self._seconds_family()
        yield _counter("botsieve_unjudged", "Requests that nobody judged.", ("edge", "why"), self._unjudged_with_zeros())
        yield _counter("botsieve_challenges", "Steps of challenges.", ("step", "level"), self.challenges)
        yield _counter("botsieve_human_reports", "Reports of hands, by what they show.", ("finding",), _single(self.reports))
        devices = _single(self.device_reports)
        yield _counter("botsieve_device_reports", "Reports of devices and browsers, by what they show.", ("finding",), devices)
        yield from self._state_families()
        yield _counter(
            "botsieve_detector_errors", "Detectors that failed and were skipped.", ("signal",), _single(self.detector_errors)
        )
        lookups = {result: count for result, count in self.crawler_lookups().items() if result in LOOKUP_RESULTS}
        yield _counter("botsieve_crawler_lookups", "Claims to be a crawler, asked of DNS.", ("result",), _single(lookups))
        yield CounterMetricFamily("botsieve_log_dropped", "Log lines that were never written.", value=self.log_dropped())
        stalled = int(self.log_stalled())
        yield GaugeMetricFamily("botsieve_log_stalled", "1 while the place of the log takes no line.", value=stalled)
        yield CounterMetricFamily("botsieve_config_refused", "Configurations that were refused.", value=self.config_refused)
        yield CounterMetricFamily("botsieve_data_refused", "Lists and databases that were refused.", value=self.data_refused)
        listed = GaugeMetricFamily("botsieve_listed_ranges", "Ranges of addresses in force.", labels=("list",))
        for name, ranges in self.listed.items():
            listed.add_metric((name,), ranges)
        yield listed
        for tell in self.more:
            yield from tell()
        applied = "When the running configuration was applied, seconds since 1970."
        yield GaugeMetricFamily("botsieve_config_applied_timestamp_seconds", applied, value=self.config_applied_s)
        yield InfoMetricFamily("botsieve_build", "The running version.", value={"version": __version__})

    def _first_decision(self, key: tuple[str, str, str, str]) -> _Series:
        """The series that a combination is given: its own, or that of `other` where a cap is reached."""
        edge, policy, verdict, would_be = key
        if (policy not in self._policies and len(self._policies) >= _MAX_POLICIES) or len(self._series) >= _MAX_DECISIONS:
            policy = OTHER
        self._policies.add(policy)
        histogram = self._histogram(edge)
        key = (histogram.edge, policy, verdict, would_be)
        return self._series.setdefault(key, _Series(key, histogram))

    def _edge(self, edge: str) -> str:
        return self._histogram(edge).edge

    def _histogram(self, edge: str) -> _Histogram:
        known = self._seconds.get(edge)
        if known is not None:
            return known
        if len(self._seconds) >= _MAX_EDGES:
            edge = OTHER
        return self._seconds.setdefault(edge, _Histogram(edge))

    def _seconds_family(self) -> Metric:
        family = HistogramMetricFamily("botsieve_decision_seconds", "Time to decide, without the edge's own.", labels=("edge",))
        for edge, histogram in self._seconds.items():
            family.add_metric((edge,), histogram.cumulative(), histogram.sum_us / 1e6)
        return family

    def _unjudged_with_zeros(self) -> _Count:
        # An alert on growth needs the series to be there before the first of its kind.
        return {(edge, why): 0 for edge in self._seconds for why in WHY_UNJUDGED} | self.unjudged

    def _state_families(self) -> Iterable[Metric]:
        figures = list(self.state().items())[:_MAX_SUBJECTS] if self.state is not None else []
        clients = GaugeMetricFamily("botsieve_clients", "Subjects remembered.", labels=("subject",))
        held = GaugeMetricFamily("botsieve_state_bytes", "Memory that they take.", labels=("subject",))
        evicted = CounterMetricFamily("botsieve_evictions", "Subjects forgotten to make room.", labels=("subject",))
        for subject, figure in figures:
            clients.add_metric((subject,), figure.known)
            held.add_metric((subject,), figure.bytes)
            evicted.add_metric((subject,), figure.evictions)
        return (clients, held, evicted)


class _Series:
    """How many decisions of one kind, and where their times are counted."""

    __slots__ = ("_edge", "_policy", "_verdict", "_would_be", "count", "histogram")

    def __init__(self, key: tuple[str, str, str, str], histogram: _Histogram) -> None:
        self._edge, self._policy, self._verdict, self._would_be = key
        self.histogram = histogram
        self.count = 0

    def is_of(self, edge: str, decision: Decision) -> bool:
        """At a glance: whether it is a decision of this kind.  False may mean that another object holds the same word."""
        return (
            self._edge is edge
            and self._policy is decision.policy
            and self._verdict is decision.verdict
            and self._would_be is decision.would_be
        )


class _Histogram:
    """Decision times of one edge.  The last count is of those above the highest bound."""

    __slots__ = ("counts", "edge", "sum_us")

    def __init__(self, edge: str) -> None:
        self.edge = edge
        self.counts = [0] * (len(_BUCKETS_US) + 1)
        self.sum_us = 0

    def add(self, decide_us: int) -> None:
        """Counts one time.  Hot path."""
        # Nearly all of them are within the first bound.
        self.counts[bisect_left(_BUCKETS_US, decide_us) if decide_us > _FIRST_US else 0] += 1
        self.sum_us += decide_us

    def cumulative(self) -> list[tuple[str, float]]:
        total = 0
        found = []
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class _Scrape(Collector):
    """What prometheus_client asks when somebody scrapes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.families()


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Mapping[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _single(counts: Mapping[str, int]) -> _Count:
    return {(name,): count for name, count in counts.items()}


def _count(counts: dict[str, int], name: str, n: int, cap: int) -> None:
    if name not in counts and len(counts) >= cap:
        name = OTHER
    counts[name] = counts.get(name, 0) + n
