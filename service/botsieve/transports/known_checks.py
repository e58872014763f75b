"""Checks read by what they share with earlier ones: nearly all that nginx sends of a request, it has sent before.

Of a check only the page, the client's address, the cookie and the like are its own, and headers.conf sends them first; what the
site, the browser and the kind of request say comes again and again, letter for letter.  That text is read once, by its lines, and
known from then on at a glance: 2 us instead of 9.

A proxy before nginx, or an application, adds lines that differ each time (`X-Forwarded-For`, `CF-Ray`, `traceparent`, a token).  Which
they are is learned: names that are not on the list of what may be shared and that come often.  Their lines are cut out first.

Law of the file: what `read` says of a check is what httptools and edge_headers.py say of it (a property test holds them together);
whatever is not plain, or not known, is left to them.  Of names that are not on the list no value is ever remembered, so no secret is.
"""

from __future__ import annotations

import os
import re

from xxhash import xxh3_64_intdigest

from botsieve.errors import InvalidObservation
from botsieve.observation import Observation
from botsieve.remembered import Remembered
from botsieve.transports.edge_headers import Shared, completed, shared_of
from botsieve.transports.header_names import one_name

# headers.conf sends what differs from request to request first, and then this.
_EDGE = b"X-Botsieve-Edge: "
_MARK = b"\r\n" + _EDGE
_SPACE, _X = 32, 88  # of ASCII

