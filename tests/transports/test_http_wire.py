"""botsieve.transports.http_wire: over real sockets, with nothing that would tidy up what is sent."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator
from itertools import pairwise

import httptools
import pytest
from botsieve.transports import http_wire
from botsieve.transports.http_readers import MAX_BODY, Request
from botsieve.transports.http_wire import HttpConnection
from hypothesis import example, given
from hypothesis import strategies as st

from tests.servers import wait_until
from tests.transports.wire import Connection, Echo, Listening, get, listening, only_reply, take_reply

BYTES = range(1, 256)


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def edge(echo: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    with listening(echo, tmp_path_factory.mktemp("wire") / "s") as found:
        yield found


def judged(connection: Connection, echo: Echo, request: bytes) -> Request:
    """Sends a request on a connection that stays; it must be answered 200, once, and reach the handler."""
    before = len(echo.seen)
    reply = connection.send(request).reply()
    assert reply.status == 200, request
    assert len(echo.seen) == before + 1, request
    return echo.seen[-1]


# ---- bytes


def test_each_byte_in_a_value(edge: Listening, echo: Echo) -> None:
    """0x01 to 0xFF in a header value, which nginx lets through but for line ends: judged on one connection, byte unchanged."""
    with edge.connect() as connection:
        for byte in BYTES:
            if byte in (0x0A, 0x0D):
                continue
            value = b"a" + bytes([byte]) + b"z"
            assert judged(connection, echo, get(b"/v", b"User-Agent: " + value)).headers[b"user-agent"] == value


def test_each_byte_in_a_name(edge: Listening, echo: Echo) -> None:
    """0x01 to 0xFF in a header name: judged, and neither the headers before nor those after are lost."""
    with edge.connect() as connection:
        for byte in BYTES:
            if byte in (0x0A, 0x0D, 0x3A):
                continue
            request = judged(connection, echo, get(b"/n", b"User-Agent: u", b"X-" + bytes([byte]) + b"Y: 1", b"Cookie: c"))
            assert request.headers[b"user-agent"] == b"u", byte
            assert request.headers[b"cookie"] == b"c", byte


def test_each_byte_in_the_target(edge: Listening, echo: Echo) -> None:
    """0x01 to 0xFF in the target: judged, and it arrives unchanged."""
    with edge.connect() as connection:
        for byte in BYTES:
            if byte in (0x0A, 0x0D):
                continue
            target = b"/a" + bytes([byte]) + b"z"
            assert judged(connection, echo, get(target)).target == target, byte


@pytest.mark.parametrize(
    "line", [b"X-A\nB: 1", b"X-A\rB: 1", b"X: a\nb", b"X: a\rb", b"X: a\0b", b": x", b"no colon", b"A\0: x"]
)
def test_torn_lines(edge: Listening, line: bytes) -> None:
    """Line ends and zeros where none belong get one whole answer, 200 or 403."""
    with edge.connect() as connection:
        reply = connection.send(get(b"/torn", line), get(b"/torn", b"Connection: close")).reply()
        assert reply.status in (200, 403)


@given(raw=st.binary(min_size=1, max_size=300))
@example(b"\r\n\r\n\r\n\r\n")
@example(b"\0\r\n\r\n")
@example(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x01" * 200)
def test_any_bytes(edge: Listening, raw: bytes) -> None:
    """Any bytes at all, then two line ends: whole answers, each 200 or 403, or nothing where nothing was asked."""
    with edge.connect() as connection:
        got = connection.send(raw + b"\r\n\r\n").half_close().rest()
        while got:
            reply, got = take_reply(got)
            assert reply.status in (200, 403)
    assert edge.ask(get()).status == 200


@given(
    names=st.lists(st.binary(min_size=1, max_size=12).map(lambda name: bytes(b for b in name if b not in b"\r\n:"))),
    value=st.binary(max_size=40).map(lambda text: bytes(b for b in text if b not in b"\r\n\0")),
)
def test_any_header_reaches_the_handler(edge: Listening, echo: Echo, names: list[bytes], value: bytes) -> None:
    """Whatever stands in header lines: the request is judged, and User-Agent is what was sent."""
    lines = [name + b": " + value for name in names if name and name.lower() not in (b"user-agent", b"content-length")]
    before = len(echo.seen)
    reply = edge.ask(get(b"/h", b"User-Agent: ours", *[line for line in lines if not line.startswith((b" ", b"\t"))]))
    assert reply.status == 200
    assert len(echo.seen) == before + 1
    assert echo.seen[-1].headers[b"user-agent"] == b"ours"


# ---- messages


GOOD = get(b"/good?x=1", b"User-Agent: \xff u", b"Cookie: a=1")
POST = get(b"/post", b"Content-Type: text/plain", method=b"POST", body=b"0123456789")
CHUNKED = get(b"/chunked", b"Transfer-Encoding: chunked", method=b"POST") + b"4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\n\r\n"
ODD = get(b"/odd", b"X\x01Y: 1", b"User-Agent: u")
ODD_POST = get(b"/odd/post", b"X\x01Y: 1", method=b"POST", body=b"abc\r\n\r\ndef")
UPGRADE = get(b"/ws", b"Connection: Upgrade", b"Upgrade: websocket")
H2C = get(b"/h2c", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")
STRANGE = get(b"/m", method=b"X_STRANGE-METHOD")
ALL = [GOOD, POST, CHUNKED, ODD, ODD_POST, UPGRADE, H2C, STRANGE]
TARGETS = [b"/good?x=1", b"/post", b"/chunked", b"/odd", b"/odd/post", b"/ws", b"/h2c", b"/m"]
BODIES = {b"/post": b"0123456789", b"/chunked": b"abcdefg", b"/odd/post": b"abc\r\n\r\ndef"}


@pytest.mark.parametrize(("request_", "target"), list(zip(ALL, TARGETS, strict=True)), ids=[t.decode() for t in TARGETS])
def test_split_at_every_offset(edge: Listening, echo: Echo, request_: bytes, target: bytes) -> None:
    """One request in two reads, wherever it is cut: one answer, the same request, and the connection stays."""
    with edge.connect() as connection:
        for cut in range(1, len(request_)):
            before = len(echo.seen)
            connection.send(request_[:cut])
            time.sleep(0.0005)  # lets the loop read the first part by itself; the promise holds in both cases
            assert connection.send(request_[cut:]).reply().body == target
            assert [seen.target for seen in echo.seen[before:]] == [target], cut
            assert echo.seen[-1].body == BODIES.get(target, b"")


@given(
    order=st.lists(st.integers(0, len(ALL) - 1), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 1500), max_size=6),
)
def test_pipelining(edge: Listening, echo: Echo, order: list[int], cuts: list[int]) -> None:
    """Any requests one after another in any pieces: each is answered once, in order."""
    stream = b"".join(ALL[number] for number in order)
    before = len(echo.seen)
    edges = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    with edge.connect() as connection:
        connection.send(*(stream[begin:end] for begin, end in pairwise(edges)))
        if any(ALL[number] is CHUNKED for number in order) and any(ALL[number] in (ODD, ODD_POST, STRANGE) for number in order):
            # Where a chunked body and a broken head stand in one read, the end may come early, but nothing is answered twice.
            got = connection.half_close().rest()
            targets = []
            while got:
                reply, got = take_reply(got)
                targets.append(reply.body if reply.status == 200 else b"")
            wanted = [TARGETS[number] for number in order]
            assert [target for target in targets if target] == wanted[: len([target for target in targets if target])]
            return
        assert [connection.reply().body for _ in order] == [TARGETS[number] for number in order]
    assert [seen.target for seen in echo.seen[before:]] == [TARGETS[number] for number in order]


def test_thousands_at_once(edge: Listening) -> None:
    """A read full of requests that httptools refuses is read to its end: no recursion, no second answer."""
    with edge.connect() as connection:
        count = 3_000
        connection.send(
            (b"GET /p HTTP/1.1\r\nX\x01: 1\r\n\r\n" + b"GET /u HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n") * count
        )
        for _ in range(count):
            assert connection.reply().body == b"/p"
            assert connection.reply().body == b"/u"


def test_who_does_not_read(edge: Listening) -> None:
    """A peer that asks and never reads is not listened to any longer; others are."""
    with edge.connect() as connection:
        connection._socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.send(*[get(b"/greedy") * 500] * 2_000)
        assert edge.ask(get()).status == 200


def test_keep_alive(edge: Listening) -> None:
    """HTTP/1.1 stays open; `Connection: close` and HTTP/1.0 are answered, told so, and closed."""
    with edge.connect() as connection:
        for _ in range(3):
            assert connection.send(GOOD).reply().all("Connection") == []
    for last in (get(b"/l", b"Connection: close"), b"GET /l HTTP/1.0\r\n\r\n", b"GET /l HTTP/1.0\r\nA\x01: 1\r\n\r\n"):
        with edge.connect() as connection:
            reply = only_reply(connection.send(last).rest())
            assert (reply.body, reply.one("Connection")) == (b"/l", "close"), last


def test_nothing_after_the_last(edge: Listening, echo: Echo) -> None:
    """What follows a request with `Connection: close` is not answered, and does not make the answer come twice."""
    before = len(echo.seen)
    with edge.connect() as connection:
        got = connection.send(get(b"/l", b"Connection: close") + GOOD + ODD).rest()
    assert only_reply(got).body == b"/l"
    assert len(echo.seen) == before + 1


def test_first_value_counts_but_lists_grow(edge: Listening, echo: Echo) -> None:
    """Of several lines of one name the first counts; Cookie and X-Forwarded-For are lists.  In both parsers."""
    for odd in (b"X-Fine: 1", b"X\x01: 1"):
        lines = [
            b"User-Agent: a",
            b"user-agent: b",
            b"Cookie: c=1",
            b"Cookie: d=2",
            b"X-Forwarded-For: 1",
            b"x-forwarded-for: 2",
        ]
        edge.ask(get(b"/d", odd, *lines))
        headers = echo.seen[-1].headers
        assert (headers[b"user-agent"], headers[b"cookie"], headers[b"x-forwarded-for"]) == (b"a", b"c=1; d=2", b"1, 2")


def test_empty_values(edge: Listening, echo: Echo) -> None:
    """A header without a value is there, and is empty."""
    edge.ask(get(b"/e", b"User-Agent:", b"Accept: ", b"Referer: r"))
    headers = echo.seen[-1].headers
    assert (headers[b"user-agent"], headers[b"accept"], headers[b"referer"]) == (b"", b"", b"r")


# ---- bounds


@pytest.mark.parametrize("odd", [b"X-Fine: 1", b"X\x01: 1"])
def test_64_kib_of_headers(edge: Listening, echo: Echo, odd: bytes) -> None:
    """64 KiB of headers are accepted, in one line or in hundreds, in one write or in many."""
    lines = [b"X-%04d: " % i + b"v" * 1000 for i in range(64)]
    for request in (get(b"/big", odd, b"X-Big: " + b"x" * 65_000), get(b"/big", odd, *lines)):
        assert edge.ask(request).status == 200
        assert edge.ask(*(request[at : at + 1000] for at in range(0, len(request), 1000))).status == 200
        assert len(echo.seen[-1].headers) >= 3


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize("start", [b"X-Big: ", b"X\x01: "])
def test_too_large(edge: Listening, echo: Echo, tcp: bool, start: bytes) -> None:
    """A megabyte of headers: 403, whole, read by the peer although it was still sending; others go on."""
    with listening(echo) as other:
        where = other if tcp else edge
        before = echo.refusals
        with where.connect() as connection:
            connection.send(b"GET /big HTTP/1.1\r\n" + start, *[b"x" * 65_536] * 16)
            reply = only_reply(connection.rest())
        assert (reply.status, reply.verdict, reply.one("Connection")) == (403, "unjudged", "close")
        assert echo.refusals == before + 1
        assert where.ask(GOOD).status == 200


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_bodies_are_bounded(edge: Listening, echo: Echo, framing: str) -> None:
    """64 KiB of body arrive whole; of more, the handler hears that it is too long or it is refused; memory stays bounded."""
    for size, statuses in ((MAX_BODY, {200}), (MAX_BODY + 10_000, {200}), (1_000_000, {403})):
        body = b"b" * size
        request = get(b"/b", method=b"POST", body=body)
        if framing == "chunked":
            request = get(b"/b", b"Transfer-Encoding: chunked", method=b"POST")
            request += (
                b"".join(b"1000\r\n" + body[at : at + 4096].ljust(4096) + b"\r\n" for at in range(0, size, 4096)) + b"0\r\n\r\n"
            )
        with edge.connect() as connection:
            assert connection.send(request).reply().status in statuses
        if 200 in statuses:
            assert min(size, MAX_BODY) <= len(echo.seen[-1].body) <= MAX_BODY + 300_000


def test_a_slow_request(edge: Listening, echo: Echo) -> None:
    """A request byte by byte is answered like any."""
    with edge.connect() as connection:
        for at in range(len(ODD)):
            connection.send(ODD[at : at + 1])
        assert connection.reply().body == b"/odd"


@pytest.mark.realtime
def test_a_request_that_never_ends(monkeypatch: pytest.MonkeyPatch, echo: Echo) -> None:
    """After the read time-out: an answer, then the end.  An idle connection stays."""
    monkeypatch.setattr(http_wire, "_READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(http_wire, "_LINGER_S", 0.2)
    with listening(echo) as edge, edge.connect() as idle, edge.connect() as slow, edge.connect() as odd:
        idle.send(GOOD).reply()
        for connection, part in ((slow, GOOD[:-3]), (odd, ODD[:-3])):
            assert only_reply(connection.send(part).rest()).status == 403
        assert idle.send(GOOD).reply().status == 200
        wait_until(lambda: edge.listener.open_connections == 1, what="the end of the slow ones")


@pytest.mark.plain
def test_too_many_connections(monkeypatch: pytest.MonkeyPatch, echo: Echo) -> None:
    """Above the limit a connection gets an answer without a verdict; far above it none; then all is as before."""
    monkeypatch.setattr(http_wire, "MAX_CONNECTIONS", 4)
    with listening(echo) as edge:
        held = []
        for _ in range(4):
            held.append(edge.connect())
            assert held[-1].send(GOOD).reply().verdict == "allow"
        for _ in range(12):
            held.append(edge.connect())
            wait_until(lambda: edge.listener.open_connections == len(held))
        reply = only_reply(held[4].send(GOOD).rest())
        assert (reply.verdict, reply.one("Connection")) == ("unjudged", "close")
        wait_until(lambda: edge.listener.open_connections == 15)
        held.append(edge.connect())
        with edge.connect() as far:
            assert far.rest() == b""
        assert held[0].send(GOOD).reply().verdict == "allow"
        for connection in held:
            connection.close()
        wait_until(lambda: edge.listener.open_connections == 0)
        assert edge.ask(GOOD).verdict == "allow"


# ---- life


def test_finish_answers_what_is_under_way(echo: Echo) -> None:
    """Told to finish: idle connections end, a request that has begun gets its answer and is told that it was the last."""
    with listening(echo) as edge, edge.connect() as idle, edge.connect() as busy:
        idle.send(GOOD).reply()
        busy.send(GOOD).reply()
        busy.send(GOOD[:30])
        wait_until(lambda: any(connection._begun for connection in edge.listener._connections))
        edge.call("close")
        edge.call("finish")
        assert idle.rest() == b""
        reply = only_reply(busy.send(GOOD[30:]).rest())
        assert (reply.status, reply.one("Connection")) == (200, "close")


def test_connections_leave_nothing_behind(echo: Echo) -> None:
    """200 connections of every kind end: none is left, without the garbage collector's help (it is off in the service)."""
    was_on = gc.isenabled()
    with listening(echo) as edge:
        gc.collect()
        gc.disable()
        try:
            for number in range(200):
                with edge.connect() as connection:
                    connection.send(ALL[number % len(ALL)]).reply()
                    if number % 3 == 0:
                        connection.send(GOOD[:20])
            wait_until(lambda: edge.listener.open_connections == 0)
            echo.seen.clear()
            found = [thing for thing in gc.get_objects() if isinstance(thing, HttpConnection)]
            assert len(found) <= 1, len(found)
            parsers = [thing for thing in gc.get_objects() if isinstance(thing, httptools.HttpRequestParser)]
            assert len(parsers) <= 1, len(parsers)
        finally:
            if was_on:
                gc.enable()


def test_a_reset_by_the_peer(edge: Listening) -> None:
    """A peer that resets in the middle of anything harms nobody else."""
    for part in (GOOD, GOOD[:10], POST[:-3], ODD[:-1]):
        connection = edge.connect()
        connection._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.send(part).close()
    assert edge.ask(GOOD).status == 200
    wait_until(lambda: edge.listener.open_connections == 0)


def test_names_are_remembered_within_a_bound() -> None:
    """However many there are, and each is found in lower case however it was spelled."""
    for number in range(3 * http_wire._MAX_LOWER):
        assert http_wire._lower(b"X-%d" % number) == b"x-%d" % number
    assert http_wire._lower(b"A" * 200) == b"a" * 200
    assert len(http_wire._LOWER) <= http_wire._MAX_LOWER
    assert max(map(len, http_wire._LOWER)) <= http_wire._MAX_NAME
