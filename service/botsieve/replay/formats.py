"""One line of an access log as an Observation: combined, common, and our own JSON form (docs/access-log.md).

Law of the file: any line gives an Observation or None, which counts as unreadable; nothing is raised.  What a format cannot
hold is not seen, never missing.  Lines are bytes: they are not always UTF-8.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

import msgspec

from botsieve.errors import InputError, InvalidObservation
from botsieve.observation import (
    SEES_ACCEPT_ENCODING,
    SEES_HEADER_ORDER,
    SEES_HTTP_VERSION,
    SEES_TLS,
    SIGHT_WORDS,
    Observation,
    make_observation,
    pack_address,
)
from botsieve.replay.stamps import parse_msec, parse_time_iso8601, parse_time_local
from botsieve.replay.wording import unescape

EDGE = "replay"
# How many lines at the top of a file are tried before its format counts as unknown.
_TRIED_LINES = 20


class LineParser(Protocol):
    """`name` is docs/replay.md's word for the format; `resolution_s` is the finest difference that its stamps can hold."""

    name: str
    resolution_s: float

    def parse(self, line: bytes) -> Observation | None:
        """The request of one line (no line end), None if it cannot be read."""
        ...


_MAX_VERSION = 3  # bytes of `1.1`
_COMMON = re.compile(rb'(\S+) \S+ .{0,256}?\[([^\]]{20,40})\] "((?:[^"\\]|\\.)*)" \d{3} (?:\d+|-)')
_TAIL = re.compile(rb' "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: .*)?')

_REFERER_AND_AGENT = frozenset([b"referer", b"user-agent"])
_NO_HEADERS: frozenset[bytes] = frozenset()


def split_request(request: bytes) -> tuple[bytes, bytes] | None:
    """Method and target of a request line as logged, None if it is none (a TLS hello on port 80, an empty line)."""
    method, _, rest = request.partition(b" ")
    target, mark, version = rest.rpartition(b" HTTP/")
    if not mark or len(version) > _MAX_VERSION:
        target = rest
    if not target.strip() or target[:1] == b" " or not method.replace(b"-", b"").isalpha():
        return None
    return method, target


class Common:
    """`ADDRESS - USER [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES`, and nothing after it."""

    name = "common"
    resolution_s = 1.0

    def parse(self, line: bytes) -> Observation | None:
        found = _COMMON.fullmatch(line)
        return _from_common(found, {}, _NO_HEADERS) if found else None


class Combined:
    """The common form, then `"REFERER" "USER-AGENT"`, then anything (many add the forwarded address)."""

    name = "combined"
    resolution_s = 1.0

    def parse(self, line: bytes) -> Observation | None:
        found = _COMMON.match(line)
        tail = _TAIL.fullmatch(line, found.end()) if found else None
        if found is None or tail is None:
            return None
        headers = {}
        if tail[1] not in (b"-", b""):
            headers[b"referer"] = unescape(tail[1])
        if tail[2] not in (b"-", b""):
            headers[b"user-agent"] = unescape(tail[2])
        return _from_common(found, headers, _REFERER_AND_AGENT)


def _from_common(found: re.Match[bytes], headers: dict[bytes, bytes], seen: frozenset[bytes]) -> Observation | None:
    time_s = parse_time_local(found[2])
    request = split_request(unescape(found[3]))
    if time_s is None or request is None:
        return None
    return observe(found[1], time_s, request, headers, seen, {})


def observe(
    client: bytes,
    time_s: float,
    request: tuple[bytes, bytes],
    headers: dict[bytes, bytes],
    seen: frozenset[bytes] | None,
    facts: dict[str, object],
) -> Observation | None:
    """The observation of a line's fields; None if an address is none (a host name, `unix:`) or a field is missing."""
    try:
        return make_observation(
            client=_packed(client),
            method=request[0],
            uri=request[1],
            headers=headers,
            edge_time_s=time_s,
            headers_seen=seen,
            edge=EDGE,
            **facts,  # type: ignore[arg-type]
        )
    except InvalidObservation:
        return None


@lru_cache(maxsize=16384)
def _packed(client: bytes) -> bytes:
    """Neighbouring lines are often of one client."""
    return pack_address(client.decode("latin-1"))


class _Line(msgspec.Struct, gc=False):
    """The keys of docs/access-log.md that say something of the request.  None: the line does not have the key."""

    client: str
    uri: str
    time: float | str
    method: str = "GET"
    peer: str = ""
    scheme: str = ""
    host: str = ""
    http: str = ""
    request_id: str = ""
    ja3: str = ""
    ja4: str = ""
    tls_sig: str = ""
    tls_error: str = ""
    header_order: str = ""
    edge: str = ""
    user_agent: str | None = None
    referer: str | None = None
    accept: str | None = None
    accept_language: str | None = None
    accept_encoding: str | None = None
    sec_fetch: str | None = None
    sec_ch_ua: str | None = None
    sec_ch_ua_platform: str | None = None
    headers: dict[str, str] | None = None


