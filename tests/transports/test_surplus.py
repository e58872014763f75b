"""botsieve.transports.surplus: when there is overload and when there is not, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botsieve.transports.http import NginxEdge
from botsieve.transports.surplus import (
    HELD_S,
    INTERVAL_S,
    LEAST_S,
    LINE_S,
    LONG_TURN_S,
    MIN_REQUESTS,
    SHORT_LINE_S,
    TURN_S,
    Surplus,
    Waiting,
)

from tests.transports.edge_harness import CONFIG, Service, check
from tests.transports.wire import Listening, get, listening

EACH_S = 50e-6


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

    def turn(
        self, requests: int, each_s: float = EACH_S, *, rest_s: float = 0.0, work_0_1: float = 1.0, read_s: float = 0.0
    ) -> int:
        """A turn in which so many requests arrive, each of which takes so long to judge; how many were answered unjudged."""
        self.now_s += rest_s
        shed = 0
        for _ in range(requests):
            self.now_s += read_s
            asked = Asked(self, each_s, work_0_1)
            if self.surplus.has_line:
                shed += not self.surplus.takes(asked) and not self.surplus.admits()
            else:
                asked.go_on()
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        return shed

    def burst(self, requests: int, *, rest_s: float = 0.0) -> None:
        """So many at once, and nobody else until all that stand in the line are judged."""
        self.turn(requests, rest_s=rest_s)
        while self.standing:
            assert self.turn(0) == 0

    @property
    def standing(self) -> int:
        return len(self.surplus._line)

    def overload(self) -> None:
        """Until the line is as long as it is under overload."""
        assert self.turn(2_000)
        for _ in range(round(2 * LINE_S / TURN_S)):
            self.turn(1_000)


@pytest.fixture
def turns() -> Iterator[Turns]:
    found = Turns()
    yield found
    found.loop.close()


def test_a_burst_is_judged(turns: Turns) -> None:
    """As many at once as can be judged in time are judged, in turns that let others in between; then there is no line."""
    count = int((LONG_TURN_S + LINE_S) / EACH_S) - MIN_REQUESTS
    assert turns.turn(count) == 0
    assert turns.judged < count
    began_s, longest_s = turns.now_s, 0.0
    while turns.standing:
        before_s = turns.now_s
        assert turns.turn(0) == 0
        longest_s = max(longest_s, turns.now_s - before_s)
    assert turns.judged == count
    assert turns.now_s - began_s <= LINE_S
    assert longest_s <= TURN_S + EACH_S
    assert not turns.surplus.has_line
    assert turns.told == []


def test_overload(turns: Turns) -> None:
    """What is more than that is refused in the same turn, and nobody else until then; who stands in the line is judged."""
    shed = turns.turn(2_000)
    assert shed == pytest.approx(2_000 - (LONG_TURN_S + LINE_S) / EACH_S, abs=2 * MIN_REQUESTS)
    assert turns.told == [shed]
    turns.burst(0)
    assert turns.judged == 2_000 - shed


def test_turns_under_overload(turns: Turns) -> None:
    """However much arrives: a turn takes its time, all of it, every request that is too many is told at once, and how many once a turn."""
    turns.overload()
    began_s, before, told = turns.now_s, turns.judged, len(turns.told)
    shed = sum(turns.turn(500) for _ in range(40))
    assert turns.now_s - began_s == pytest.approx(40 * TURN_S, rel=0.05)
    assert turns.judged - before == pytest.approx(40 * TURN_S / EACH_S, rel=0.05)
    assert shed == pytest.approx(40 * (500 - TURN_S / EACH_S), rel=0.05)
    assert sum(turns.told[told:]) == shed
    assert len(turns.told) - told == 40


def test_judging_has_its_part(turns: Turns) -> None:
    """Where looking at what arrived takes all of a turn, some are judged in each all the same."""
    turns.overload()
    began_s, before = turns.now_s, turns.judged
    for _ in range(40):
        turns.turn(500, read_s=2 * TURN_S / 500)
    assert turns.judged - before == pytest.approx(40 * LEAST_S / EACH_S, rel=0.1)
    assert turns.now_s - began_s == pytest.approx(40 * (2 * TURN_S + LEAST_S), rel=0.05)


def test_the_line_is_short(turns: Turns) -> None:
    """Whoever is let wait is judged within a few turns, also when judging takes ten times as long from one turn to the next."""
    turns.overload()
    assert turns.standing <= SHORT_LINE_S / EACH_S + 1
    for _ in range(30):
        turns.turn(500, EACH_S * 10)
    assert turns.standing <= SHORT_LINE_S / EACH_S / 10 + 1


def test_every_turn_judges_somebody(turns: Turns) -> None:
    """However slow one judgement is, each turn has one: there is always an answer that is a verdict."""
    turns.overload()
    for _ in range(20):
        before = turns.judged
        turns.turn(2, TURN_S * 10)
        assert turns.judged > before
    assert turns.judged == before + 1


def test_who_was_held_up_with_us_is_judged(turns: Turns) -> None:
    """Under overload another process had the core for a moment: who came meanwhile has waited, and is let in although the line is full."""
    turns.overload()
    many = int(LINE_S / EACH_S) - turns.standing - MIN_REQUESTS
    assert turns.turn(many, rest_s=HELD_S / 2) > many / 2
    assert turns.turn(many // 2, rest_s=HELD_S * 2) == 0
    assert turns.turn(many) == many
    while turns.standing > 1:
        turns.turn(0)


def test_processor_time_is_read_now_and_then(turns: Turns) -> None:
    """Not for each of the turns that follow each other: reading it costs as much as a fiftieth of a judgement."""
    reads = 0

    def work() -> float:
        nonlocal reads
        reads += 1
        return turns.worked_s

    turns.surplus = Surplus(turns.loop, clock=lambda: turns.now_s, work=work)
    for _ in range(1_000):
        turns.turn(7, rest_s=0.0001)
    assert reads == 1
    count = int((LONG_TURN_S + LINE_S) / EACH_S) - MIN_REQUESTS
    assert turns.turn(count) == 0
    assert turns.turn(count) > count / 2


def test_end(turns: Turns) -> None:
    """When nobody was refused for an interval, overload is over; it does not come back by one long turn."""
    turns.overload()
    until_s = turns.now_s + INTERVAL_S * 1.2
    while turns.now_s < until_s:
        assert turns.turn(5, rest_s=0.001) == 0
    assert not turns.surplus.has_line
    assert turns.turn(100, LONG_TURN_S, work_0_1=0.001) == 0
    assert turns.surplus.has_line


@pytest.mark.parametrize(
    "stall",
    [
        lambda turns: turns.turn(400, 0.3 / 400, work_0_1=0.05),  # one stall, of which a twentieth was ours
        lambda turns: [turns.turn(MIN_REQUESTS - 1, 0.02) for _ in range(50)],  # few requests, all of them slow
        lambda turns: [turns.burst(500, rest_s=0.01) for _ in range(50)],  # bursts with rests between
        lambda turns: [turns.turn(100, rest_s=0.0001 * (n % 2)) for n in range(500)],  # all the loop can do, and in time
        lambda turns: [
            turns.turn(500 if n % 20 == 0 else 20, rest_s=0.0008) for n in range(400)
        ],  # long turns that are caught up
    ],
    ids=["one stall", "few and slow", "bursts", "full and in time", "caught up now and then"],
)
def test_no_overload(turns: Turns, stall: Callable[[Turns], object]) -> None:
    """A busy machine is not overload."""
    stall(turns)
    turns.burst(0)
    assert turns.told == []


# ---- on the wire


class Late(Surplus):
    """Overload without an end, of which a test says whether there is room in the line, and whether those in it go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.has_line = True
        self.is_full = False
        self.held: list[Waiting] | None = None

    def takes(self, who: Waiting) -> bool:
        if self.held is not None:
            self.held.append(who)
            return True
        taken = super().takes(who)
        assert taken
        if self.is_full:
            self._line.pop()
            self._is_full = True
        return not self.is_full

    def _end(self) -> None:
        super()._end()
        self.has_line = True


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
        assert [connection.reply().status for _ in range(3)] == [200, 200, 404]


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
