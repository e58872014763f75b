"""The HTTP edge for nginx: the verdict, the page of the second hop, and the paths that belong to us (docs/headers.md).

Law of the file: parse, ask the service, render.  The check answers 200 or 403 with an empty body and at most 2 KB of headers,
whatever happens; an edge's mistake is answered as `on_late` says and counted, never held against the visitor.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import ClassVar

from botsieve.challenge.answer import Answer
from botsieve.config.settings import EdgeSettings
from botsieve.decision import ALLOW, Decision, reasons_text
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation
from botsieve.service import DecisionService
from botsieve.transports.asking import Asking
from botsieve.transports.edge_headers import observation_of
from botsieve.transports.http_readers import MAX_BODY, Request
from botsieve.transports.http_wire import render
from botsieve.transports.known_checks import KnownChecks

CHECK = b"/v1/check/nginx"
PAGE = b"/v1/page"

_NOT_FOUND = render(404, [("Cache-Control", "no-store")])
_UNJUDGED = {
    "allow": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Botsieve-Verdict: unjudged\r\n\r\n",
    "block": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nX-Botsieve-Verdict: unjudged\r\n\r\n",
}
# In place of a page, script or solution that could not be made: the words of nginx's own backup.
_RETRY = render(
    403,
    [("Content-Type", "text/html"), ("Cache-Control", "no-store")],
    b"<!doctype html><title>Please retry</title><p>Please try again in a moment.",
)


class NginxEdge:
    """Answers one nginx listener.  `settings` may be replaced at a reload.  `asking`: hears what nginx did not ask about."""

    __slots__ = ("_ask", "_checks", "_told_unjudged", "asking", "prefix", "service", "settings")

    check_line: ClassVar[bytes] = b"GET " + CHECK + b" HTTP/1.1\r\n"

    def __init__(self, service: DecisionService, settings: EdgeSettings, prefix: str) -> None:
        self.service = service
        self.settings = settings
        self.prefix = prefix.encode()
        self._told_unjudged = b""
        self._ask = b""  # lines of every answer to a check while there is overload
        self.asking: Asking | None = None
        self._checks = KnownChecks(self.check_line)

    # ---- what the wire asks for

    def handle(self, request: Request) -> bytes:
        """The answer to one request of the edge.  Never raises."""
        try:
            answer = self.route(request)
        except InvalidObservation as fault:
            self.service.journal.event("edge_fault", edge=self.settings.name, header=fault.field, error=str(fault))
            answer = self._instead(request, "edge_fault")
        except Exception as error:  # the outermost loop: a fault of ours opens or closes as configured, and is told
            self._tell_failure(error)
            answer = self._instead(request, "edge_fault")
        return answer if request.method != "HEAD" else answer[: answer.index(b"\r\n\r\n") + 4]

    def known(self, data: bytes, peer: bytes) -> Observation | None:
        """What is asked, if these bytes are one whole check of the kind that nearly all are; None: to be read by its lines."""
        settings = self.settings
        if peer and peer not in settings.trusted:
            return None
        return self._checks.read(data, self.service.now_s(), settings.name, settings.sight)

    def verdict(self, asked: Observation, peer: bytes) -> bytes:
        """The answer to what `known` found.  Never raises."""
        try:
            return self._judged(asked, peer, perf_counter())
        except Exception as error:  # as in `handle`
            self._tell_failure(error)
            return self._unjudged("edge_fault")

    def overloaded(self, request: Request) -> bytes:
        """The answer where there are too many connections or requests."""
        return self._instead(request, "overloaded")

    def surplus(self, head: bytes) -> bytes | None:
        """The answer to a check that is one too many, None for what is no check by GET."""
        return self._unjudged("overloaded") if head.startswith(self.check_line) else None

    def ask(self, part: int) -> None:
        """From now on nginx is told to ask about `part` per cent of what arrives; 0: it is told nothing."""
        refuses = b"X-Botsieve-On-Late: block\r\n" if self.settings.on_late == "block" else b""
        self._ask = b"X-Botsieve-Ask: %d\r\n%b" % (part, refuses) if part else b""

    def refused(self) -> bytes:
        """The answer to what is no request or too large a one: never a way round the check."""
        self.service.unjudged(self.settings.name, "edge_fault")
        return _UNJUDGED["block"]

    def _instead(self, request: Request, why: str) -> bytes:
        """The answer to a request that cannot be served: a check is answered as `on_late` says, and counted."""
        return self._unjudged(why) if self.is_check(request.target) else _RETRY

    def _unjudged(self, why: str) -> bytes:
        self.service.unjudged(self.settings.name, why)
        answer = _UNJUDGED[self.settings.on_late]
        return answer if not self._ask else _with(answer, self._ask)

    def _tell_failure(self, error: Exception) -> None:
        self.service.journal.event("service_failed", edge=self.settings.name, error=type(error).__name__, where=_where())

    # ---- what is asked

    def is_check(self, target: bytes) -> bool:
        """Whether this target asks for a verdict."""
        return target.partition(b"?")[0] == CHECK

    def route(self, request: Request) -> bytes:
        """The answer to one request.  Errors: InvalidObservation for what the edge did wrong."""
        target = request.target
        if target == CHECK or self.is_check(target):
            return self._check(request)
        if target.partition(b"?")[0] == PAGE:  # nginx's rewrite carries the visitor's query along
            return self._page(request)
        return self.own(request) if target.startswith(self.prefix) else _NOT_FOUND

    def believe(self, request: Request) -> None:
        """Errors: InvalidObservation when the request comes from no edge."""
        if request.peer and request.peer not in self.settings.trusted:
            name = self.settings.name
            raise InvalidObservation(
                "EDGE_UNKNOWN", "peer", f"the peer is not an edge; accepted: addresses in edges.{name}.trusted"
            )

    # ---- the verdict

    def _check(self, request: Request) -> bytes:
        started = perf_counter()
        if request.peer:
            self.believe(request)
        return self._judged(self._read(request), request.peer, started)

    def _read(self, request: Request) -> Observation:
        settings = self.settings
        return observation_of(request.headers, self.service.now_s(), settings.name, settings.sight)

    def _judged(self, o: Observation, peer: bytes, started: float) -> bytes:
        told = o.headers.get(b"x-botsieve-unjudged")
        if told is not None and told != self._told_unjudged:
            self._hear(told, peer)
        decision = self.service.judge_in_time(o, started + self.settings.deadline_ms * 1e-3)
        if decision is None:
            return self._unjudged("deadline")
        answer = verdict_answer(decision)
        return answer if not self._ask else _with(answer, self._ask)

    def _hear(self, told: bytes, peer: bytes) -> None:
        """The edge says how many requests it has let pass unjudged: `12`, or `12+345` of which it did not ask about 345 more because
        it was told so.  What is no number is not heard.
        """
        passed, plus, spared = told.partition(b"+")
        name, service = self.settings.name, self.service
        is_number = _is_number(passed) and (not plus or _is_number(spared))
        is_news = not is_number or service.edge_told_unjudged(name, int(passed), peer)
        if is_number and plus:
            grown = service.edge_told_unasked(name, int(spared), peer)
            is_news = is_news and grown is not None
            if grown and self.asking is not None:
                self.asking.spared(grown)
        if is_news:
            self._told_unjudged = told

    # ---- what visitors are shown

    def _page(self, request: Request) -> bytes:
        o = self.observe(request)
        headers = request.headers
        verdict = headers.get(b"x-botsieve-verdict", b"").decode("latin-1")
        score = headers.get(b"x-botsieve-score", b"")
        decision_id = headers.get(b"x-botsieve-id", b"")[:32].decode("latin-1")
        answer = self.service.page(o, verdict, decision_id, int(score) if score.isdigit() and len(score) < 4 else 100)
        return rendered(answer)

    def own(self, request: Request) -> bytes:
        """Script, style, solution and wait: the paths below the prefix."""
        path = request.target.partition(b"?")[0]
        rest = path[len(self.prefix) :]
        if request.method in ("GET", "HEAD"):
            if rest == b"wait":
                return rendered(self.service.wait(self.observe(request)))
            if rest == b"e":
                return rendered(self.service.open_page(self.observe(request)))
            if rest == b"b.js":
                return rendered(self.service.script())
            asset = self.service.asset(path)
            return _NOT_FOUND if asset is None else rendered(asset)
        if request.method == "POST" and rest == b"solve":
            return rendered(self.service.solve(self.observe(request), request.body[:MAX_BODY]))
        if request.method == "POST" and rest == b"d":
            return rendered(self.service.report(self.observe(request), request.body))
        if request.method == "POST" and rest == b"e":
            return rendered(self.service.hear(self.observe(request), request.body))
        if request.method == "POST" and rest == b"feedback":
            return rendered(self.service.feedback(self.observe(request), request.body[:MAX_BODY]))
        return rendered(Answer(405, (("Allow", "GET, HEAD, POST"), ("Cache-Control", "no-store"))))

    def observe(self, request: Request) -> Observation:
        """The request that a page or a solution belongs to.  Errors: InvalidObservation."""
        self.believe(request)
        return self._read(request)


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) < 16


def _with(answer: bytes, lines: bytes) -> bytes:
    """An answer without a body, with header lines more."""
    return answer[:-2] + lines + b"\r\n"


def verdict_answer(decision: Decision) -> bytes:
    """The answer of the check: status and headers of docs/headers.md, no body."""
    signals = decision.signals
    if not signals and not decision.retry_after_s and not decision.hold_s and not decision.set_cookie:
        return _plain_answer(decision)
    text = f"{_lines(decision, reasons_text(signals) if signals else '')}{decision.id}\r\n"
    if decision.retry_after_s:
        text += f"Retry-After: {decision.retry_after_s}\r\n"
    if decision.hold_s:
        text += f"X-Botsieve-Hold: {decision.hold_s}\r\n"
    if decision.set_cookie:
        text += f"Set-Cookie: {decision.set_cookie}\r\n"
    return (text + "\r\n").encode("latin-1", "replace")


def _lines(decision: Decision, reasons: str) -> str:
    """All up to the value of X-Botsieve-Id."""
    status = "200 OK" if decision.verdict == ALLOW else "403 Forbidden"
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nX-Botsieve-Verdict: {decision.verdict}\r\n"
        f"X-Botsieve-Would-Be: {decision.would_be}\r\nX-Botsieve-Mode: {decision.mode}\r\n"
        f"X-Botsieve-Score: {decision.score}\r\nX-Botsieve-Reasons: {reasons}\r\nX-Botsieve-Id: "
    )


# The lines of decisions that found nothing, by all that they say.  Verdicts and modes are few; the bound is for a bug.
_PLAIN: dict[tuple[str, str, str, int], bytes] = {}
_MAX_PLAIN = 1_024


def _plain_answer(decision: Decision) -> bytes:
    said = (decision.verdict, decision.would_be, decision.mode, decision.score)
    lines = _PLAIN.get(said)
    if lines is None:
        lines = _lines(decision, "").encode("latin-1", "replace")
        if len(_PLAIN) < _MAX_PLAIN:
            _PLAIN[said] = lines
    return lines + decision.id.encode() + b"\r\n\r\n"


def rendered(answer: Answer) -> bytes:
    """An answer on the wire."""
    return render(answer.status, answer.headers, answer.body)


def _where() -> str:
    """File and line of the error in hand: enough to find it, and no byte of a client."""
    trace = sys.exc_info()[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else ""
