"""What a browser always sends, and this client did not.

Law of the file: a header counts as missing only where the edge would have shown it (`Observation.lacks`).  Source: docs/mission.md S1-10,
S1-18, S1-19, S1-32.  Real browsers leave Accept-Language and Accept-Encoding out of some WebSocket upgrades only (4,135 recorded
header sets): requests of the kinds `other` and `preflight` are never accused.
"""

from __future__ import annotations

from botsieve.decision import Measure, Signal
from botsieve.detectors.settings import NoAcceptEncoding, NoAcceptLanguage, NoReferer
from botsieve.detectors.view import View
from botsieve.observation import NAVIGATION, OTHER, PREFLIGHT, Observation

# Off for a site on which more than this share of same-origin page loads lack a Referer: it has switched Referer off [S1-32].
_REFERERLESS_SHARE = 0.30
_REFERERLESS_AT_LEAST = 50  # page loads, before the share means anything [guess]


def no_accept_language(o: Observation, view: View, settings: NoAcceptLanguage) -> Signal | None:
    """`headers.no_accept_language`"""
    if o.kind in (OTHER, PREFLIGHT) or not o.lacks(b"accept-language"):
        return None
    return Signal("headers.no_accept_language", settings.points)


def no_accept_encoding(o: Observation, view: View, settings: NoAcceptEncoding) -> Signal | None:
    """`headers.no_accept_encoding`"""
    if o.kind in (OTHER, PREFLIGHT) or not o.lacks(b"accept-encoding"):
        return None
    return Signal("headers.no_accept_encoding", settings.points)


def no_referer(o: Observation, view: View, settings: NoReferer) -> Signal | None:
    """`headers.no_referer`: a page load inside a visit that came from nowhere."""
    if o.kind != NAVIGATION or not o.lacks(b"referer") or o.is_prefetch:
        return None
    if o.headers.get(b"sec-fetch-site") in (b"none", b"cross-site") or o.path in view.policy.entry_pages:
        return None  # typed or bookmarked; or another site that does not tell
    previous_s = view.profiles.previous_s
    if not previous_s or view.now_s - previous_s > settings.visit_gap_s:
        return None  # the first page of a visit
    site = view.profiles.site
    now_slice = int(view.now_s / 300.0)
    total = site.navigations.read(now_slice)
    if total >= _REFERERLESS_AT_LEAST and site.no_referer.read(now_slice) > _REFERERLESS_SHARE * total:
        return None
    gap = Measure("since_last_request_s", round(view.now_s - previous_s, 3), settings.visit_gap_s)
    return Signal("headers.no_referer", settings.points, subject="client", measures=(gap,))
