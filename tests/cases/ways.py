"""The ways on which a case reaches the engine: directly, over HTTP as nginx asks, over gRPC as other gateways do.

Law of the file: each way gets the requests of a case in time, on a clock that the test moves, and says what it heard of the last.
"""

from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import maxminddb
import msgspec
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.config.loader import loads
from botsieve.decision import Decision
from botsieve.engine import Engine
from botsieve.lookups.geo import Database, Places
from botsieve.observation import Observation
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation
from botsieve.serve import renew_browser
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request
from botsieve.v1 import decision_pb2 as pb
from botsieve.verifications import Verifications

from tests.cases import devices
from tests.cases.form import Asked
from tests.cases.jars import Jars
from tests.cases.script import Desks, Script, Told
from tests.transports.edge_harness import START_S, Service
from tests.transports.wire import Reply, only_reply
from tests.unit.lookups.mmdb import database

EDGES = {"nginx": {"listen": "127.0.0.1:1", "deadline_ms": 1000}}
KEYS = KeyRing((bytes(32),))
SECRET = b"0123456789abcdef"
# Sections that switch parts of the pages' script on.
PAGES = frozenset(("device", "browser"))
NOTHING: Mapping[str, Any] = MappingProxyType({})


def config(audience: str, policy: Mapping[str, Any], settings: Mapping[str, Any] = NOTHING) -> str:
    """The configuration of a case: one policy, in mode `enforce` if it says nothing else, and other sections."""
    own = {"name": "shop", "mode": "enforce", "audience": audience, **policy}
    sections = {"policies": [own], "edges": EDGES, "web": {"listen": None}, **settings}
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in sections.items())


class Setup(NamedTuple):
    """What a case is set up with.  `has_script`: the script in its pages does something, or is configured."""

    audience: str
    policy: Mapping[str, Any]
    settings: Mapping[str, Any]
    has_script: bool

    @classmethod
    def of(cls, asked: list[Asked], audience: str, policy: Mapping[str, Any], settings: Mapping[str, Any]) -> Setup:
        return cls(audience, policy, settings, bool(PAGES & settings.keys()) or any(one.does for one in asked))


class Core:
    """An engine that knows nobody and gives out sessions; with the desks that hear the script of the case, if it does something."""

    def __init__(self, case: Setup, jars: Jars) -> None:
        loaded = loads(config(case.audience, case.policy, case.settings).encode())
        self.engine = Engine(loaded.rulebook, SECRET, sessions=Sessions(KEYS), on_detector_error=_fail)
        self._given: dict[str, Decision] = {}
        self._script: Script | None = None
        if case.has_script:
            desks = Desks(self.engine, loaded, KEYS, self._given)
            self._script = Script(jars, lambda asked, body, now_s: desks.call(asked, body, now_s, START_S))

    def before(self, one: Asked, now_s: float) -> tuple[int, ...]:
        """What happens just before a request; the statuses that the script was answered."""
        reported(self.engine, one, now_s)
        return self._script.run(one, now_s) if self._script is not None else ()

    def decided(self, decision: Decision) -> None:
        """The page of a decision was shown."""
        if self._script is not None:
            self._given[decision.id] = decision
            self._script.decision_id = decision.id


def reported(engine: Engine, one: Asked, now_s: float) -> None:
    """The collector of the pages tells its report, DNS its answers, a list its addresses, if the case says so, just before the request."""
    if one.listed:
        category, _, action = one.listed.partition(" ")
        lists = Reputation(RangeSet.parse([one.client]), b"\0", [Listing(category, action)])
        engine.rulebook = msgspec.structs.replace(engine.rulebook, reputation=lists)
    if one.where:
        engine.rulebook = engine.rulebook.located(places_of(one.client, one.where))
    if one.dns:
        _answered(engine.verifications, "" if one.dns == "unanswered" else one.dns, now_s)
    if one.report in devices.REPORTS:
        devices.told(engine, one.observation(START_S, "shop.example"), one.browser, one.report, now_s)
    elif one.report == "injected":
        engine.attacks.collector_injected = True
    elif one.report == "opened":
        engine.page_answered(one.observation(START_S, "shop.example"), now_s)
    elif one.report:
        engine.human_report(one.observation(START_S, "shop.example"), now_s, regular=one.report == "regular")


