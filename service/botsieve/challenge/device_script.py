"""The script of device and browser: `d.js`, put together from what is switched on, and the vendored fingerprint library.

Law of the file: what is off is not in the script, so a browser never runs code of a switch that nobody has set.  The library is
served byte for byte as it was vendored (web/vendor/SOURCES.md), from this host only.
"""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.assets import stripped
from botsieve.challenge.extensions import Probe

LIBRARY_FILE = "fingerprintjs-5.2.0.min.js"
_PARTS = {
    part: stripped((files("botsieve") / "web" / "device" / f"{part}.js").read_text("utf-8"))
    for part in ("copies", "marks", "extensions", "fingerprint", "send")
}
LIBRARY = (files("botsieve") / "web" / "vendor" / LIBRARY_FILE).read_bytes()
LIBRARY_NAME = f"f.{sha256(LIBRARY).hexdigest()[:12]}.js"

_TYPE = ("Content-Type", "text/javascript; charset=utf-8")
_PLAIN = ("X-Content-Type-Options", "nosniff")
# The page's author writes its name, so it cannot change with the content: a change of settings reaches everybody in five minutes.
_SCRIPT_AGE = ("Cache-Control", "public, max-age=300")
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


def script_of(wanted: Wanted) -> bytes:
    """`d.js` for these wishes; as a worker of itself it only tells what a worker sees."""
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


def script_answer(wanted: Wanted, script: bytes, name: bytes) -> Answer | None:
    """The file of that name (without the prefix), None if it is none of these or switched off."""
    if name == b"d.js" and wanted.is_any:
        return Answer(200, (_TYPE, _SCRIPT_AGE, _PLAIN), script)
    if name == LIBRARY_NAME.encode() and wanted.fingerprint:
        return Answer(200, (_TYPE, _LIBRARY_AGE, _PLAIN), LIBRARY)
    return None
