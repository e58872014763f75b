"""botsieve.transports.known_checks: what is known at a glance is what reading it by its lines gives."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from botsieve.observation import Observation
from botsieve.transports.edge_headers import observation_of
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_wire import HttpConnection
from botsieve.transports.known_checks import MAX_TEXT, MAX_TEXTS, KnownChecks
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bench.check_load import questions
from tests.transports.wire import Echo

NOW_S = 1_700_000_000.0
LINE = NginxEdge.check_line
ORDINARY, ANOTHER = questions()[:2]


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


def by_its_lines(raw: bytes) -> tuple[Observation, bool]:
    """The one request of some bytes as httptools and edge_headers.py read it, and whether its connection stays open."""

    async def talk() -> tuple[Observation, bool]:
        edge, transport = Echo(), Kept()
        connection = HttpConnection(edge, set())
        connection.connection_made(cast(Any, transport))
        connection.data_received(raw)
        kept = transport.is_open
        connection.connection_lost(None)
        (request,) = edge.seen
        assert (request.method, request.body) == ("GET", b"")
        return observation_of(request.headers, NOW_S, "shop", None), kept

    return asyncio.run(talk())


def known(checks: KnownChecks, raw: bytes) -> Observation | None:
    return checks.read(raw, NOW_S, "shop", None)


def learned(raw: bytes) -> KnownChecks:
    """What has met these bytes twice."""
    checks = KnownChecks(LINE)
    assert known(checks, raw) is None
    assert known(checks, raw) is None
    return checks


def check(*lines: bytes, end: bytes = b"\r\n\r\n") -> bytes:
    return LINE + b"\r\n".join(lines) + end


OWN = (b"Host: botsieve", b"X-Botsieve-Client-Addr: 192.0.2.7", b"X-Botsieve-Uri: /a?b=1")
EDGE = (b"X-Botsieve-Edge: 1 order tls", b"X-Botsieve-Method: GET")

VALUES = st.sampled_from(
    [b"", b"a", b" a", b"a ", b"\ta", b"a\tb", b"\xc3\xa9", b"192.0.2.9", b"1700000001.5", b"a\nb", b"a\rb"]
)
ODD = VALUES | st.binary(max_size=8)
FIRST = st.tuples(
    st.sampled_from(
        [
            b"Host",
            b"Cookie",
            b"Referer",
            b"X-Botsieve-Request-Id",
            b"X-Botsieve-Time",
            b"X-Botsieve-Client-Addr",
            b"X-Botsieve-Peer-Addr",
            b"X-Botsieve-Uri",
            b"X-Botsieve-Unjudged",
            b"X-Botsieve-Method",
            b"cookie",
        ]
    ),
    st.sampled_from([b": ", b":", b" : "]),
    ODD,
).map(b"".join)
SECOND = st.tuples(
    st.sampled_from(
        [
            b"accept",
            b"Accept",
            b"user-agent",
            b"X-JA4-Fingerprint",
            b"X-Botsieve-Scheme",
            b"X-Botsieve-Tls-Sig",
            b"Cookie",
            b"Connection",
            b"Content-Length",
            b"Upgrade",
            b"X-Botsieve-Uri",
            b"a b",
        ]
    ),
    st.sampled_from([b": ", b":", b": "]),
    ODD,
).map(b"".join)
ENDS = st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\r\n\r\nabc", b"\r\n\r\n" + check(*OWN, *EDGE)])


@settings(max_examples=200)
@given(first=st.lists(FIRST, max_size=4), second=st.lists(SECOND, max_size=3), end=ENDS, is_whole=st.booleans())
@example(first=[b"Cookie: a=1"], second=[b"accept: */*"], end=b"\r\n\r\n", is_whole=True)
@example(first=[b"Cookie: a=1", b"Cookie: b=2"], second=[], end=b"\r\n\r\n", is_whole=True)
@example(first=[b"Cookie: a\nReferer: b"], second=[], end=b"\r\n\r\n", is_whole=True)
@example(first=[b"Cookie: a\rReferer: b"], second=[], end=b"\r\n\r\n", is_whole=True)
@example(first=[], second=[b"Connection: close"], end=b"\r\n\r\n", is_whole=True)
def test_what_is_known_is_what_its_lines_say(first: list[bytes], second: list[bytes], end: bytes, is_whole: bool) -> None:
    """Any lines: either it is left to the parser, or it is one whole request, the same one, and its connection stays."""
    raw = check(*(OWN if is_whole else OWN[:2]), *first, *EDGE, *second, end=end)
    checks = KnownChecks(LINE)
    for _ in range(3):
        found = known(checks, raw)
    if found is not None:
        assert (found, True) == by_its_lines(raw)


@settings(max_examples=200)
@given(data=st.data(), at=st.integers(0, 400), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_any_bytes_that_are_not_known_are_left_alone(data: st.DataObject, at: int, cut: int, put: bytes) -> None:
    """A request that is known, with some bytes taken out or put in anywhere, is the same request as its lines say, or not known."""
    checks = learned(ORDINARY)
    other = ORDINARY[:at] + put + ORDINARY[at + cut :]
    found = known(checks, other)
    if found is not None:
        assert (found, True) == by_its_lines(other)


def test_an_ordinary_check_is_known_the_third_time() -> None:
    """Another client, page and cookie of the same browser is then known, too; else the tests above would show nothing."""
    found = known(learned(ORDINARY), ANOTHER)
    assert found is not None
    assert (found, True) == by_its_lines(ANOTHER)
    assert found.headers[b"cookie"] != by_its_lines(ORDINARY)[0].headers[b"cookie"]


def test_everything_that_nginx_adds_is_known() -> None:
    """All the lines of headers.conf, in its order: request id, clock, peer and the count of unjudged ones among them."""
    raw = check(
        OWN[0],
        b"Cookie: a=1",
        b"Referer: https://shop.example/",
        b"X-Botsieve-Request-Id: 0123456789abcdef0123456789abcdef",
        b"X-Botsieve-Time: 1700000001.250",
        b"X-Botsieve-Client-Addr: 192.0.2.7",
        b"X-Botsieve-Peer-Addr: 198.51.100.1",
        OWN[2],
        b"X-Botsieve-Unjudged: 3",
        *EDGE,
        b"X-Botsieve-Header-Order: 9c1f0a7b22de",
        b"Accept: */*",
    )
    found = known(learned(raw), raw)
    assert found is not None
    assert (found, True) == by_its_lines(raw)
    assert found.edge_time_s == 1_700_000_001.25


def test_what_was_read_is_not_changed_by_who_uses_it() -> None:
    """Each request has its own headers: one with a cookie leaves none behind."""
    with_cookie, without = check(b"Cookie: a=1", *OWN, *EDGE), check(*OWN, *EDGE)
    checks = learned(with_cookie)
    found = known(checks, with_cookie)
    assert found is not None
    found.headers[b"x-made-up"] = b"1"
    other = known(checks, without)
    assert other is not None
    assert b"cookie" not in other.headers
    assert b"x-made-up" not in other.headers


def test_no_fault_of_the_edge_is_judged_here() -> None:
    """An address that is none, or a page that is missing: the long way says what is wrong."""
    for lines in ((OWN[0], b"X-Botsieve-Client-Addr: unix:", OWN[2]), OWN[:2]):
        raw = check(*lines, *EDGE)
        assert known(learned(raw), raw) is None


def test_secrets_are_never_remembered() -> None:
    """A text with a line whose name is not on the list is not kept, however often it comes."""
    checks = KnownChecks(LINE)
    for _ in range(5):
        assert known(checks, check(*OWN, *EDGE, b"X-Api-Key: secret")) is None
    assert checks.held == 0


def test_a_flood_of_texts_is_bounded() -> None:
    """Clients that are always others cost a hash each; those that come twice take the room that there is, and no more."""
    checks = KnownChecks(LINE)
    for number in range(3 * MAX_TEXTS):
        known(checks, check(*OWN, *EDGE, b"User-Agent: once-%d" % number))
    assert checks.held == 0
    for number in range(3 * MAX_TEXTS):
        for _ in range(2):
            known(checks, check(*OWN, *EDGE, b"User-Agent: twice-%d" % number))
    assert 0 < checks.held <= 2 * MAX_TEXTS
    long = check(*OWN, *EDGE, b"User-Agent: " + b"a" * MAX_TEXT)
    assert known(learned(long), long) is None
