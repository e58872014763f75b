"""The names of header fields that decisions look for, each as one object.

A dict finds a name at once when it holds the very object that it is asked for, and compares letter for letter when it holds
another that reads the same: a third of the cost of a look-up, some thirty times a decision.  Compiled, all modules share one object
for each of these texts (docs/decisions/0013); uncompiled nothing is gained, and nothing lost.

Law of the file: `one_name` returns what it was given, letter for letter.
"""

from __future__ import annotations

_NAMES: tuple[bytes, ...] = (
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"access-control-request-method",
    b"content-type",
    b"cookie",
    b"origin",
    b"purpose",
    b"referer",
    b"sec-ch-ua",
    b"sec-ch-ua-mobile",
    b"sec-ch-ua-platform",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
    b"sec-purpose",
    b"te",
    b"upgrade",
    b"user-agent",
    b"x-moz",
    b"x-requested-with",
)
_ONE = {name: name for name in _NAMES}


def one_name(name: bytes) -> bytes:
    """The same name: for those that decisions look for always the same object."""
    return _ONE.get(name, name)
