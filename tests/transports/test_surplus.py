"""botsieve.transports.surplus: when there is overload and when there is not, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botsieve.transports.http import NginxEdge
from botsieve.transports.surplus import INTERVAL_S, MAX_WORK_S, MIN_REQUESTS, REST_S, SLICE_S, TARGET_S, Surplus, Waiting

from tests.transports.edge_harness import CONFIG, Service, check
from tests.transports.wire import Listening, get, listening


class Asked:
    """One request."""

    def __init__(self, turns: Turns, length_s: float, work_0_1: float) -> None:
        self.turns, self.length_s, self.work_0_1 = turns, length_s, work_0_1

    def go_on(self) -> None:
        assert self.turns.surplus.admits()
        self.turns.judged += 1
        self.turns.now_s += self.length_s
        self.turns.worked_s += self.work_0_1 * self.length_s


class Turns:
    """An event loop of which only the turns are left."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.worked_s = 0.0
        self.judged = 0
        self.loop = asyncio.new_event_loop()
        self.surplus = Surplus(self.loop, clock=lambda: self.now_s, work=lambda: self.worked_s)
        self.told: list[int] = []
        self.surplus.tell = self.told.append

    def turn(self, requests: int, length_s: float, *, rest_s: float = 0.0, work_0_1: float = 0.1) -> int:
        """A turn of so many requests, each of which takes its part of the length to judge; how many were answered unjudged."""
        self.now_s += rest_s
        shed = 0
        for _ in range(requests):
            asked = Asked(self, length_s / requests, work_0_1)
            if self.surplus.is_shedding:
                shed += not self.surplus.takes(asked) and not self.surplus.admits()
            else:
                asked.go_on()
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        return shed

    def overload(self) -> None:
        for _ in range(int(INTERVAL_S / TARGET_S) + 3):
            self.turn(500, TARGET_S * 1.5)
        assert self.surplus.is_shedding


@pytest.fixture
def turns() -> Iterator[Turns]:
    found = Turns()
    yield found
    found.loop.close()


def test_overload(turns: Turns) -> None:
    """Long turns of many requests for a whole interval are overload, and not before; all of them are judged until then."""
    passed_s = 0.0
    while not turns.surplus.is_shedding:
        assert turns.turn(500, TARGET_S * 1.5) == 0
        passed_s += TARGET_S * 1.5
        assert passed_s < 3 * INTERVAL_S
    assert passed_s >= INTERVAL_S


def test_own_work_is_overload_at_once(turns: Turns) -> None:
    """One turn that spends more processor time than an edge waits: the rest of that very turn is answered without a verdict."""
    shed = turns.turn(1_000, 10 * MAX_WORK_S, work_0_1=1.0)
    assert 1_000 * 0.9 >= shed >= 1_000 * 0.9 - 2 * MIN_REQUESTS


def test_slice(turns: Turns) -> None:
    """Under overload a turn judges for its slice, all of it; every other request is told at once, and how many is told once a turn."""
    turns.overload()
    for _ in range(30):
        turns.turn(500, SLICE_S * 10)
    began_s, before, told = turns.now_s, turns.judged, len(turns.told)
    shed = sum(turns.turn(500, SLICE_S * 10) for _ in range(40))
    assert turns.now_s - began_s == pytest.approx(40 * SLICE_S, rel=0.1)
    assert turns.judged - before == pytest.approx(40 * 50, rel=0.1)
    assert shed == pytest.approx(40 * 450, rel=0.1)
    assert sum(turns.told[told:]) == shed


def test_the_line_is_short(turns: Turns) -> None:
    """Whoever is let wait is judged within a few turns, also when judging takes ten times as long from one turn to the next."""
    turns.overload()
    for _ in range(30):
        turns.turn(500, SLICE_S * 10)
    for _ in range(10):
        turns.turn(500, SLICE_S * 100)
    before = turns.judged
    for _ in range(5):
        turns.turn(500, SLICE_S * 100)
    assert turns.judged - before == 25
    assert len(turns.surplus._line) <= 3 * 5


def test_every_turn_judges_somebody(turns: Turns) -> None:
    """However slow one judgement is, each turn has one: there is always an answer that is a verdict."""
    turns.overload()
    for _ in range(20):
        before = turns.judged
        turns.turn(2, SLICE_S * 10)
        assert turns.judged == before + 1


def test_end(turns: Turns) -> None:
    """When everybody was judged for an interval, overload is over; it does not come back by one long turn."""
    turns.overload()
    turns.turn(100, SLICE_S * 2)
    until_s = turns.now_s + INTERVAL_S * 1.2
    while turns.now_s < until_s:
        assert turns.turn(5, SLICE_S / 2, rest_s=0.001) == 0
    assert not turns.surplus.is_shedding
    turns.turn(500, TARGET_S * 5)
    assert not turns.surplus.is_shedding


@pytest.mark.parametrize(
    "stall",
    [
        lambda turns: turns.turn(500, 0.3),  # one stall, of which a tenth was ours
        lambda turns: [turns.turn(MIN_REQUESTS - 1, 0.2) for _ in range(50)],  # few requests, all of them slow
        lambda turns: [turns.turn(500, TARGET_S * 3, rest_s=REST_S * 2) for _ in range(50)],  # bursts with rests between
        lambda turns: [turns.turn(500, TARGET_S * 0.9) for _ in range(500)],  # all the loop can do, and in time
        lambda turns: [turns.turn(500, TARGET_S * (1.5 if n % 4 else 0.5)) for n in range(200)],  # every fourth turn in time
    ],
    ids=["one stall", "few and slow", "bursts", "full and in time", "caught up now and then"],
)
def test_no_overload(turns: Turns, stall: Callable[[Turns], object]) -> None:
    """A busy machine is not overload."""
    stall(turns)
    assert not turns.surplus.is_shedding
    assert turns.told == []


