"""botsieve.transports.http_readers: the quick and the tolerant reader beside httptools."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
from botsieve.transports.http_readers import LINES, MAX_LINES, MAX_NAMES, NAMES_SEEN, Request, read_quickly, read_tolerantly
from botsieve.transports.http_wire import HttpConnection, render
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transports.wire import get

# ---- the tolerant parser


@given(raw=st.binary(max_size=400))
@example(b"A /x HTTP/1.1\r\n\r\n")
@example(b"A /x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n")
@example(b"A /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n")
def test_tolerant_parser_takes_any_bytes(raw: bytes) -> None:
    """Any bytes give a request, a refusal or the wish for more; what is kept is never more than came."""
    found = read_tolerantly(raw, b"")
    if found is not None and found.request is not None:
        assert len(found.rest) + len(found.request.body) <= len(raw)
        assert found.request.target


@given(
    lines=st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=30)), max_size=8),
    size=st.integers(0, 50),
)
def test_both_parsers_agree(lines: list[tuple[bytes, bytes]], size: int) -> None:
    """What httptools accepts the tolerant parser reads in the same way."""

    class Seen:
        def __init__(self) -> None:
            self.headers: dict[bytes, bytes] = {}
            self.url = self.body = b""

        def on_url(self, url: bytes) -> None:
            self.url += url

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.setdefault(name.lower(), value)

        def on_body(self, body: bytes) -> None:
            self.body += body

    known = (b"connection", b"upgrade", b"transfer-encoding", b"content-length", b"cookie", b"host")
    texts = [
        bytes(b for b in name if b not in b"\r\n:") + b": " + bytes(b for b in value if b not in b"\r\n\0").strip()
        for name, value in lines
        if name.strip().lower() not in known and not name.startswith((b" ", b"\t"))
    ]
    raw = get(b"/a", *texts, method=b"POST", body=b"b" * size)
    seen = Seen()
    parser = httptools.HttpRequestParser(seen)
    parser.set_dangerous_leniencies(lenient_headers=True)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserError:
        return
    found = read_tolerantly(raw, b"")
    assert found is not None
    assert found.request is not None
    assert (found.request.target, found.request.body, found.request.headers) == (seen.url, seen.body, seen.headers)


# ---- the quick reader


class Caught:
    """An edge that keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes, dict[bytes, bytes], bytes]] = []

    def handle(self, request: Request) -> bytes:
        self.requests.append((request.method, request.target, dict(request.headers), request.body))
        return render(200, [])

    overloaded = handle

    def surplus(self, head: bytes) -> None: ...

    def refused(self) -> bytes:
        return render(400, [])


class Kept:
    """A transport that notes whether its connection stays."""

    def __init__(self) -> None:
        self.is_open = True

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        self.is_open = False

    def is_closing(self) -> bool:
        return not self.is_open

    def can_write_eof(self) -> bool:
        return False

    abort = close


def by_httptools(raw: bytes) -> tuple[list[tuple[str, bytes, dict[bytes, bytes], bytes]], bool]:
    """The requests of some bytes as the connection reads them in two pieces, and whether it stays open."""

    async def talk() -> tuple[Caught, Kept]:
        edge, transport = Caught(), Kept()
        connection = HttpConnection(edge, set())
        connection.connection_made(cast(Any, transport))
        connection.data_received(raw[:-1])
        connection.data_received(raw[-1:])
        kept = transport.is_open
        connection.connection_lost(None)
        return edge, cast(Any, kept)

    edge, kept = asyncio.run(talk())
    return edge.requests, bool(kept)


NAMES = st.sampled_from(
    [
        b"Accept",
        b"ACCEPT",
        b"cookie",
        b"Cookie",
        b"X-Forwarded-For",
        b"Connection",
        b"Content-Length",
        b"User-Agent",
        b"x_y",
        b"A b",
    ]
) | st.binary(min_size=1, max_size=8)
VALUES = st.sampled_from([b"", b"a", b" a\t", b"keep-alive", b"close", b"0", b"3", b"chunked", b"\xc3\xa9"]) | st.binary(
    max_size=12
)


@settings(max_examples=400)
@given(
    line=st.sampled_from([b"GET /a?b=%20 HTTP/1.1", b"GET / HTTP/1.0", b"GET a HTTP/1.1", b"HEAD / HTTP/1.1"])
    | st.binary(max_size=10).map(lambda text: b"GET /" + text + b" HTTP/1.1"),
    fields=st.lists(st.tuples(NAMES, st.sampled_from([b":", b": ", b" :"]), VALUES), max_size=6),
    end=st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"\r\n\r\nabc"]),
)
@example(line=b"GET /v1/check/nginx HTTP/1.1", fields=[(b"Cookie", b": ", b"a"), (b"cookie", b": ", b"b")], end=b"\r\n\r\n")
def test_the_quick_reader_says_what_httptools_says(line: bytes, fields: list[tuple[bytes, bytes, bytes]], end: bytes) -> None:
    """Whatever it reads is one request, the same, and the connection stays; the rest it leaves alone."""
    raw = line + b"".join(b"\r\n" + name + colon + value for name, colon, value in fields) + end
    for _ in range(2):  # the second time from what it remembers
        quick = read_quickly(raw, b"")
        if quick is not None:
            assert by_httptools(raw) == ([(quick.method, quick.target, quick.headers, quick.body)], True)


def test_an_ordinary_call_is_read_quickly() -> None:
    """Else the test above would show nothing."""
    quick = read_quickly(get(b"/v1/check/nginx", b"X-Botsieve-Uri: /a", b"User-Agent: Mozilla/5.0", b"Cookie: a=1"), b"p")
    assert quick is not None
    assert (quick.target, quick.peer) == (b"/v1/check/nginx", b"p")
    assert quick.headers[b"user-agent"] == b"Mozilla/5.0"


def test_what_is_remembered_of_lines_is_bounded() -> None:
    """A flood of User-Agents and of names empties it; cookies and addresses are never in it."""
    for number in range(3 * MAX_LINES):
        read_quickly(get(b"/", b"User-Agent: bot-%d" % number, b"X-%d: a" % number, b"Cookie: secret=%d" % number), b"")
    assert len(LINES) <= MAX_LINES
    assert len(NAMES_SEEN) <= MAX_NAMES
    assert not [line for line in LINES if b"secret" in line]
