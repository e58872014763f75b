"""One row of the fingerprint catalogue: a recorded ClientHello, as the packaged file and `botsieve catalogue build` hold it.

Law of the file: a plain value that files are read into.  Beside catalogue.py, which is compiled: what is read from files is not.
"""

from __future__ import annotations

import msgspec

TOOL, BROWSER = "tool", "browser"


class Row(msgspec.Struct, frozen=True, gc=False):
    """One recorded hello.  `kind`: tool or browser.  `family`: of the tool (python, curl ...), or the browser's engine.
    `http`: the version spoken after it, "" if not recorded.  Fingerprints are text, "" if not recorded."""

    kind: str
    family: str
    name: str
    ja3: str = ""
    ja4: str = ""
    tls_sig: str = ""
    http: str = ""
    date: str = ""
    source: str = ""
