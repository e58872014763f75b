"""The ways on which a case reaches the engine: directly, over HTTP as nginx asks, over gRPC as other gateways do.

Law of the file: each way gets the requests of a case in time, on a clock that the test moves, and says what it heard of the last.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from botsieve.decision import Decision
from botsieve.engine import Engine
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_wire import Request
from botsieve.v1 import decision_pb2 as pb

from tests.cases.form import Asked
from tests.transports.edge_harness import START_S, Service
from tests.transports.wire import Reply, only_reply

POLICY = """
policies: [{{name: shop, mode: enforce, audience: {audience}}}]
edges: {{nginx: {{listen: '127.0.0.1:1', deadline_ms: 1000}}}}
web: {{listen: null}}
"""


class Heard(NamedTuple):
    """What was said of the last request.  "" and None: this way does not say it."""

    verdict: str
    score: int
    reasons: list[str]
    level: str | None = None
    rule: str | None = None


def by_engine(asked: Iterable[Asked], audience: str) -> Heard:
    """The core alone."""
    engine = Engine(
        Rulebook(policies=(Policy(mode="enforce", audience=audience),)), b"0123456789abcdef", on_detector_error=_fail
    )
    for number, one in enumerate(asked):
        decision = engine.decide(one.observation(START_S, "shop.example"), START_S + one.at_s, f"0000-0000-0000-{number:04d}")
    return _of(decision)


def by_http(asked: Iterable[Asked], audience: str, folder: Path) -> Heard:
    """The whole service behind the nginx edge: header bytes in, header bytes out."""
    whole = Service(folder, POLICY.format(audience=audience))
    edge = NginxEdge(whole.service, whole.settings("nginx"), "/.botsieve/")
    for one in asked:
        whole.now = START_S + one.at_s
        reply = only_reply(edge.handle(check_of(one, "shop.example", START_S)))
    assert whole.unjudged() == {}
    whole.journal.close()
    return heard_by_http(reply)


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
        "edge": "1 order tls",
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
    """The judge of a gRPC edge that lives for all cases: `engine` and `now_s` are the case's."""

    def __init__(self) -> None:
        self.engine: Engine
        self.now = START_S
        self._ids = itertools.count()

    def begin(self, audience: str) -> None:
        """A new case: an engine that knows nobody."""
        book = Rulebook(policies=(Policy(mode="enforce", audience=audience),))
        self.engine = Engine(book, b"0123456789abcdef", on_detector_error=_fail)

    def judge(self, o: Observation) -> Decision:
        return self.engine.decide(o, self.now, f"0000-0000-0000-{next(self._ids):04d}")

    def judge_in_time(self, o: Observation, until_s: float) -> Decision:
        return self.judge(o)  # no case is about time that judging takes

    def answer(self, o: Observation, decision: Decision) -> None:
        raise AssertionError("no case asks for the page")


def by_grpc(asked: Iterable[Asked], audience: str, judge: Swapped, ask: Callable[[pb.Observation], pb.Decision]) -> Heard:
    """The real gRPC server: `ask` makes one call."""
    judge.begin(audience)
    for one in asked:
        judge.now = START_S + one.at_s
        decision = ask(message_of(one))
    verdict = pb.Verdict.Name(decision.verdict).removeprefix("VERDICT_").lower()
    reasons = [signal.id.partition(".")[2] + (f":{signal.detail}" if signal.detail else "") for signal in decision.signals]
    return Heard(verdict, decision.score, reasons, None, decision.rule)


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
    return Heard(decision.verdict, decision.score, decision.reasons, decision.level, decision.rule)


def _fail(signal: str, error: Exception) -> None:
    raise AssertionError(f"{signal}: {error!r}")
