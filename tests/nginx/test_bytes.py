"""No byte that a client can send opens the gate: never a 5xx, never unjudged."""

from __future__ import annotations

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site

# nginx itself refuses these in a header value, with 400: they end or tear a line.
REFUSED_VALUE = {0x0A, 0x0D}


def unjudged(site: Site, standin: StandIn) -> str:
    ask(site.http_port)
    return standin.last()["x-botsieve-unjudged"][0]


@pytest.mark.parametrize("name", ["User-Agent", "Referer", "Cookie"])
def test_each_byte_in_a_value(site: Site, standin: StandIn, name: str) -> None:
    """0x01 to 0xFF in a header value: judged, and the byte arrives unchanged; line ends are nginx's own business."""
    before = unjudged(site, standin)
    for byte in range(1, 256):
        value = b"a=" + bytes([byte]) + b"z"
        answer = ask(site.http_port, "/bytes", name.encode() + b": " + value)
        assert answer.status < 500, byte
        if byte not in REFUSED_VALUE:
            assert answer.status == 200, byte
            assert standin.last()[name.lower()][0].encode("latin-1") == value
    assert unjudged(site, standin) == before


def test_each_byte_in_a_name(site: Site, standin: StandIn) -> None:
    """0x01 to 0xFF in a header name: nginx drops what is no name; never a 5xx, never unjudged."""
    before = unjudged(site, standin)
    for byte in range(1, 256):
        assert ask(site.http_port, "/names", b"X-A" + bytes([byte]) + b"B: 1").status in (200, 400), byte
    assert unjudged(site, standin) == before


@pytest.mark.parametrize(
    "line",
    [
        b"User-Agent: " + b"x" * 8000,
        b"Cookie: " + b"; ".join(b"c%d=%d" % (i, i) for i in range(700)),
        b"\r\n".join(b"X-Filler-%d: %d" % (i, i) for i in range(400)),
        b"User-Agent: a\r\nUser-Agent: b",
        b"User-Agent:",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        b"Expect: 100-continue",
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        b"Range: bytes=0-1",
        b"If-None-Match: *\r\nIf-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT",
        b"TE: trailers\r\nTrailer: X-Botsieve-Verdict",
    ],
    ids=[
        "long agent",
        "many cookies",
        "400 headers",
        "two agents",
        "empty agent",
        "chunked",
        "expect",
        "h2c",
        "range",
        "cond",
        "te",
    ],
)
def test_odd_requests(site: Site, standin: StandIn, line: bytes) -> None:
    """Long, many, doubled and hop-by-hop headers are judged like any."""
    before = unjudged(site, standin)
    assert ask(site.http_port, "/odd", line).status == 200
    assert unjudged(site, standin) == before


def test_largest_headers_fit_the_backup(site: Site) -> None:
    """32 KB of headers, which nginx takes by default, together with a long path: no 5xx."""
    lines = [b"X-Big-%d: " % i + b"x" * 7000 for i in range(3)]
    assert ask(site.http_port, "/" + "p" * 7000, *lines).status == 200