_DECODER = msgspec.json.Decoder(_Line)
_HEADER_KEYS = (
    ("user_agent", b"user-agent"),
    ("referer", b"referer"),
    ("accept", b"accept"),
    ("accept_language", b"accept-language"),
    ("accept_encoding", b"accept-encoding"),
    ("sec_ch_ua", b"sec-ch-ua"),
    ("sec_ch_ua_platform", b"sec-ch-ua-platform"),
)
_SEC_FETCH = (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
_FACT_KEYS = ("scheme", "http", "request_id", "ja3", "ja4", "tls_sig", "tls_error", "header_order")


class JsonLog:
    """`log_format botsieve`: one JSON object a line.  A key that a line does not have was not seen."""

    name = "botsieve"
    resolution_s = 0.001

    def parse(self, line: bytes) -> Observation | None:
        # nginx copies bytes above 0x7F as they came: read as Latin-1 every byte is a character, and comes back below.
        try:
            fields = _DECODER.decode(line if line.isascii() else line.decode("latin-1").encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        time_s = _json_time(fields.time)
        if time_s is None:
            return None
        headers, seen = _json_headers(fields)
        facts: dict[str, object] = {key: _raw(getattr(fields, key)) for key in _FACT_KEYS}
        facts["host"] = _raw(fields.host).lower()
        facts["sight"] = _json_sight(fields)
        try:
            facts["peer"] = pack_address(fields.peer) if fields.peer else b""
        except InvalidObservation:
            facts["peer"] = b""  # `unix:`: who opened the connection is not known
        return observe(_raw(fields.client), time_s, (_raw(fields.method), _raw(fields.uri)), headers, seen, facts)


def _json_time(value: float | str) -> float | None:
    if isinstance(value, str):
        stamp = _raw(value)
        return parse_time_iso8601(stamp) if b"-" in stamp else parse_msec(stamp)
    return value if 0 <= value <= 253_402_300_799.0 else None


def _json_headers(fields: _Line) -> tuple[dict[bytes, bytes], frozenset[bytes] | None]:
    headers: dict[bytes, bytes] = {}
    seen: set[bytes] = set()
    for key, name in _HEADER_KEYS:
        value = getattr(fields, key)
        if value is not None:
            seen.add(name)
            if value:
                headers[name] = _raw(value)
    if fields.sec_fetch is not None:
        seen.update(_SEC_FETCH)
        words = _raw(fields.sec_fetch).split(b" ")
        if len(words) == len(_SEC_FETCH):
            headers.update((name, word) for name, word in zip(_SEC_FETCH, words, strict=True) if word)
    if fields.headers is None:
        return headers, _seen(frozenset(seen))
    headers.update((_raw(name).lower(), _raw(value)) for name, value in fields.headers.items())
    return headers, None


@lru_cache(maxsize=1024)
def _seen(names: frozenset[bytes]) -> frozenset[bytes]:
    """One object for all lines that show the same headers."""
    return names


def _json_sight(fields: _Line) -> int:
    sight = 0
    for word in fields.edge.split():
        sight |= SIGHT_WORDS.get(word, 0)
    if fields.http:
        sight |= SEES_HTTP_VERSION
    if fields.accept_encoding is not None:
        sight |= SEES_ACCEPT_ENCODING
    return sight


def _raw(text: str) -> bytes:
    """The bytes of a JSON string whose line was read as Latin-1."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:  # not nginx's escape=json: another program wrote \u2019 and the like
        return text.encode("utf-8", "surrogatepass")


BUILT_IN: tuple[LineParser, ...] = (JsonLog(), Combined(), Common())


def built_in(name: str) -> LineParser | None:
    """The built-in format of this name, None if there is none."""
    return next((parser for parser in BUILT_IN if parser.name == name), None)


def detect(first_lines: list[bytes], where: str) -> LineParser:
    """The built-in format that reads most of a file's first lines (not empty ones).

    Errors: InputError if none reads any; it says what line 1 looks unlike.
    """
    tried = [line for line in first_lines if line.strip()][:_TRIED_LINES]
    readable = [sum(parser.parse(line) is not None for line in tried) for parser in BUILT_IN]
    best = max(readable)
    if not best:
        raise InputError(
            f"{where}: line 1 does not look like combined; give --format '...' (the log_format of your nginx.conf); "
            "read without it: combined, common, and the JSON of docs/access-log.md"
        )
    return BUILT_IN[readable.index(best)]


# What a report may call not seen (docs/replay.md), in the order in which people care.
FACTS = {
    "tls": "TLS",
    "header_order": "header order",
    "accept_language": "Accept-Language",
    "accept_encoding": "Accept-Encoding",
    "sec_fetch": "Sec-Fetch",
    "referer": "Referer",
    "user_agent": "User-Agent",
}


@lru_cache(maxsize=4096)
def facts_seen(headers_seen: frozenset[bytes] | None, sight: int) -> frozenset[str]:
    """Which of FACTS an observation with this sight can hold."""
    named = {
        "accept_language": b"accept-language",
        "accept_encoding": b"accept-encoding",
        "sec_fetch": b"sec-fetch-mode",
        "referer": b"referer",
        "user_agent": b"user-agent",
    }
    seen = {fact for fact, name in named.items() if headers_seen is None or name in headers_seen}
    if sight & SEES_TLS:
        seen.add("tls")
    if sight & SEES_HEADER_ORDER:
        seen.add("header_order")
    return frozenset(seen)
