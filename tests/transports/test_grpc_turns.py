"""service/botsieve/transports/grpc_turns.py: a large batch lets others work in between.  No test looks at a clock on the wall."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botsieve.decision import Decision
from botsieve.observation import Observation
from botsieve.transports import grpc_calls
from botsieve.transports.grpc_turns import SLICE_S, Turns
from botsieve.v1 import decision_service_pb2 as pb

from tests.transports.grpc_harness import Judge, observation, on_socket

# A piece of work takes a little more than a quarter of a slice, by the clock that the turns are given: four fill it.
PIECES = 4


def clock() -> Callable[[], float]:
    """A clock that goes on by a piece each time that it is read."""
    return partial(next, (number * SLICE_S / PIECES * 1.01 for number in count()))


async def work(turns: Turns, pieces: int, each: Callable[[], Any]) -> None:
    await turns.take()
    for _ in range(pieces):
        each()
        if not turns.has_time():
            await turns.take()


class LoopTurns:
    """Counts the turns of the running loop."""

    def __init__(self) -> None:
        self.number = 0
        self._go_on = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self.number += 1
        if self._go_on:
            asyncio.get_running_loop().call_soon(self._next)

    def stop(self) -> None:
        self._go_on = False


def run(test: Callable[[Turns, LoopTurns], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        loop_turns = LoopTurns()
        await asyncio.wait_for(test(Turns(clock()), loop_turns), 60)
        loop_turns.stop()

    asyncio.run(main())


def test_all_calls_together_work_for_one_slice_in_each_turn_of_the_loop() -> None:
    """However many calls have work, at most a slice of it is done before the loop looks at its sockets again."""

    async def test(turns: Turns, loop_turns: LoopTurns) -> None:
        done: list[int] = []
        await asyncio.gather(*[work(turns, 32, lambda: done.append(loop_turns.number)) for _ in range(5)])
        assert len(done) == 5 * 32
        assert max(Counter(done).values()) <= PIECES

    run(test)


class Looks(selectors.DefaultSelector):
    """Counts how often a loop looks at its sockets."""

    number = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.number += 1
        return super().select(timeout)


def looks_of(test: Callable[[Turns, Callable[[], None]], Coroutine[Any, Any, None]]) -> list[int]:
    """For each piece of work that the test did: how often the loop had looked at its sockets by then."""
    looks = Looks()
    done: list[int] = []

    async def main() -> None:
        await asyncio.wait_for(test(Turns(clock()), lambda: done.append(looks.number)), 60)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(looks)) as runner:
        runner.run(main())
    return done


def test_there_is_one_slice_between_two_looks_at_the_sockets() -> None:
    """Whoever comes, goes and begins anew, and in whatever order the loop calls them: who comes behind another has what is left."""

    async def test(turns: Turns, each: Callable[[], None]) -> None:
        chance = random.Random(11)

        async def caller() -> None:
            for _ in range(20):
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
                await work(turns, chance.randrange(1, 9), each)
                if chance.random() < 0.5:
                    turns.leave()

        await asyncio.gather(*[caller() for _ in range(4)])

    done = looks_of(test)
    assert max(Counter(done).values()) == PIECES


def test_no_turn_goes_unused() -> None:
    """While one has work, or several, a slice of it is done in each turn of the loop; also where one of them ends."""

    async def test(turns: Turns, each: Callable[[], None]) -> None:
        async def caller(pieces: int) -> None:
            await work(turns, pieces, each)
            turns.leave()

        await asyncio.gather(caller(64), caller(27), caller(9))

    done = looks_of(test)
    assert set(done) == set(range(done[0], done[-1] + 1))


def test_calls_take_turns() -> None:
    """Nobody waits for the end of another's batch: each has a slice, then the next in line."""

    async def test(turns: Turns, _: LoopTurns) -> None:
        done: list[str] = []
        await asyncio.gather(*[work(turns, 16, partial(done.append, name)) for name in "abc"])
        assert "".join(done[::PIECES]) == "a" + "abc" * 3 + "bc", "the first was alone when it began"
        assert all(len(set(done[at : at + PIECES])) == 1 for at in range(0, len(done), PIECES))

    run(test)


def test_a_small_call_waits_for_one_slice_of_a_large_one() -> None:
    """What comes while a large batch is judged is judged long before its end."""

    async def test(turns: Turns, _: LoopTurns) -> None:
        done: list[str] = []
        large = asyncio.ensure_future(work(turns, 256, partial(done.append, "large")))
        while len(done) < PIECES:
            await asyncio.sleep(0)
        await work(turns, 1, partial(done.append, "small"))
        assert done.index("small") <= 3 * PIECES
        await large

    run(test)


def test_idle_turns_are_free() -> None:
    """Work that fits into a slice waits for nothing."""

    async def test(turns: Turns, loop_turns: LoopTurns) -> None:
        before = loop_turns.number
        await turns.take()
        turns.has_time()
        await turns.take()
        assert loop_turns.number == before

    run(test)


def test_a_call_that_went_away_leaves_its_turn_to_the_next() -> None:
    """Whether it goes while it waits, when its turn has just come, or when it was promised the next: the queue moves on."""

    async def test(turns: Turns, _: LoopTurns) -> None:
        done: list[str] = []
        tasks = {name: asyncio.ensure_future(work(turns, 12, partial(done.append, name))) for name in "abcd"}
        while "a" not in done:
            await asyncio.sleep(0)
        tasks["c"].cancel()
        while "b" not in done:
            await asyncio.sleep(0)
        tasks["b"].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert Counter(done)["a"] == Counter(done)["d"] == 12
        assert "c" not in done
        await asyncio.wait_for(turns.take(), 1)
        for _ in range(PIECES):
            turns.has_time()
        promised = asyncio.ensure_future(turns.take())
        await asyncio.sleep(0)
        promised.cancel()
        await asyncio.gather(promised, return_exceptions=True)
        assert promised.cancelled()
        await asyncio.wait_for(turns.take(), 1)

    run(test)


class WatchedJudge(Judge):
    """Keeps in which turn of the loop each observation was judged."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: LoopTurns | None = None
        self.judged_in: list[int] = []

    def judge(self, o: Observation) -> Decision:
        if self.turns is None:
            self.turns = LoopTurns()
        self.judged_in.append(self.turns.number)
        return super().judge(o)


def test_a_batch_of_256_yields_to_other_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real stream, on the service's own loop: the batch is judged in slices, and the loop turns in between."""
    monkeypatch.setattr(grpc_calls, "Turns", lambda: Turns(clock()))
    judge = WatchedJudge()
    with on_socket(tmp_path, judge) as edge, edge.channel() as connected:
        message = pb.CheckStreamRequest(observations=[observation()] * 256).SerializeToString()
        (answer,) = connected.stream_stream("/botsieve.v1.DecisionService/CheckStream")(iter([message]), timeout=60)
        assert judge.turns is not None
        edge.loop.call_soon_threadsafe(judge.turns.stop)
    assert len(pb.CheckStreamResponse.FromString(answer).results) == 256
    assert len(judge.judged_in) == 256
    assert max(Counter(judge.judged_in).values()) <= PIECES
    assert len(set(judge.judged_in)) >= 256 // PIECES
