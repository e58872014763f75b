"""The script of device and browser, put together from what is switched on, and the vendored fingerprint library.

It is one half of `b.js` (human_desk.py serves it).

Law of the file: what is off is not in the script, so a browser never runs code of a switch that nobody has set.  The library is
served byte for byte as it was vendored (web/vendor/SOURCES.md), from this host only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.assets import stripped
from botsieve.challenge.extensions import Probe, parse_probe
from botsieve.detectors.settings import SuspiciousBrowser
from botsieve.policy import Policy

LIBRARY_FILE = "fingerprintjs-5.2.0.min.js"
_PARTS = {
    part: stripped((files("botsieve") / "web" / "device" / f"{part}.js").read_text("utf-8"))
    for part in ("copies", "marks", "extensions", "fingerprint", "send")
}
LIBRARY = (files("botsieve") / "web" / "vendor" / LIBRARY_FILE).read_bytes()
LIBRARY_NAME = f"f.{sha256(LIBRARY).hexdigest()[:12]}.js"

_TYPE = ("Content-Type", "text/javascript; charset=utf-8")
_PLAIN = ("X-Content-Type-Options", "nosniff")
_LIBRARY_AGE = ("Cache-Control", "public, max-age=31536000, immutable")


class Wanted(msgspec.Struct, frozen=True):
    """What the script is to do.  `prefix`: section `challenge`.  Nothing wanted: there is no script."""

    prefix: str = "/.botsieve/"
    copies: bool = False
    fingerprint: bool = False
    marks: bool = False
    probes: tuple[Probe, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether there is anything to do."""
        return self.copies or self.fingerprint or self.marks or bool(self.probes)


def wanted_by(policies: Iterable[Policy], prefix: str, *, copies: bool, fingerprint: bool) -> Wanted:
    """What the switches and the policies together ask for: one script serves all of them."""
    found = [policy.thresholds["browser.suspicious"] for policy in policies]
    watching = [settings for settings in found if isinstance(settings, SuspiciousBrowser) and settings.action != "ignore"]
    lines = dict.fromkeys(line for settings in watching for line in settings.extensions)
    return Wanted(prefix, copies, fingerprint, bool(watching), tuple(parse_probe(line) for line in lines))


def script_of(wanted: Wanted) -> bytes:
    """The script for these wishes, b"" for none; as a worker of itself it only tells what a worker sees."""
    if not wanted.is_any:
        return b""
    on = {
        "copies": wanted.copies,
        "marks": wanted.marks,
        "extensions": bool(wanted.probes),
        "fingerprint": wanted.fingerprint,
        "send": True,
    }
    ask = {
        "prefix": wanted.prefix,
        "copies": wanted.copies,
        "marks": wanted.marks,
        "fingerprint": wanted.prefix + LIBRARY_NAME if wanted.fingerprint else "",
        "extensions": [[probe.name, probe.kind, probe.what] for probe in wanted.probes],
    }
    body = b"".join(content for part, content in _PARTS.items() if on[part]).replace(b"'use strict';\n", b"")
    # A script element ends at `</`, wherever it stands.
    told = json.dumps(ask).replace("<", "\\u003c").encode()
    start = b"if (typeof window === 'undefined') { postMessage(said(navigator)); } else { begin(%b); }" % told
    return b"(function () {\n'use strict';\n" + body + start + b"\n})();\n"


def library_answer(wanted: Wanted, name: bytes) -> Answer | None:
    """The library under its name (without the prefix), None for another name or when it is switched off."""
    if name != LIBRARY_NAME.encode() or not wanted.fingerprint:
        return None
    return Answer(200, (_TYPE, _LIBRARY_AGE, _PLAIN), LIBRARY)
