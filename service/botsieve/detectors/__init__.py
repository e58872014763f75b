"""The one table of all detectors.  Nothing registers itself: what is not in TABLE does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botsieve.decision import Signal
from botsieve.detectors import agent, claim, headers, network, timing, tls, traversal
from botsieve.detectors.settings import ANY, BROWSER, PROGRAM, Settings
from botsieve.detectors.view import View
from botsieve.observation import Observation

# Looks at one observation and what is remembered; None when it finds nothing.  The third argument is its own settings type.
Find = Callable[[Observation, View, Any], Signal | None]


class Detector(NamedTuple):
    """`behaviour`: looks at page views and data calls only, and needs a clock that can be trusted if `timed`."""

    id: str
    find: Find
    behaviour: bool = False
    timed: bool = False


TABLE: tuple[Detector, ...] = (
    Detector("agent.bot_useragent", agent.bot_useragent),
    Detector("agent.no_useragent", agent.no_useragent),
    Detector("agent.known_crawler", agent.known_crawler),
    Detector("headers.no_accept_language", headers.no_accept_language),
    Detector("headers.no_accept_encoding", headers.no_accept_encoding),
    Detector("headers.no_referer", headers.no_referer),
    Detector("tls.suspicious_ja3", tls.suspicious_ja3),
    Detector("claim.unlike_headers", claim.unlike_headers),
    Detector("claim.contradiction", claim.contradiction),
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


def plan(
    settings: Mapping[str, Settings], audience: str, *, claims_browser: bool, behaviour: bool, time_judged: bool
) -> tuple[Watch, ...]:
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
    return tuple(chosen)
