"""From the models to the plan: presets and defaults are filled in, changes of a policy laid over those of everybody.

Law of the file: pure; the models are valid, so nothing here is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from botsieve.config.detector_models import Detectors
from botsieve.config.models import Configuration
from botsieve.config.plan import EdgePlan, Plan, PolicyPlan, RulePlan
from botsieve.config.policy_models import PolicyModel, RuleModel
from botsieve.config.section import Section
from botsieve.config.service_models import ForwardEdge, GrpcEdge, NginxEdge
from botsieve.config.threshold_models import ACTIONS, OF_PRESET
from botsieve.detectors.settings import DEFAULTS, FAMILY_MAX, THRESHOLDS
from botsieve.ranges import RangeSet

PACKAGED = "default"

Settings = dict[str, dict[str, Any]]


def plan_of(configuration: Configuration) -> Plan:
    """The effective configuration."""
    everybody = _detectors(configuration.detectors)
    return Plan(
        policies=tuple(_policy(policy, configuration, everybody) for policy in with_last(configuration.policies)),
        detectors=everybody,
        bot_at=configuration.bot_at,
        allow_networks=RangeSet.parse(text for text in configuration.allow.networks if not text.startswith("/")).pack(),
        allow_headers=dict(configuration.allow.headers),
        edges=_edges(configuration),
        service=_service(configuration),
    )


def matches_all(policy: PolicyModel) -> bool:
    """Whether every request matches it."""
    return not policy.hosts and not policy.paths


def with_last(policies: tuple[PolicyModel, ...]) -> tuple[PolicyModel, ...]:
    """The policies, and the packaged one for what none of them matches."""
    if any(matches_all(policy) for policy in policies):
        return policies
    taken = {policy.name for policy in policies}
    name = (
        PACKAGED if PACKAGED not in taken else next(f"{PACKAGED}-{n}" for n in range(2, 1000) if f"{PACKAGED}-{n}" not in taken)
    )
    return (*policies, PolicyModel(name=name))


def score_limits(policy: PolicyModel, configuration: Configuration) -> tuple[int, int]:
    """`challenge_at` and `block_at` of a policy: its own, else its preset's, else the packaged preset's."""
    return filled(policy, configuration, "challenge_at"), filled(policy, configuration, "block_at")


def filled(policy: PolicyModel, configuration: Configuration, key: str) -> Any:
    """A value of a policy: its own, else its preset's, else the packaged preset's."""
    own = getattr(configuration.presets, policy.preset)
    packaged = type(configuration.presets).model_fields[policy.preset].default
    candidates = (getattr(policy, key, None), getattr(own, key), getattr(packaged, key))
    return next(value for value in candidates if value is not None)


def _policy(policy: PolicyModel, configuration: Configuration, everybody: Settings) -> PolicyPlan:
    challenge_at, block_at = score_limits(policy, configuration)
    return PolicyPlan(
        name=policy.name,
        hosts=policy.hosts,
        paths=policy.paths,
        mode=policy.mode,
        audience=policy.audience,
        challenge_at=challenge_at,
        block_at=block_at,
        challenge_first=policy.challenge_first,
        challenge=policy.challenge,
        never_challenge=policy.never_challenge,
        entry_pages=policy.entry_pages,
        detectors=_changed(policy.detectors, everybody),
        thresholds=thresholds_of(configuration, policy),
        family_max=dict(FAMILY_MAX) | _given(configuration.detectors.family_max) | _given(policy.detectors.family_max),
        rules=tuple(_rule(rule) for rule in policy.rules),
    )


def _detectors(detectors: Detectors) -> Settings:
    """All settings of all findings."""
    merged: Settings = {}
    for field, signal in _findings():
        merged[signal] = _laid_over(msgspec.to_builtins(DEFAULTS[signal]), getattr(detectors, field), signal)
    return merged


def thresholds_of(configuration: Configuration, policy: PolicyModel | None = None) -> Settings:
    """All settings of all thresholds: those of everybody (`action` may be `preset`), or of a policy, filled from its preset."""
    merged: Settings = {}
    for field, name in _aliases(THRESHOLDS):
        packaged = msgspec.to_builtins(THRESHOLDS[name]) | {"action": ACTIONS[name]}
        own = _nested(packaged, _given(getattr(configuration.detectors, field)))
        own = _nested(own, _given(getattr(policy.detectors, field))) if policy is not None else own
        if policy is not None and own["action"] == OF_PRESET:
            own["action"] = filled(policy, configuration, "action")
        merged[name] = msgspec.to_builtins(msgspec.convert(own, type(THRESHOLDS[name])))
    return merged


def _nested(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`base` with what is given; a section inside is laid over, not replaced."""
    inside = {key: base[key] | value for key, value in given.items() if isinstance(value, dict)}
    return base | given | inside