# ---- on the wire


class Late(Surplus):
    """Overload without an end, of which a test says whether there is room in the line, and whether those in it go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.is_shedding = True
        self.is_full = False
        self.held: list[Waiting] | None = None

    def takes(self, who: Waiting) -> bool:
        if self.held is not None:
            self.held.append(who)
            return True
        return not self.is_full and super().takes(who)

    def _while_shedding(self) -> None:
        self._shed = 0


@pytest.fixture
def late(tmp_path: Path) -> Iterator[tuple[Listening, Late, Service]]:
    service = Service(tmp_path / "state", CONFIG)
    edge = NginxEdge(service.service, service.settings("nginx"), "/.botsieve/")
    with listening(edge, tmp_path / "s", surplus=Late) as found:
        assert isinstance(found.surplus, Late)
        yield found, found.surplus, service


def asked(uri: str, *more: bytes) -> bytes:
    request = check(uri)
    return get(request.target, *(name + b": " + value for name, value in request.headers.items()), *more)


@pytest.mark.plain
@pytest.mark.parametrize(
    "more",
    [(), (b"Connection: keep-alive",), (b"Content-Length: 0",), (b"X-Odd: \x01",)],
    ids=["short way", "connection", "length", "tolerant"],
)
def test_shed_and_judged_on_one_connection(late: tuple[Listening, Late, Service], more: tuple[bytes, ...]) -> None:
    """Answers stay in step on a connection that stays: judged, unjudged, judged; each unjudged one is counted."""
    edge, surplus, service = late
    with edge.connect() as connection:
        for number in range(6):
            surplus.is_full = bool(number % 2)
            reply = connection.send(asked(f"/{number}", *more)).reply()
            assert (reply.verdict == "unjudged") == bool(number % 2)
            assert reply.status == 200
            assert reply.all("Connection") == []
    assert service.unjudged() == {"overloaded": 3}
    assert service.decisions() == 3


@pytest.mark.plain
def test_pipelined_and_in_pieces(late: tuple[Listening, Late, Service]) -> None:
    """Two requests in one piece, and one in two pieces, get one answer each although there is overload."""
    edge, surplus, service = late
    surplus.is_full = True
    whole = asked("/1")
    with edge.connect() as connection:
        connection.send(whole + whole, whole[:50], whole[50:])
        assert [connection.reply().verdict for _ in range(3)] == ["unjudged"] * 3
    assert service.unjudged() == {"overloaded": 3}


@pytest.mark.plain
def test_a_body_is_no_request(late: tuple[Listening, Late, Service]) -> None:
    """What stands in a body is never answered as a check: no answer too many goes to the next visitor."""
    edge, surplus, _ = late
    surplus.is_full = True
    hidden = asked("/hidden")
    with edge.connect() as connection:
        connection.send(get(b"/v1/check/nginx", method=b"POST", body=hidden), asked("/after"))
        assert [connection.reply().verdict for _ in range(2)] == ["unjudged"] * 2
        assert connection.half_close().rest() == b""


@pytest.mark.plain
def test_page_under_overload(late: tuple[Listening, Late, Service]) -> None:
    """A page that cannot be made now is the small one of nginx's backup, with 403."""
    edge, surplus, _ = late
    surplus.is_full = True
    reply = edge.ask(get(b"/v1/page"))
    assert reply.status == 403
    assert b"try again" in reply.body


@pytest.mark.plain
def test_what_arrives_meanwhile_is_read_afterwards(late: tuple[Listening, Late, Service]) -> None:
    """A request in two pieces, and the next one, all while the first piece waits: one answer each, in their order."""
    edge, surplus, _ = late
    surplus.held = []
    whole = asked("/1")
    with edge.connect() as connection:
        connection.send(whole[:50], whole[50:] + asked("/2") + get(b"/nothing"))
        edge.do(until(lambda: len(surplus.held or ()) == 1))
        edge.do(until(lambda: surplus.held[0]._waiting.endswith(b"\r\n\r\n")))  # type: ignore[index, attr-defined]
        (who,) = surplus.held
        surplus.held = None
        edge.do(going_on(who))
        assert [connection.reply().status for _ in range(3)] == [200, 200, 403]


@pytest.mark.plain
def test_who_waits_is_answered_before_the_end(late: tuple[Listening, Late, Service]) -> None:
    """A service that ends answers those in the line; a connection that is gone by its turn is nobody's."""
    edge, surplus, _ = late
    surplus.held = []
    with edge.connect() as connection, edge.connect() as other:
        connection.send(asked("/1"))
        other.send(asked("/2"))
        edge.do(until(lambda: len(surplus.held or ()) == 2))
        other.half_close()
        edge.listener.finish()
        for who in surplus.held:
            edge.do(going_on(who))
        assert connection.reply().one("Connection") == "close"


async def until(done: Callable[[], bool]) -> None:
    while not done():
        await asyncio.sleep(0.01)


async def going_on(who: Waiting) -> None:
    who.go_on()
