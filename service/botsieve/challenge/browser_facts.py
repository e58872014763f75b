"""What a browser's report shows: faults, deletions, suspicion.  What becomes of them is for the thresholds to say (attacks/).

Law of the file: plain frozen values; every text in them is from our own lists or the operator's.
"""

from __future__ import annotations

import msgspec

INTEGRITY_FAULT, COOKIE_DELETED, SUSPICIOUS = "integrity_fault", "cookie_deleted", "suspicious"
BY_DEVICE, BY_FINGERPRINT = "device", "fingerprint"


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One thing that a report shows.

    `kind`: INTEGRITY_FAULT, COOKIE_DELETED or SUSPICIOUS.  `by`: by what it was noticed, a word of `sessions.resets.by`, "" for
    SUSPICIOUS.  `device`: the 8 bytes of the id concerned, b"" without one that was there before.  `browser`: 8 bytes that name
    fingerprint and network, b"" without a fingerprint.  `detail`: the kind of fault, the extensions or the marks.  `points`: of the
    marks.  `is_listed`: an extension of the operator's list was found.
    """

    kind: str
    by: str = ""
    device: bytes = b""
    browser: bytes = b""
    detail: str = ""
    points: int = 0
    is_listed: bool = False
