"""From the plan to what the service uses: one rulebook and one set of service settings.

Law of the file: the work is done in small steps, so that a service that reloads can answer requests between them; no step takes
longer than a few ms.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from botsieve.challenge.settings import ChallengeSettings, LevelSettings, NoJsSettings
from botsieve.config.crawler_models import host_and_port
from botsieve.config.patterns import compile_pattern
from botsieve.config.plan import Answer, EdgePlan, Plan, PolicyPlan, RulePlan
from botsieve.config.settings import (
    Address,
    BrowserSettings,
    DeviceSettings,
    DnsSettings,
    EdgeSettings,
    JournalSettings,
    Loaded,
    ServiceSettings,
    SessionSettings,
    StateSettings,
)
from botsieve.crawlers import Crawlers, OwnCrawler
from botsieve.detectors.settings import DEFAULTS, THRESHOLDS, Settings, Threshold
from botsieve.lookups.settings import LookupSettings
from botsieve.observation import SIGHT_WORDS
from botsieve.policy import Allowlist, Origin, PathSet, Pattern, Policy, Rule, Rulebook
from botsieve.ranges import RangeSet

Steps = Generator[None, None, Loaded]


def build(answer: Answer, source: str) -> Loaded:
    """Everything at once, for a start.  `answer` holds a plan."""
    steps = build_steps(answer, source)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            loaded: Loaded = done.value
            return loaded


def build_steps(answer: Answer, source: str) -> Steps:
    """The same, one step at each `next`; the value of the generator is the result."""
    plan = answer.plan
    assert plan is not None
    everybody = _settings_of(plan.detectors, DEFAULTS)
    yield
    policies: list[Policy] = []
    for policy in plan.policies:
        policies.append((yield from _policy(policy, everybody)))
    networks = RangeSet.unpack(plan.allow_networks)
    yield
    headers = tuple(
        (name.encode(), tuple(secret.encode() for secret in secrets)) for name, secrets in plan.allow_headers.items()
    )
    rulebook = Rulebook(
        policies=tuple(policies),
        bot_at=plan.bot_at,
        allow=Allowlist(networks=networks, headers=headers),
        crawlers=_crawlers(plan.service["crawlers"]["own"]),
        config=answer.config,
    )
    yield
    return Loaded(
        rulebook=rulebook,
        service=_service(plan),
        config=answer.config,
        source=source,
        files=tuple(answer.files),
        warnings=tuple(answer.warnings),
        text=answer.text,
    )


def _policy(plan: PolicyPlan, everybody: Mapping[str, Settings]) -> Generator[None, None, Policy]:
    rules: list[Rule] = []
    for rule in plan.rules:
        rules.append((yield from _rule(rule)))
    yield
    return Policy(
        name=plan.name,
        hosts=plan.hosts,
        paths=PathSet(plan.paths),
        mode=plan.mode,
        audience=plan.audience,
        challenge_at=plan.challenge_at,
        block_at=plan.block_at,
        challenge_first=plan.challenge_first,
        challenge=plan.challenge,
        never_challenge=PathSet(plan.never_challenge),
        entry_pages=PathSet(plan.entry_pages),
        detectors=_settings_of(plan.detectors, everybody),
        thresholds=_thresholds(plan.thresholds),
        family_max=MappingProxyType(plan.family_max),
        rules=tuple(rules),
    )


def _settings_of(given: dict[str, dict[str, Any]], base: Mapping[str, Settings]) -> Mapping[str, Settings]:
    """`base` with the findings that are given; `base` itself where nothing differs, so that policies share it."""
    made = {signal: msgspec.convert(values, type(base[signal])) for signal, values in given.items()}
    if all(base[signal] == settings for signal, settings in made.items()):
        return base
    return MappingProxyType(dict(base) | made)


def _thresholds(given: dict[str, dict[str, Any]]) -> Mapping[str, Threshold]:
    return MappingProxyType({name: msgspec.convert(values, type(THRESHOLDS[name])) for name, values in given.items()})


def _rule(plan: RulePlan) -> Generator[None, None, Rule]:
    patterns: list[tuple[bytes, Pattern]] = []
    for name, pattern in plan.headers.items():
        patterns.append((name.encode(), compile_pattern(pattern)))
        yield
    return Rule(
        name=plan.name,
        then=plan.then,
        points=plan.points,
        networks=None if plan.networks is None else RangeSet.unpack(plan.networks),
        paths=None if plan.paths is None else PathSet(plan.paths),
        methods=None if plan.methods is None else frozenset(method.encode() for method in plan.methods),
        headers=tuple(patterns),
        signal=plan.signal,
        score_from=plan.score_from,
        origin=_origin(plan),
    )


def _origin(plan: RulePlan) -> Origin | None:
    if plan.asns is None and plan.countries is None:
        return None
    return Origin(
        asns=None if plan.asns is None else frozenset(plan.asns),
        countries=None if plan.countries is None else frozenset(plan.countries),
    )


def _service(plan: Plan) -> ServiceSettings:
    given = plan.service
    return ServiceSettings(
        edges=tuple(_edge(edge) for edge in plan.edges),
        challenge=_challenge(given["challenge"], given["client_headers"]),
        keys_file=given["challenge"]["keys_file"],
        sessions=SessionSettings(**given["sessions"]),
        device=DeviceSettings(**given["device"]),
        state=StateSettings(**given["state"]),
        journal=JournalSettings(**given["journal"]),
        web=address(given["web"]),
        client_headers=given["client_headers"],
        lookups=msgspec.convert(given["lookups"], LookupSettings),
        browser=BrowserSettings(**given["browser"]),
        crawler_dns=_dns(given["crawlers"]["dns"]),
    )


def _crawlers(given: list[dict[str, Any]]) -> Crawlers | None:
    """The list with the operator's entries; None without any.  A name becomes what logs and headers can show."""
    return (
        Crawlers.builtin().with_own(
            tuple(
                OwnCrawler(entry["name"].replace(" ", "-"), entry["agent"].lower(), tuple(entry["domain"])) for entry in given
            )
        )
        if given
        else None
    )


