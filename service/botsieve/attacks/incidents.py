"""Incidents: what violations of one subject become while an attack lasts.  From its first request to its end, with numbers.

One open incident per attack type, subject and policy.  Where one network has more than 50 of a type, the next ones share one
incident of that network, which counts how many take part; where the book is full, one of everybody.

Law of the file: pure and bounded; an incident's numbers are absolute, so whoever stores them may get the same one twice, late, or
only the last time.  What could not be handed on in time is counted in `lost`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from botsieve.attacks.distinct import Distinct
from botsieve.attacks.types import EXPIRED
from botsieve.decision import BLOCK, CHALLENGE, Decision, Measure, Violation
from botsieve.observation import Observation

OWN_PER_NETWORK = 50  # incidents of one type and policy; the next ones of that network share one
MAX_OPEN = 10_000
MAX_ENDED = 10_000  # that wait to be handed on
MAX_SAMPLES_WAITING = 4_096
MAX_NEWS = 1_000
# Samples: the first ten requests, then the 16th, 32nd ... 8,192nd: an attack's beginning, and how it went on.
FIRST_SAMPLES, LAST_SAMPLE, MAX_SAMPLES = 10, 8_192, 20
# An incident lasts at least as long as the statistics' minute, whatever its prevention is: a shorter one would open at each request.
LEAST_S = 60.0
ROUND_S = 1.0  # an incident that goes on is handed on at most so often
_MAX_MEASURES, _MAX_DETAILS, _MAX_POLICIES = 8, 10, 400
MAX_USER_AGENT, MAX_PATH, MAX_HOST, MAX_REASONS = 256, 1_024, 255, 512
EVERYBODY = bytes(8)
NETWORK, SITE = "network", "site"

_Name = tuple[str, bytes, str]
# How a prevention stands, by the subject's key and the detector at `now_s`: why it ended ("" while it holds) and when; None: there is none.
Standing = Callable[[bytes, str, float], tuple[str, float] | None]


class Incident(msgspec.Struct, eq=False):
    """One attack.  Times are `now_s`; `ended_s` 0 while it is open.

    `id`: the decision that opened it, and which of its violations.  `client`: 16 packed bytes of its first request, b"" when it was
    read back.  `key`, `network_key`: keyed hashes.  `until_s`: when it ends unless another violation comes.  `shared`: who takes part
    in an incident of a network or of everybody; None: one subject.  `measured`: the name of what was measured first, its highest and
    last value and its limit; most have no other.  `others`: the rest of `measures`.
    `round`: the last one of `IncidentBook.take` for which it is noted that it changed.
    """

    id: str
    attack_type: str
    policy: str
    detector: str
    subject: str
    key: bytes
    network_key: bytes
    client: bytes
    action: str
    mode: str
    started_s: float
    last_s: float
    until_s: float
    others: dict[str, list[float | None]]
    details: list[str]
    ended_s: float = 0.0
    why: str = ""
    violations: int = 0
    rejected: int = 0
    challenged: int = 0
    subjects: int = 1
    samples: int = 0
    shared: Distinct | None = None
    round: int = -1
    measured: str = ""
    highest: float = 0.0
    latest: float = 0.0
    limit: float | None = None

    @property
    def measures(self) -> dict[str, list[float | None]]:
        """What was measured, by name: highest, last, limit or None."""
        return {self.measured: [self.highest, self.latest, self.limit], **self.others} if self.measured else self.others

    @property
    def name(self) -> _Name:
        """What it is found by: type, subject, policy."""
        return (self.attack_type, self.key, self.policy)


class Sample(msgspec.Struct, frozen=True, eq=False):
    """One violating request, as much of it as may be kept: no query, no header but the User-Agent.  `number`: which of the violations."""

    incident: Incident
    number: int
    time_s: float
    decision: str
    verdict: str
    score: int
    reasons: str
    route: str
    client: bytes
    method: bytes
    host: bytes
    path: bytes
    user_agent: bytes


class Tally(msgspec.Struct):
    """What was counted since the start: incidents opened, violations, requests refused in an attack."""

    attacks: int = 0
    violations: int = 0
    rejected: int = 0


class IncidentBook:
    """The open incidents of one process.  `hash_key`: 8 bytes of any (state/hashing.py)."""

    def __init__(self, hash_key: Callable[[bytes], bytes], max_open: int = MAX_OPEN) -> None:
        self._hash_key = hash_key
        self._max_open = max_open
        self.open: dict[_Name, Incident] = {}
        self.by_policy: dict[str, Tally] = {}
        self.by_type: dict[str, Tally] = {}
        self.lost = 0
        self._turn: deque[Incident] = deque()
        self._of_network: dict[_Name, int] = {}
        self._changed: dict[str, Incident] = {}
        self._ended: set[str] = set()
        self._round: deque[Incident] = deque()
        self._round_s = 0.0
        self._rounds = 0
        self._samples: deque[Sample] = deque()
        self._news: deque[Incident] = deque(maxlen=MAX_NEWS)

    # ---- what happens

    def note(self, o: Observation, decision: Decision, now_s: float) -> None:
        """One decision with violations.  About half a microsecond each; 3 us in the plain form."""
        rejected = decision.verdict == BLOCK
        tally = self._tally(decision.policy)
        tally.rejected += rejected
        for number, violation in enumerate(decision.violations):
            incident = self.open.get((violation.attack_type, violation.key, decision.policy))
            if incident is None:
                incident = self._incident_for(o, decision, violation, number, now_s)
            tally.violations += 1
            self._of_type(violation.attack_type).violations += 1
            incident.violations += 1
            incident.rejected += rejected
            incident.challenged += decision.verdict == CHALLENGE
            incident.last_s = now_s
            incident.until_s = max(incident.until_s, now_s + max(LEAST_S, violation.prevention_s))
            incident.action, incident.mode = violation.action, decision.mode
            _measure(incident, violation)
            if incident.shared is not None:
                incident.shared.add(violation.key)
                incident.subjects = max(incident.subjects, incident.shared.count)
            if incident.round != self._rounds:  # else it is there, and to look for it costs more than all of this
                incident.round = self._rounds
                self._changed[incident.id] = incident
            count = incident.violations
            if count <= FIRST_SAMPLES or (count & (count - 1) == 0 and count <= LAST_SAMPLE):
                self._sample(o, decision, incident, now_s)

    def sweep(self, now_s: float, standing: Standing, most: int = 256) -> None:
        """Ends what is over, for at most `most` incidents, in turn.

        An incident ends with its prevention.  Where none is known of (several subjects share it, or the service was restarted)
        it ends when no violation came for as long as a prevention lasts.
        """
        for _ in range(min(most, len(self._turn))):
            incident = self._turn.popleft()
            if incident.ended_s:
                continue
            stands = standing(incident.key, incident.detector, now_s)
            if stands is not None and stands[0]:
                self._end(incident, *stands)
            elif stands is None and incident.until_s <= now_s:
                self._end(incident, EXPIRED, incident.until_s)
            else:
                self._turn.append(incident)

    def adopt(self, known: Incident) -> None:
        """An incident that was open when the service stopped goes on, or ends at the next `sweep` if its time is over."""
        fresh = self.open.get(known.name)
        if fresh is None:
            self.open[known.name] = known
            self._of_network[self._place(known)] = self._of_network.get(self._place(known), 0) + 1
            if known.subject in (NETWORK, SITE) and known.key in (known.network_key, EVERYBODY):
                known.shared = Distinct()
            self._turn.append(known)
            self._changed[known.id] = known
        elif fresh.id != known.id:
            self._changed.pop(fresh.id, None)
            fresh.id, fresh.started_s = known.id, known.started_s
            fresh.violations += known.violations
            fresh.rejected += known.rejected
            fresh.challenged += known.challenged
            fresh.samples += known.samples
            fresh.subjects = max(fresh.subjects, known.subjects)
            self._changed[fresh.id] = fresh

    def refresh(self) -> None:
        """Has every open incident handed on again: whoever stored them was lost."""
        for incident in self.open.values():
            self._changed[incident.id] = incident

    # ---- what is handed on

    def take(self, most: int, now_s: float) -> list[Incident | Sample]:
        """At most `most` incidents that changed and samples."""
        taken: list[Incident | Sample] = []
        if not self._round and self._changed and now_s - self._round_s >= ROUND_S:
            self._round, self._changed, self._round_s = deque(self._changed.values()), {}, now_s
            self._rounds += 1
        while self._round and len(taken) < most:
            incident = self._round.popleft()
            if incident.ended_s:
                self._ended.discard(incident.id)
                self._changed.pop(incident.id, None)
            taken.append(incident)
        if not self._round:
            while self._samples and len(taken) < most:
                taken.append(self._samples.popleft())
        return taken

    def news(self) -> Incident | None:
        """The next incident that opened or ended and was not told yet."""
        return self._news.popleft() if self._news else None

    def is_waiting(self, now_s: float) -> bool:
        """Whether `take` would hand on something now."""
        return bool(self._round or self._samples) or (bool(self._changed) and now_s - self._round_s >= ROUND_S)

    # ---- inside

    def _incident_for(self, o: Observation, decision: Decision, violation: Violation, number: int, now_s: float) -> Incident:
        """The incident of a subject that has none of its own: a new one, or the one that it shares."""
        subject, key = violation.subject, violation.key
        network_key = self._hash_key(b"network" + o.network)
        if self._of_network.get((violation.attack_type, network_key, decision.policy), 0) >= OWN_PER_NETWORK:
            subject, key = NETWORK, network_key
        found = self.open.get((violation.attack_type, key, decision.policy))
        if found is None and len(self.open) >= self._max_open:
            subject, key = SITE, EVERYBODY
            found = self.open.get((violation.attack_type, key, decision.policy))
        if found is not None:
            return found
        incident = Incident(
            id=f"{decision.id}-{number}" if number else decision.id,
            attack_type=violation.attack_type,
            policy=decision.policy,
            detector=violation.detector,
            subject=subject,
            key=key,
            network_key=network_key,
            client=o.client,
            action=violation.action,
            mode=decision.mode,
            started_s=now_s,
            last_s=now_s,
            until_s=now_s + max(LEAST_S, violation.prevention_s),
            others={},
            details=[],
            shared=None if key == violation.key else Distinct(),
        )
        self.open[incident.name] = incident
        place = self._place(incident)
        self._of_network[place] = self._of_network.get(place, 0) + 1
        self._turn.append(incident)
        self._tally(decision.policy).attacks += 1
        self._of_type(violation.attack_type).attacks += 1
        self._news.append(incident)
        return incident

    def _end(self, incident: Incident, why: str, ended_s: float) -> None:
        del self.open[incident.name]
        place = self._place(incident)
        left = self._of_network.get(place, 0) - 1
        if left > 0:
            self._of_network[place] = left
        else:
            self._of_network.pop(place, None)
        incident.ended_s, incident.why = max(ended_s, incident.started_s), why
        incident.shared = None
        self._news.append(incident)
        if len(self._ended) >= MAX_ENDED:
            self._changed.pop(incident.id, None)
            self.lost += 1
            return
        self._ended.add(incident.id)
        self._changed[incident.id] = incident

    @staticmethod
    def _place(incident: Incident) -> _Name:
        return (incident.attack_type, incident.network_key, incident.policy)

    def _sample(self, o: Observation, decision: Decision, incident: Incident, now_s: float) -> None:
        if incident.samples >= MAX_SAMPLES:
            return
        if len(self._samples) >= MAX_SAMPLES_WAITING:
            self.lost += 1
            return
        incident.samples += 1
        self._samples.append(
            Sample(
                incident,
                incident.violations,
                now_s,
                decision.id,
                decision.verdict,
                decision.score,
                ",".join(decision.reasons)[:MAX_REASONS],
                decision.route[:MAX_PATH],
                o.client,
                o.method,
                o.host[:MAX_HOST],
                o.path[:MAX_PATH],
                o.user_agent[:MAX_USER_AGENT],
            )
        )

    def _tally(self, policy: str) -> Tally:
        found = self.by_policy.get(policy)
        if found is None:
            # Names of policies are the operator's; only years of reloads could fill this.
            name = policy if len(self.by_policy) < _MAX_POLICIES else "other"
            found = self.by_policy.setdefault(name, Tally())
        return found

    def _of_type(self, attack_type: str) -> Tally:
        found = self.by_type.get(attack_type)
        return found if found is not None else self.by_type.setdefault(attack_type, Tally())


def _measure(incident: Incident, violation: Violation) -> None:
    """Takes the measured numbers: the highest and the last of each."""
    for measure in violation.measures:
        value = measure.value
        if measure.name == incident.measured:
            if incident.highest < value:
                incident.highest = value
            incident.latest, incident.limit = value, measure.limit
        elif incident.measured or incident.others:
            _measure_other(incident.others, measure)
        else:
            incident.measured = measure.name
            incident.highest = incident.latest = value
            incident.limit = measure.limit
    detail = violation.detail
    if detail and len(incident.details) < _MAX_DETAILS and detail not in incident.details:
        incident.details.append(detail)


def _measure_other(others: dict[str, list[float | None]], measure: Measure) -> None:
    known = others.get(measure.name)
    if known is not None:
        highest = known[0]
        if highest is None or highest < measure.value:
            known[0] = measure.value
        known[1], known[2] = measure.value, measure.limit
    elif len(others) < _MAX_MEASURES - 1:
        others[measure.name] = [measure.value, measure.value, measure.limit]
