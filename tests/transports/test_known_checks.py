"""botsieve.transports.known_checks: what is known at a glance is what reading it by its lines gives."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest
from botsieve.observation import Observation
from botsieve.remembered import Remembered
from botsieve.transports.edge_headers import Shared, observation_of
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_wire import HttpConnection
from botsieve.transports.known_checks import MAX_OWN, MAX_TEXT, MAX_TEXTS, KnownChecks
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
    """What has met these bytes twice, and once before if they had names to be learned."""
    checks = KnownChecks(LINE)
    assert known(checks, raw) is None
    assert known(checks, raw) is None
    if checks.names:
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
            b"X-Forwarded-For",
            b"x-forwarded-for",
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
@example(first=[], second=[b"X-Forwarded-For: a", b"X-Forwarded-For: b"], end=b"\r\n\r\n", is_whole=True)
@example(first=[], second=[b"X-Forwarded-For: a\nb: c"], end=b"\r\n\r\n", is_whole=True)
@example(first=[], second=[b"X-Forwarded-For: a"], end=b"\r\n\r\nX-Forwarded-For: b\r\n", is_whole=True)
def test_what_is_known_is_what_its_lines_say(first: list[bytes], second: list[bytes], end: bytes, is_whole: bool) -> None:
    """Any lines: either it is left to the parser, or it is one whole request, the same one, and its connection stays."""
    raw = check(*(OWN if is_whole else OWN[:2]), *first, *EDGE, *second, end=end)
    checks = learned(check(*OWN, *EDGE, b"X-Forwarded-For: 192.0.2.1"))
    for _ in range(3):
        found = known(checks, raw)
    if found is not None:
        assert (found, True) == by_its_lines(raw)


# A proxy of many before nginx, and a token of the application; the last line is one of the browser's.
BEHIND_A_CDN = check(
    *OWN, *EDGE, b"X-Forwarded-For: 192.0.2.7", b"User-Agent: a", b"CF-Ray: 8f1", b"x-csrf-token: 0123456789", b"Accept: */*"
)


@settings(max_examples=200)
@given(data=st.data(), at=st.integers(0, 400), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_any_bytes_that_are_not_known_are_left_alone(data: st.DataObject, at: int, cut: int, put: bytes) -> None:
    """A request that is known, with some bytes taken out or put in anywhere, is the same request as its lines say, or not known."""
    asked = data.draw(st.sampled_from([ORDINARY, BEHIND_A_CDN]))
    checks = learned(asked)
    at += data.draw(st.sampled_from([0, len(asked) - 200]))
    other = asked[:at] + put + asked[at + cut :]
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


def test_lines_that_each_request_has_for_itself_are_cut_out() -> None:
    """Behind a proxy that adds another address, id and token each time, a request is known by all the rest."""
    other = BEHIND_A_CDN.replace(b"192.0.2.7", b"192.0.2.8").replace(b"8f1", b"8f2").replace(b"0123456789", b"x" * 400)
    found = known(learned(BEHIND_A_CDN), other)
    assert found is not None
    assert (found, True) == by_its_lines(other)
    assert found.headers[b"cf-ray"] == b"8f2"


def test_a_line_behind_the_end_of_a_request_is_not_cut_out() -> None:
    """A request and the beginning of another is not one request, even where that looks like a line of the first."""
    lacking = check(*OWN, *EDGE)
    checks = learned(lacking)
    for _ in range(2):
        known(checks, check(*OWN, *EDGE, b"X-Forwarded-For: 192.0.2.7"))
    assert known(checks, lacking) is not None
    assert known(checks, lacking[:-2] + b"\r\nX-Forwarded-For: 192.0.2.7\r\n") is None


@pytest.mark.parametrize("name", [b"Connection", b"Content-Length", b"Transfer-Encoding", b"Upgrade", b"Proxy-Connection"])
def test_what_frames_a_request_is_never_cut_out(name: bytes) -> None:
    """Whether a request has a body, and whether its connection stays, is for the parser to say."""
    raw = check(*OWN, *EDGE, name + b": 0")
    checks = learned(raw)
    assert known(checks, raw) is None


def test_names_that_come_often_stay_learned() -> None:
    """Somebody who makes up names in each request makes no proxy's lines unknown, and has no more names searched for than a few."""
    checks = learned(BEHIND_A_CDN)
    for number in range(2_000):
        odd = [b"X-Odd-%d-%d: 1" % (number, more) for more in range(number % 20)]
        known(checks, BEHIND_A_CDN[:-2] + b"\r\n".join([*odd, b"", b""]))
        assert len(checks.names) <= MAX_OWN
    assert {b"X-Forwarded-For", b"CF-Ray", b"x-csrf-token"} <= checks.names
    assert known(checks, BEHIND_A_CDN) is not None


def test_names_that_come_no_more_make_room() -> None:
    """Another proxy's lines take the place of those of the one before."""
    checks = KnownChecks(LINE)
    for number in range(8_000):
        known(checks, check(*OWN, *EDGE, *[b"Before-%d: 1" % n for n in range(MAX_OWN)], b"User-Agent: %d" % number))
    for number in range(8_000):
        known(checks, check(*OWN, *EDGE, b"After: %d" % number, b"User-Agent: %d" % number))
    assert b"After" in checks.names


def test_secrets_are_never_remembered() -> None:
    """The value of a line whose name is not on the list is not kept, however often it comes."""
    checks = KnownChecks(LINE)
    for number in range(40):
        for _ in range(3):
            known(checks, check(*OWN, *EDGE, b"X-Api-Key: secret", *[b"X-Odd-%d: secret" % n for n in range(number % 3)]))
    assert checks.held > 0
    held: list[object] = [checks]
    for one in held:  # grows while it is walked
        assert not isinstance(one, bytes) or b"secret" not in one
        held += [other for other in gc.get_referents(one) if isinstance(other, (bytes, dict, list, tuple, Shared, Remembered))]
    assert any(b"x-botsieve-method" in one for one in held if isinstance(one, dict))


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