def _changed(detectors: Detectors, everybody: Settings) -> Settings:
    """All settings of the findings that a policy changes."""
    changed: Settings = {}
    for field, signal in _findings():
        merged = _laid_over(everybody[signal], getattr(detectors, field), signal)
        if merged != everybody[signal]:
            changed[signal] = merged
    return changed


def _laid_over(base: dict[str, Any], section: Section, signal: str) -> dict[str, Any]:
    """`base` with what was written, each value in the type of the detector's own settings: 300 and 300.0 are one."""
    made: dict[str, Any] = msgspec.to_builtins(msgspec.convert(base | _given(section), type(DEFAULTS[signal])))
    return made


def _findings() -> list[tuple[str, str]]:
    """Field and id of each finding."""
    return _aliases(DEFAULTS)


def _aliases(among: Iterable[str]) -> list[tuple[str, str]]:
    return [(field, info.alias) for field, info in Detectors.model_fields.items() if info.alias in set(among)]


def _given(section: Section) -> dict[str, Any]:
    """Only what was written in the file."""
    given: dict[str, Any] = section.model_dump(exclude_unset=True)
    return given


def _rule(rule: RuleModel) -> RulePlan:
    when = rule.when
    then, points = rule.then
    return RulePlan(
        name=rule.name,
        then=then,
        points=points,
        networks=None if when.network is None else RangeSet.parse(when.network).pack(),
        paths=when.path,
        methods=when.method,
        headers=dict(when.header or {}),
        signal=when.signal or "",
        score_from=when.score_from,
        asns=when.asn,
        countries=when.country,
    )


def _edges(configuration: Configuration) -> tuple[EdgePlan, ...]:
    edges = configuration.edges
    return (_edge("nginx", edges.nginx), _edge("forward", edges.forward), _edge("grpc", edges.grpc))


def _edge(name: str, edge: NginxEdge | ForwardEdge | GrpcEdge) -> EdgePlan:
    prints = edge.fingerprint_headers if isinstance(edge, ForwardEdge) else None
    return EdgePlan(
        name=name,
        listen=edge.listen,
        socket_group=edge.socket_group if isinstance(edge, NginxEdge) else None,
        trusted=RangeSet.parse(edge.trusted).pack(),
        sees=edge.sees,
        deadline_ms=edge.deadline_ms,
        on_late=edge.on_late,
        max_in_flight=edge.max_in_flight if isinstance(edge, GrpcEdge) else GrpcEdge().max_in_flight,
        reflection=edge.reflection if isinstance(edge, GrpcEdge) else False,
        ja3_header=prints.ja3 if prints else None,
        ja4_header=prints.ja4 if prints else None,
    )


def _service(configuration: Configuration) -> dict[str, Any]:
    journal = configuration.journal.decisions.model_dump()
    kept = {
        "incident_days": configuration.journal.incidents.keep_days,
        "incident_mib": configuration.journal.incidents.max_mib,
        "statistics_days": configuration.journal.statistics.keep_days,
    }
    return {
        "challenge": configuration.challenge.model_dump(),
        "sessions": configuration.sessions.model_dump(),
        "device": configuration.device.model_dump(),
        "state": configuration.state.model_dump(),
        "journal": journal | kept | {"addresses": configuration.privacy.addresses},
        "web": configuration.web.listen,
        "client_headers": configuration.client_headers,
        "lookups": {
            "reputation": [entry.model_dump() for entry in configuration.reputation],
            "allow": list(dict.fromkeys(text for text in configuration.allow.networks if text.startswith("/"))),
            "asn_mmdb": configuration.geo.asn_mmdb or "",
            "country_mmdb": configuration.geo.country_mmdb or "",
        },
        "browser": configuration.browser.model_dump(),
        "crawlers": configuration.crawlers.model_dump(),
    }
