"""Disallowed browser extensions: the operator's list, one probe a line [S2-60].

Law of the file: only what the operator wrote is looked for; a line is a Probe or a ValueError that says what is accepted.  The name
is what decisions and incidents show, so it is short printable ASCII.

Source of the three ways: three extensions, tried in Chromium 156; a file answers only if the extension lists it under
`web_accessible_resources` for all sites, without `use_dynamic_url`.
"""

from __future__ import annotations

import re

import msgspec

FILE, SELECTOR, GLOBAL = "file", "selector", "global"
MAX_LINE = 300
ACCEPTED = "NAME = chrome-extension://ID/FILE, NAME = selector CSS or NAME = global WORD; NAME of at most 40 letters, digits, spaces, . _ -"

_NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}?)\s*=\s*"
_FILE = re.compile(_NAME + r"(?P<what>(?:chrome|edge)-extension://[a-p]{32}/[A-Za-z0-9._~/-]{1,120})")
_SELECTOR = re.compile(_NAME + r"selector\s+(?P<what>[ -~]{1,200})")
_GLOBAL = re.compile(_NAME + r"global\s+(?P<what>[A-Za-z_$][A-Za-z0-9_$]{0,79})")


class Probe(msgspec.Struct, frozen=True):
    """One extension and how it shows.  `kind`: FILE (an address of the extension), SELECTOR (an element it adds) or GLOBAL."""

    name: str
    kind: str
    what: str


def parse_probe(line: str) -> Probe:
    """One line of `browser.suspicious.extensions`.  Errors: ValueError."""
    if len(line) <= MAX_LINE:
        for kind, form in ((FILE, _FILE), (SELECTOR, _SELECTOR), (GLOBAL, _GLOBAL)):
            match = form.fullmatch(line.strip())
            if match:
                return Probe(match["name"].strip(), kind, match["what"].strip())
    raise ValueError(f"this names no extension; accepted: {ACCEPTED}")
