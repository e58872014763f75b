"""The one table of all detectors.  Nothing registers itself: what is not in TABLE does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botsieve.decision import Signal
from botsieve.detectors import agent, claim, headers, network, timing, tls, traversal
from botsieve.detectors.settings import ANY, BROWSER, PROGRAM, Settings, SuspiciousJa3
from botsieve.detectors.view import View
from botsieve.observation import Observation
from botsieve.remembered import Remembered

# Looks at one observation and what is remembered; None when it finds nothing.  The third argument is its own settings type.
Find = Callable[[Observation, View, Any], Signal | None]


class Detector(NamedTuple):
    """`behaviour`: looks at page views and data calls only, and needs a clock that can be trusted if `timed`.

    `of_request`: looks at nothing but what `request_key` holds and the settings: its findings can be remembered.
    """

    id: str
    find: Find
    behaviour: bool = False
    timed: bool = False
    of_request: bool = False


TABLE: tuple[Detector, ...] = (
    Detector("agent.bot_useragent", agent.bot_useragent, of_request=True),
    Detector("agent.no_useragent", agent.no_useragent, of_request=True),
    Detector("agent.known_crawler", agent.known_crawler, of_request=True),
    Detector("headers.no_accept_language", headers.no_accept_language, of_request=True),
    Detector("headers.no_accept_encoding", headers.no_accept_encoding, of_request=True),
    Detector("headers.no_referer", headers.no_referer),
    Detector("tls.suspicious_ja3", tls.suspicious_ja3, of_request=True),
    Detector("claim.unlike_headers", claim.unlike_headers, of_request=True),
    Detector("claim.contradiction", claim.contradiction, of_request=True),
    Detector("claim.false_crawler", claim.false_crawler),
    Detector("timing.suspicious_timing", timing.suspicious_timing, behaviour=True, timed=True),
    Detector("traversal.url_pattern", traversal.url_pattern, behaviour=True),
    Detector("traversal.volume", traversal.volume, behaviour=True, timed=True),
    Detector("traversal.spread", traversal.spread, behaviour=True, timed=True),
    Detector("network.busy_range", network.busy_range, behaviour=True, timed=True),
)


class Watch(NamedTuple):
    """One detector as a policy runs it."""

    detector: Detector
    find: Find
    settings: Settings


class Plan(NamedTuple):
    """What runs for one kind of client on a policy.  `of_request` can be remembered in `answers` by `request_key`.

    `ja3_list`: the digests by which the operator knows further tools.
    """

    of_request: tuple[Watch, ...]
    of_state: tuple[Watch, ...]
    answers: Remembered[RequestKey, tuple[Signal, ...]]
    ja3_list: frozenset[bytes] = frozenset()


RequestKey = tuple[object, ...]
_MAX_KEY_BYTES = 2_048
_MAX_ANSWERS = 2_048  # per plan and generation


def plan(settings: Mapping[str, Settings], audience: str, *, claims_browser: bool, behaviour: bool, time_judged: bool) -> Plan:
    """The detectors that run for one kind of client on a policy, in the order of TABLE.

    Law of `applies_to` (docs/settings.md): `browser` speaks of clients that claim to be browsers, and of everybody where the
    audience is browsers; `program` of clients that say they are programs (the detector sees that itself), except where
    programs are the audience.
    """
    chosen = []
    for detector in TABLE:
        own = settings[detector.id]
        if own.points == 0 or (detector.behaviour and not behaviour) or (detector.timed and not time_judged):
            continue
        applies = {
            ANY: True,
            BROWSER: claims_browser or audience == "browser",
            PROGRAM: audience != "api",
        }[own.applies_to]
        if applies:
            chosen.append(Watch(detector, detector.find, own))
    return Plan(
        tuple(watch for watch in chosen if watch.detector.of_request),
        tuple(watch for watch in chosen if not watch.detector.of_request),
        Remembered(_MAX_ANSWERS),
        frozenset(
            digest.lower().encode()
            for watch in chosen
            if isinstance(watch.settings, SuspiciousJa3)
            for digest in watch.settings.ja3_list
        ),
    )


def request_key(o: Observation, plan: Plan, *, tool: str, cleared: bool) -> RequestKey:
    """Everything that the detectors `of_request` look at, as one key.

    `tool`: what the catalogue says of the hello.  A tool's finding shows its JA3, which therefore belongs to the key; other JA3
    differ from connection to connection (browsers shuffle) and say nothing.
    """
    headers = o.headers
    return (
        headers.get(b"user-agent"),
        headers.get(b"accept"),
        headers.get(b"sec-ch-ua"),
        headers.get(b"sec-ch-ua-mobile"),
        headers.get(b"sec-ch-ua-platform"),
        headers.get(b"sec-fetch-mode"),
        headers.get(b"sec-fetch-dest"),
        headers.get(b"accept-encoding"),
        headers.get(b"te"),
        o.ja3 if tool or (plan.ja3_list and o.ja3.lower() in plan.ja3_list) else b"",
        o.http,
        o.ja4,
        o.tls_sig,
        bool(headers.get(b"accept-language")),
        o.kind,
        o.method == b"POST",
        o.peer == o.client,
        o.headers_seen,
        cleared,
    )


def is_short(key: RequestKey) -> bool:
    """Whether a key is small enough to be remembered by the thousand: a client may send 64 KiB of headers."""
    return sum(len(part) for part in key if isinstance(part, bytes)) <= _MAX_KEY_BYTES
