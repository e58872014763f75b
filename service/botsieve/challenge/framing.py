"""Who may show the challenge in a frame: pages of the same host, and pages of the same site that the browser itself says ask for it.

Law of the file: only a browser can vouch for who frames (Sec-Fetch-Site: same-site, and the origin that it writes into Referer); what is
no plain origin of the same scheme is nobody.  Another site is never let in: our cookie would not be sent from its frames either.
Source: CSP 3, frame-ancestors; Fetch Metadata.
"""

from __future__ import annotations

import re

from botsieve.observation import Observation

_ORIGIN = re.compile(rb"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?)(?:/|$)")
_FRAMES = frozenset((b"iframe", b"frame"))


def framing_origin(o: Observation) -> str:
    """The origin of the same-site page in whose frame this page load is to appear, "" for none."""
    headers = o.headers
    if headers.get(b"sec-fetch-dest") not in _FRAMES or headers.get(b"sec-fetch-site") != b"same-site":
        return ""
    found = _ORIGIN.match(headers.get(b"referer", b""))
    if found is None or found[1] != o.scheme:
        return ""
    return (found[1] + b"://" + found[2]).decode("ascii")
