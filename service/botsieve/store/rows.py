"""Incidents and samples as rows: addresses as `privacy.addresses` says, client text as text, times as the machine's clock says.

Law of the file: everything that leaves the process for the database went through here.
"""

from __future__ import annotations

from botsieve.attacks.incidents import Incident, Sample
from botsieve.journal.redact import Redactor, route_text
from botsieve.journal.render import client_text
from botsieve.store.messages import IncidentRow, SampleRow

# Moved between the service's own time and the machine's clock; the end too, where there is one.
_TIMES = ("started_s", "last_s", "until_s")


def row_of(taken: Incident | Sample, redactor: Redactor, ahead_s: float) -> IncidentRow | SampleRow:
    """The row of what the book handed on.  `ahead_s`: what the machine's clock is ahead of the service's own time."""
    return _incident(taken, redactor, ahead_s) if isinstance(taken, Incident) else _sample(taken, redactor, ahead_s)


def incident_of(row: IncidentRow, ahead_s: float) -> Incident:
    """An open incident that was read back.  Its address was never kept whole: it has none."""
    fields: dict[str, object] = {name: getattr(row, name) for name in row.__struct_fields__ if name != "network"}
    fields |= {name: getattr(row, name) - ahead_s for name in _TIMES}
    fields["others"] = fields.pop("measures")
    return Incident(**{**fields, "client": b""})  # type: ignore[arg-type]


def cause_of(incident: Incident) -> str:
    """The numbers beside their limits, for one line."""
    parts = []
    for name, (_, last, limit) in incident.measures.items():
        parts.append(f"{name} {last:g}" if limit is None else f"{name} {last:g} (limit {limit:g})")
    return ", ".join(parts)


def _incident(incident: Incident, redactor: Redactor, ahead_s: float) -> IncidentRow:
    client, network = redactor.both(incident.client) if incident.client else ("", "")
    # By position: with so many names Python makes a dict of them first.
    return IncidentRow(
        incident.id,
        incident.attack_type,
        incident.policy,
        incident.detector,
        incident.subject,
        incident.key,
        incident.network_key,
        client,
        network,
        incident.action,
        incident.mode,
        incident.started_s + ahead_s,
        incident.last_s + ahead_s,
        incident.until_s + ahead_s,
        incident.ended_s + ahead_s if incident.ended_s else 0.0,
        incident.why,
        incident.violations,
        incident.rejected,
        incident.challenged,
        incident.subjects,
        incident.samples,
        incident.measures,
        incident.details,
    )


def _sample(sample: Sample, redactor: Redactor, ahead_s: float) -> SampleRow:
    # By position: with so many names Python makes a dict of them first.
    return SampleRow(
        sample.incident.id,
        sample.number,
        sample.time_s + ahead_s,
        sample.decision,
        sample.verdict,
        sample.score,
        sample.reasons,
        redactor.address(sample.client),
        client_text(sample.method),
        client_text(sample.host),
        client_text(sample.path),
        route_text(sample.route),
        client_text(sample.user_agent),
    )
