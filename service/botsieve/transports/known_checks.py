"""Checks read by what they share with earlier ones: nearly all that nginx sends of a request, it has sent before.

Of a check only the page, the client's address, the cookie and the like are its own, and headers.conf sends them first; what the
site, the browser and the kind of request say comes again and again, letter for letter.  That text is read once, by its lines, and
known from then on at a glance: 2 us instead of 9.

Law of the file: what `read` says of a check is what httptools and edge_headers.py say of it (a property test holds them together);
whatever is not plain, or not known, is left to them.  Only names on the list are ever remembered, so no secret is.
"""

from __future__ import annotations

import re

from botsieve.errors import InvalidObservation
from botsieve.observation import Observation
from botsieve.remembered import Remembered
from botsieve.transports.edge_headers import Shared, completed, shared_of

# headers.conf sends what differs from request to request first, and then this.
_MARK = b"\r\nX-Botsieve-Edge: "
_SPACE = 32  # of ASCII

# What may be remembered: what a browser says of itself, and nginx of the site.  No value of these is a secret.
_SHARED_NAMES = frozenset(
    b"accept accept-charset accept-encoding accept-language cache-control content-type device-memory dnt downlink dpr ect from "
    b"origin pragma priority purpose rtt save-data sec-ch-device-memory sec-ch-prefers-color-scheme sec-ch-ua sec-ch-ua-arch "
    b"sec-ch-ua-bitness sec-ch-ua-full-version sec-ch-ua-full-version-list sec-ch-ua-mobile sec-ch-ua-model sec-ch-ua-platform "
    b"sec-ch-ua-platform-version sec-ch-ua-wow64 sec-ch-viewport-width sec-fetch-dest sec-fetch-mode sec-fetch-site "
    b"sec-fetch-storage-access sec-fetch-user sec-gpc sec-purpose te upgrade-insecure-requests user-agent viewport-width x-moz "
    b"x-requested-with x-botsieve-edge x-botsieve-header-order x-botsieve-host x-botsieve-http x-botsieve-method x-botsieve-scheme "
    b"x-botsieve-tls-error x-botsieve-tls-sig x-ja3-fingerprint x-ja4-fingerprint".split()
)
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ((?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?)")

# Two generations of so many texts of at most so many bytes, about 5 KB each with what was read of them: 10 MB at worst.
MAX_TEXTS, MAX_TEXT = 1_024, 1_536
# Texts by their hash.  Read is what comes twice: who is always another costs no more than this.
_MAX_MET = 8_192


class KnownChecks:
    """The checks of one edge.  `line`: the request line of a check, with its end."""

    __slots__ = ("_line", "_met", "_shared")

    def __init__(self, line: bytes) -> None:
        self._line = line
        self._shared: Remembered[bytes, Shared] = Remembered(MAX_TEXTS)
        self._met: dict[int, bool] = {}  # True: not to be read

    def read(self, data: bytes, now_s: float, edge: str, sight: int | None) -> Observation | None:
        """The request that these bytes ask about, if they are one whole check and plain; else None.  Any bytes are fine.

        The other arguments are those of edge_headers.observation_of.
        """
        if not data.startswith(self._line):
            return None
        at = data.find(_MARK)
        if at < 0:
            return None
        text = data[at + 2 :]
        shared = self._shared.get(text)
        if shared is None:
            self._meet(text)
            return None
        headers = shared.headers.copy()
        if not _add(headers, data[len(self._line) : at]):
            return None
        try:
            return completed(shared, headers, now_s, edge, sight)
        except InvalidObservation:  # who reads it by its lines says what is wrong
            return None

    @property
    def held(self) -> int:
        """How many texts are remembered; some may be held twice."""
        return len(self._shared)

    def _meet(self, text: bytes) -> None:
        """A text that is not known: read when it comes the second time."""
        name = hash(text)
        known = self._met.get(name)
        if known is None:
            if len(self._met) >= _MAX_MET:
                self._met.clear()
            self._met[name] = False
        elif not known:
            headers = _headers_of(text)
            if headers is None:
                self._met[name] = True
            else:
                self._shared.put(text, shared_of(headers))


def _add(headers: dict[bytes, bytes], head: bytes) -> bool:
    """Adds the lines that differ, of which there must be no others; whether all of them were plain."""
    lines = head.splitlines()
    count = len(headers) + len(lines)
    size = 0
    for line in lines:
        size += len(line) + 2
        if line.startswith(b"X-Botsieve-Client-Addr: "):
            name, value = b"x-botsieve-client-addr", line[24:]
        elif line.startswith(b"X-Botsieve-Uri: "):
            name, value = b"x-botsieve-uri", line[16:]
        elif line.startswith(b"X-Botsieve-Request-Id: "):
            name, value = b"x-botsieve-request-id", line[23:]
        elif line.startswith(b"X-Botsieve-Time: "):
            name, value = b"x-botsieve-time", line[17:]
        elif line.startswith(b"X-Botsieve-Peer-Addr: "):
            name, value = b"x-botsieve-peer-addr", line[22:]
        elif line.startswith(b"Cookie: "):
            name, value = b"cookie", line[8:]
        elif line.startswith(b"Referer: "):
            name, value = b"referer", line[9:]
        elif line.startswith(b"Host: "):
            name, value = b"host", line[6:]
        elif line.startswith(b"X-Botsieve-Unjudged: "):
            name, value = b"x-botsieve-unjudged", line[21:]
        else:
            return False
        if not value or value[0] <= _SPACE:
            return False
        headers[name] = value
    # Else there is a line break of another kind than ours, or a name came twice.
    return size == len(head) + 2 and len(headers) == count


def _headers_of(text: bytes) -> dict[bytes, bytes] | None:
    """The lines of the rest of a request, which they end; None if one of them is not plain, or not to be remembered."""
    lines = text.split(b"\r\n")
    if len(text) > MAX_TEXT or lines[-2:] != [b"", b""]:
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines[:-2]:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        name = found[1].lower()
        if name not in _SHARED_NAMES or name in headers:
            return None
        headers[name] = found[2]
    return headers if headers.get(b"x-botsieve-method") else None