def places_of(client: str, where: str) -> Places:
    """Databases that know one address.  `where`: `DE 64500`, in any order, or one of them."""
    places = Places()
    for word in where.split():
        kind, record = ("asn", {"asn": int(word)}) if word.isdecimal() else ("country", {"country": {"iso_code": word}})
        raw = io.BytesIO(database({client: record}))
        setattr(places, kind, Database(maxminddb.open_database(raw, maxminddb.MODE_FD), kind))
    return places


def _answered(book: Verifications, found: str, now_s: float) -> None:
    """There is DNS; every open question gets this answer, unless it is only `asked`."""
    book.on_question = lambda: None
    while found != "asked" and (question := book.next_question()) is not None:
        book.answer(question, found, now_s)


class Heard(NamedTuple):
    """What was said of the last request.  "" and None: this way does not say it."""

    verdict: str
    score: int
    reasons: list[str]
    level: str | None = None
    rule: str | None = None
    attacks: list[str] | None = None
    measures: dict[str, list[float]] | None = None
    answers: tuple[int, ...] = ()


def by_engine(
    asked: Iterable[Asked], audience: str, policy: Mapping[str, Any] = NOTHING, settings: Mapping[str, Any] = NOTHING
) -> Heard:
    """The core alone."""
    asked, jars = list(asked), Jars()
    core = Core(Setup.of(asked, audience, policy, settings), jars)
    for number, bare in enumerate(asked):
        now_s = START_S + bare.at_s
        answers = core.before(jars.dressed(bare), now_s)
        one = jars.dressed(bare)
        decision = core.engine.decide(one.observation(START_S, "shop.example"), now_s, f"0000-0000-0000-{number:04d}")
        core.decided(decision)
        jars.keep(one, decision.set_cookie)
    return _of(decision)._replace(answers=answers)


def by_http(
    asked: Iterable[Asked],
    audience: str,
    folder: Path,
    policy: Mapping[str, Any] = NOTHING,
    settings: Mapping[str, Any] = NOTHING,
) -> Heard:
    """The whole service behind the nginx edge: header bytes in, header bytes out."""
    random.seed(1)  # what is refused at random
    whole, jars = Service(folder, config(audience, policy, settings)), Jars()
    edge = NginxEdge(whole.service, whole.settings("nginx"), "/.botsieve/")

    def call(one: Asked, body: bytes, now_s: float) -> Told:
        headers = check_of(one, "shop.example", START_S).headers
        told = only_reply(edge.handle(Request(one.method, one.uri.encode(), headers, body, b"")))
        return Told(told.status, "".join(told.all("Set-Cookie")), told.body)

    asked, script = list(asked), Script(jars, call)
    if Setup.of(asked, audience, policy, settings).has_script:
        renew_browser(whole.engine, whole.desk, whole.loaded)
    for bare in asked:
        whole.now = START_S + bare.at_s
        reported(whole.engine, jars.dressed(bare), whole.now)
        answers = script.run(bare, whole.now)
        one = jars.dressed(bare)
        reply = only_reply(edge.handle(check_of(one, "shop.example", START_S)))
        script.decision_id = reply.one("X-Botsieve-Id")
        jars.keep(one, "".join(reply.all("Set-Cookie")))
    assert whole.unjudged() == {}
    record = whole.journal.find(reply.one("X-Botsieve-Id"))
    assert record is not None
    whole.journal.close()
    signals = record["signals"]
    attacks = [signal["attack_type"] for signal in signals if "attack_type" in signal]
    measures = {
        name: [float(number) for number in pair]
        for signal in signals
        if "attack_type" in signal
        for name, pair in signal.get("measures", {}).items()
    }
    return heard_by_http(reply)._replace(attacks=attacks, measures=measures, answers=answers)


def check_of(one: Asked, host: str, start_s: float | None) -> Request:
    """What nginx asks about one request; `start_s` None: it tells no time."""
    told = {
        "client-addr": one.client,
        "peer-addr": one.peer or one.client,
        "method": one.method,
        "uri": one.uri,
        "host": host,
        "scheme": one.scheme,
        "http": one.http,
        "request-id": one.request_id,
        "tls-sig": one.tls_sig,
        "edge": "1 order tls cookie",
        "time": "" if start_s is None else f"{start_s + one.at_s:.3f}",
    }
    lines = {name.lower(): value for name, value in one.headers.items()}
    lines |= {f"x-botsieve-{name}": value for name, value in told.items() if value}
    lines |= {name: value for name, value in (("x-ja3-fingerprint", one.ja3), ("x-ja4-fingerprint", one.ja4)) if value}
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in lines.items()}
    return Request("GET", b"/v1/check/nginx", headers, b"", b"")


