"""botsieve.transports.http_readers: the tolerant reader beside httptools."""

from __future__ import annotations

import httptools
from botsieve.transports.http_readers import read_tolerantly
from hypothesis import example, given
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