# What may be remembered: what a browser says of itself, and nginx of the site.  No value of these is a secret.
_SHARED_NAMES = frozenset(
    b"accept accept-charset accept-encoding accept-language cache-control cdn-loop cf-ipcountry cf-visitor content-type "
    b"device-memory dnt downlink dpr ect from origin pragma priority purpose rtt save-data sec-ch-device-memory "
    b"sec-ch-prefers-color-scheme sec-ch-ua sec-ch-ua-arch sec-ch-ua-bitness sec-ch-ua-full-version "
    b"sec-ch-ua-full-version-list sec-ch-ua-mobile sec-ch-ua-model sec-ch-ua-platform sec-ch-ua-platform-version "
    b"sec-ch-ua-wow64 sec-ch-viewport-width sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-storage-access "
    b"sec-fetch-user sec-gpc sec-purpose te upgrade-insecure-requests user-agent viewport-width x-forwarded-host "
    b"x-forwarded-port x-forwarded-proto x-moz x-requested-with x-botsieve-edge x-botsieve-header-order x-botsieve-host "
    b"x-botsieve-http x-botsieve-method x-botsieve-scheme x-botsieve-tls-error x-botsieve-tls-sig x-ja3-fingerprint "
    b"x-ja4-fingerprint".split()
)
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ((?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?)")

# Not to be cut out: by the first five httptools tells where a request ends and whether its connection stays, the others come first.
_NOT_OWN = frozenset(b"connection content-length proxy-connection transfer-encoding upgrade cookie host referer".split())

# Two generations of so many texts of at most so many bytes, about 5 KB each with what was read of them: 10 MB at worst.
MAX_TEXTS, MAX_TEXT = 1_024, 1_536
# A quarter of what Python's own hash of a whole text costs.  Nobody outside knows which texts have the same one.
_SEED = int.from_bytes(os.urandom(8), "big")
# Texts by their hash.  Read is what comes twice: who is always another costs no more than this.
_MAX_MET = 8_192

# A dict that is copied has the room of the one it is a copy of.  This is the first number of entries for which Python makes room for 42.
_ROOMY = 22

# Each name costs a search of the text, 0.1 us.  A CDN's are five or six.
MAX_OWN = 8
_MAX_NAME = 64
_MAX_SEEN = 100  # so that names which no longer come make room
# One in so many of the requests that are not known is looked at for names.
_LOOK_EACH = 16


class KnownChecks:
    """The checks of one edge.  `line`: the request line of a check, with its end."""

    __slots__ = ("_line", "_marks", "_met", "_missed", "_own", "_seen", "_shared")

    def __init__(self, line: bytes) -> None:
        self._line = line
        # By the hash of the text: the text itself, and what was read of it.
        self._shared: Remembered[int, tuple[bytes, Shared]] = Remembered(MAX_TEXTS)
        self._met: dict[int, bool] = {}  # True: not to be read
        self._missed = 0
        self._seen: dict[bytes, int] = {}  # names of lines that a request has for itself, as they are spelled; how often
        self._marks: list[bytes] = []  # how such a line begins
        self._own: dict[bytes, bytes] = {}  # the same names in lower case

    def read(self, data: bytes, now_s: float, edge: str, sight: int | None) -> Observation | None:
        """The request that these bytes ask about, if they are one whole check and plain; else None.  Any bytes are fine.

        The other arguments are those of edge_headers.observation_of.
        """
        if not data.startswith(self._line):
            return None
        head, found, whole = data.partition(_MARK)
        if not found:
            return None
        text = whole
        for mark in self._marks:
            before, found, after = text.partition(mark)
            if found:
                value, end, after = after.partition(b"\r\n")
                if not end or text[-4:] != b"\r\n\r\n":  # the line may lie behind the end of the request
                    return None
                head += mark + value
                text = before + b"\r\n" + after
        name = xxh3_64_intdigest(text, _SEED)
        known = self._shared.get(name)
        if known is None or known[0] != text:
            self._meet(name, text)
            self._learn(whole)
            return None
        shared = known[1]
        headers = shared.headers.copy()
        if not _add(headers, head[len(self._line) :], self._own):
            return None
        try:
            return completed(shared, headers, now_s, edge, sight)
        except InvalidObservation:  # who reads it by its lines says what is wrong
            return None

    @property
    def held(self) -> int:
        """How many texts are remembered; some may be held twice."""
        return len(self._shared)

    @property
    def names(self) -> set[bytes]:
        """The names that were learned, as they are spelled."""
        return set(self._own)

    def _meet(self, name: int, text: bytes) -> None:
        """A text that is not known: read when it comes the second time.  `name`: its hash."""
        known = self._met.get(name)
        if known is None:
            if len(self._met) >= _MAX_MET:
                self._met.clear()
            self._met[name] = False
        elif not known:
            headers = _headers_of(_EDGE + text)
            if headers is None:
                self._met[name] = True
            else:
                self._shared.put(name, (text, shared_of(_with_room(headers))))

    def _learn(self, text: bytes) -> None:
        """Looks for the names of lines that each request has for itself.

        Those that come in most requests stay, whatever else comes (Misra and Gries, Finding repeated elements, 1982).  A text with
        more of them than there is room for is nobody's but a prankster's.
        """
        self._missed += 1
        if self._missed % _LOOK_EACH != 1:
            return
        names = _own_names(text)
        if len(names) > MAX_OWN:
            return
        seen = self._seen
        for name in names:
            if name in seen or len(seen) < MAX_OWN:
                seen[name] = min(seen.get(name, 0) + 1, _MAX_SEEN)
            else:
                self._seen = seen = {other: count - 1 for other, count in seen.items() if count > 1}
        if seen.keys() != self._own.keys():
            self._own = {name: name.lower() for name in seen}
            self._marks = [b"\r\n" + name + b": " for name in seen]


def _own_names(text: bytes) -> list[bytes]:
    """The names, as they are spelled, of the lines of a text that it need not share with another."""
    found = [_LINE.fullmatch(line) for line in text[: 2 * MAX_TEXT].partition(b"\r\n\r\n")[0].split(b"\r\n")]
    names = [line[1] for line in found if line is not None and len(line[1]) <= _MAX_NAME]
    return [name for name in names if _may_be_own(name.lower())]


def _may_be_own(name: bytes) -> bool:
    return name not in _SHARED_NAMES and name not in _NOT_OWN and not name.startswith(b"x-botsieve-")


def _add(headers: dict[bytes, bytes], head: bytes, own: dict[bytes, bytes]) -> bool:
    """Adds the lines that differ, of which there must be no others; whether all of them were plain.

    `own`: the names that were learned, as they are spelled and in lower case.
    """
    lines = head.splitlines()
    count = len(headers) + len(lines)
    size = 0
    for line in lines:
        if not line:
            return False
        size += len(line) + 2
        # In the order of headers.conf; compiled, a look at the beginning of a line costs next to nothing.
        if line[0] != _X and line.startswith(b"Host: "):
            name, value = b"host", line[6:]
        elif line[0] != _X and line.startswith(b"Cookie: "):
            name, value = b"cookie", line[8:]
        elif line[0] != _X and line.startswith(b"Referer: "):
            name, value = b"referer", line[9:]
        elif line.startswith(b"X-Botsieve-Request-Id: "):
            name, value = b"x-botsieve-request-id", line[23:]
        elif line.startswith(b"X-Botsieve-Time: "):
            name, value = b"x-botsieve-time", line[17:]
        elif line.startswith(b"X-Botsieve-Client-Addr: "):
            name, value = b"x-botsieve-client-addr", line[24:]
        elif line.startswith(b"X-Botsieve-Peer-Addr: "):
            name, value = b"x-botsieve-peer-addr", line[22:]
        elif line.startswith(b"X-Botsieve-Uri: "):
            name, value = b"x-botsieve-uri", line[16:]
        elif line.startswith(b"X-Botsieve-Unjudged: "):
            name, value = b"x-botsieve-unjudged", line[21:]
        else:
            name, _, value = line.partition(b": ")
            if name not in own:
                return False
            name = own[name]
        if not value or value[0] <= _SPACE:
            return False
        headers[name] = value
    # Else there is a line break of another kind than ours, or a name came twice.
    return size == len(head) + 2 and len(headers) == count


def _with_room(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The same dict; in a copy of it there is room for what is a request's own, so that it need not be copied once more to grow."""
    spare = [b"%d" % number for number in range(_ROOMY - len(headers))]
    for name in spare:
        headers[name] = b""
    for _ in spare:
        headers.popitem()
    return headers


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
        headers[one_name(name)] = found[2]
    return headers if headers.get(b"x-botsieve-method") else None