def heard_by_http(reply: Reply) -> Heard:
    """The verdict in the headers of an answer; its status agrees."""
    assert reply.status == (200 if reply.verdict == "allow" else 403)
    reasons = reply.one("X-Botsieve-Reasons")
    return Heard(reply.verdict, int(reply.one("X-Botsieve-Score")), reasons.split(",") if reasons else [])


class Swapped:
    """The judge of a gRPC edge that lives for all cases: `core` and `now` are the case's."""

    def __init__(self) -> None:
        self.core: Core
        self.now = START_S
        self._ids = itertools.count()

    def judge(self, o: Observation) -> Decision:
        decision = self.core.engine.decide(o, self.now, f"0000-0000-0000-{next(self._ids) % 10_000:04d}")
        self.core.decided(decision)
        return decision

    def judge_in_time(self, o: Observation, until_s: float) -> Decision:
        return self.judge(o)  # no case is about time that judging takes

    def answer(self, o: Observation, decision: Decision) -> None:
        raise AssertionError("no case asks for the page")


def by_grpc(
    asked: Iterable[Asked],
    audience: str,
    judge: Swapped,
    ask: Callable[[pb.Observation], pb.Decision],
    policy: Mapping[str, Any] = NOTHING,
    settings: Mapping[str, Any] = NOTHING,
) -> Heard:
    """The real gRPC server: `ask` makes one call."""
    asked, jars = list(asked), Jars()
    judge.core = Core(Setup.of(asked, audience, policy, settings), jars)
    for bare in asked:
        judge.now = START_S + bare.at_s
        answers = judge.core.before(jars.dressed(bare), judge.now)
        one = jars.dressed(bare)
        decision = ask(message_of(one))
        jars.keep(one, decision.set_cookie)
    verdict = pb.Verdict.Name(decision.verdict).removeprefix("VERDICT_").lower()
    reasons = [signal.id.partition(".")[2] + (f":{signal.detail}" if signal.detail else "") for signal in decision.signals]
    attacks = [signal.attack_type for signal in decision.signals if signal.attack_type]
    measures = {
        measure.name: [measure.value, *([measure.limit] if measure.HasField("limit") else [])]
        for signal in decision.signals
        if signal.attack_type
        for measure in signal.measures
    }
    return Heard(verdict, decision.score, reasons, None, decision.rule, attacks, measures, answers)


def message_of(one: Asked) -> pb.Observation:
    """What a gateway that sees everything tells of one request."""
    o = one.observation(START_S, "shop.example")
    versions = {b"HTTP/1.0": pb.HTTP_VERSION_1_0, b"HTTP/1.1": pb.HTTP_VERSION_1_1, b"HTTP/2.0": pb.HTTP_VERSION_2}
    return pb.Observation(
        client_address=o.client,
        peer_address=o.peer,
        method=o.method,
        uri=o.uri,
        host=o.host,
        scheme=o.scheme,
        http_version=versions.get(o.http, pb.HTTP_VERSION_UNSPECIFIED),
        request_id=o.request_id,
        edge_time_s=o.edge_time_s,
        headers=[pb.Header(name=name, value=value) for name, value in o.headers.items()],
        sight=[pb.SIGHT_TLS, pb.SIGHT_HEADER_ORDER, pb.SIGHT_ACCEPT_ENCODING, pb.SIGHT_HTTP_VERSION],
        tls=pb.TlsFingerprint(ja3_md5=o.ja3, ja4=o.ja4, tls_sig=o.tls_sig),
    )


def _of(decision: Decision) -> Heard:
    measures = {
        measure.name: [float(measure.value), *([] if measure.limit is None else [float(measure.limit)])]
        for violation in decision.violations
        for measure in violation.measures
    }
    attacks = [violation.attack_type for violation in decision.violations]
    return Heard(decision.verdict, decision.score, decision.reasons, decision.level, decision.rule, attacks, measures)


def _fail(signal: str, error: Exception) -> None:
    raise AssertionError(f"{signal}: {error!r}")