def _dns(given: dict[str, Any]) -> DnsSettings:
    return DnsSettings(**given | {"servers": tuple(host_and_port(server) for server in given["servers"])})


def _edge(plan: EdgePlan) -> EdgeSettings:
    sight = None
    if plan.sees is not None:
        sight = 0
        for word in plan.sees:
            sight |= SIGHT_WORDS[word]
    return EdgeSettings(
        name=plan.name,
        listen=address(plan.listen),
        socket_group=plan.socket_group,
        trusted=RangeSet.unpack(plan.trusted),
        sight=sight,
        deadline_ms=plan.deadline_ms,
        on_late=plan.on_late,
        max_in_flight=plan.max_in_flight,
        reflection=plan.reflection,
        ja3_header=(plan.ja3_header or "").encode(),
        ja4_header=(plan.ja4_header or "").encode(),
    )


def _challenge(given: dict[str, Any], shown: str) -> ChallengeSettings:
    rest = {key: value for key, value in given.items() if key not in ("levels", "no_js", "keys_file", "contact")}
    return ChallengeSettings(
        levels=MappingProxyType({name: LevelSettings(**level) for name, level in given["levels"].items()}),
        no_js=NoJsSettings(**given["no_js"]),
        contact=given["contact"] or "",
        show_id=shown != "none",
        show_all=shown == "all",
        **rest,
    )


def address(text: str | None) -> Address | None:
    """`unix:/path` or `host:port` as a value.  `text` has been checked (kinds.Listen)."""
    if text is None:
        return None
    if text.startswith("unix:"):
        return Address(path=text[5:])
    host, _, port = text.rpartition(":")
    return Address(host="127.0.0.1" if host == "localhost" else host.strip("[]"), port=int(port))
