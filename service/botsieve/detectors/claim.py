"""Claim against evidence: can the browser that the User-Agent names have sent this?

Law of the file: only contradiction counts, never absence, never an unknown or newer version, never what an intermediary may
have made (fingerprint and HTTP version count only when the client itself opened the connection).  Design: a liar is always
worse off than an honest tool, and people behind TLS interception, who look like liars, solve one challenge.
"""

from __future__ import annotations

from botsieve.agents import Agent, parse_agent
from botsieve.decision import Measure, Signal
from botsieve.detectors.header_rules import NOTHING, Headers, Unlike, builtin_rules, unlike
from botsieve.detectors.settings import Contradiction, FalseCrawler, UnlikeHeaders
from botsieve.detectors.tls import tool_behind
from botsieve.detectors.view import View
from botsieve.observation import Observation
from botsieve.remembered import Answers
from botsieve.verifications import REFUTED

# HTTP/2 came with these versions (caniuse.com, "HTTP/2 protocol"; Safari: the same number on macOS and iOS).
_HTTP2_SINCE = {"chromium": 41, "gecko": 36, "webkit": 9}


_MAX_REMEMBERED_BYTES = 2048


def _judge(seen: tuple[bytes, ...]) -> Unlike | None:
    headers = Headers(*seen)
    return unlike(parse_agent(headers.user_agent), headers, builtin_rules())


# By the values of Headers, as a plain tuple: on the hot path a named one costs as much as the rest.
_answers: Answers[tuple[bytes, ...], Unlike | None] = Answers(
    2048, _judge, lambda seen: sum(map(len, seen)) <= _MAX_REMEMBERED_BYTES
)


def contradiction(o: Observation, view: View, settings: Contradiction) -> Signal | None:
    """[own]  The browser named cannot send this hello, ALPN or HTTP version.

    The detail is `claim/evidence`: `chrome/python`, `firefox/chromium`, `chrome/http`, `safari/alpn`.
    """
    agent = view.agent
    if not agent.family or not o.ja4 or o.peer != o.client:
        return None
    against = tool_behind(o, view) or (agent.engine and (_other_engine(o, view) or _protocol(o, agent)))
    if not against:
        return None
    points = settings.points_when_cleared if view.cleared else settings.points
    return Signal("claim.contradiction", points, f"{agent.family}/{against}")


def _other_engine(o: Observation, view: View) -> str:
    """The engine whose hello it is, when the browser named has another; "" if that is not sure."""
    engines = view.catalogue.browser_families(o.ja4, o.tls_sig)
    return min(engines) if engines and view.agent.engine not in engines else ""


def _protocol(o: Observation, agent: Agent) -> str:
    """`http` or `alpn` when the connection cannot be that browser's; "" otherwise."""
    alpn = o.ja4[8:10]  # h2, h1, h3, 00 for none
    # Browsers offer h2 first or not at all, never speak HTTP/1.0, and had no HTTP/2 before these versions.
    if o.http == b"HTTP/1.0" or (o.http == b"HTTP/2.0" and (alpn == b"h1" or 0 < agent.version < _HTTP2_SINCE[agent.engine])):
        return "http"
    rules = builtin_rules().get(agent.engine)
    if alpn == b"00" and rules is not None and rules.no_alpn_until < agent.version <= rules.newest:
        return "alpn"
    return ""


def unlike_headers(o: Observation, view: View, settings: UnlikeHeaders) -> Signal | None:
    """[own]  The headers contradict the browser named.  The measure names the rule: the value found, the one expected."""
    agent = view.agent
    if not agent.engine:
        return None
    get = o.headers.get
    mode = get(b"sec-fetch-mode", NOTHING)
    found = _answers[
        get(b"user-agent", NOTHING),
        get(b"sec-ch-ua", NOTHING),
        get(b"sec-ch-ua-mobile", NOTHING),
        get(b"sec-ch-ua-platform", NOTHING),
        mode,
        get(b"sec-fetch-dest", NOTHING),
        get(b"accept", NOTHING) if mode == b"navigate" else NOTHING,
        get(b"accept-encoding", NOTHING),
        get(b"te", NOTHING) if o.peer == o.client else NOTHING,
    ]
    if found is None:
        return None
    measure = Measure(found.rule, found.value, found.limit)
    return Signal("claim.unlike_headers", settings.points, agent.family, measures=(measure,))


def false_crawler(o: Observation, view: View, settings: FalseCrawler) -> Signal | None:
    """[S2-15, S2-20]  It names a crawler, and DNS says that its address is not one of that crawler's."""
    if view.claim != REFUTED:
        return None
    return Signal("claim.false_crawler", settings.points, view.agent.crawler)
