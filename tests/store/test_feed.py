"""store/feed.py: slices, a restart, the end."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest
from botsieve.attacks.types import RELEASED
from botsieve.journal.redact import HMAC, PREFIX, Redactor
from botsieve.store.feed import LOOKED_AT, NEWS, SLICE
from botsieve.store.messages import Setup

from tests.pace import in_time, own_heap
from tests.store.rig import Store
from tests.unit.store.rows import feedback


def test_everything_reaches_the_file(tmp_path: Path) -> None:
    """Incidents with their samples, minutes, feedback; opened and closed are told; the same numbers."""
    with Store(tmp_path) as store:
        for _ in range(25):
            store.violate()
        store.verdicts["nginx", "shop", "block", "block"] = 25
        assert store.feed.feedback(feedback())
        store.step(60.0)
        store.until(lambda: store.rows("SELECT violations, rejected, samples FROM incidents") == [(25, 25, 11)], "the incident")
        store.until(lambda: store.rows("SELECT attacks, violations, rejected, blocked FROM statistics") == [(1, 25, 25, 25)])
        assert len(store.rows("SELECT decision FROM samples")) == 11
        assert store.rows("SELECT id, score FROM feedback") == [("7k3m-9x2q-f4d1-p8wz", 80)]
        ((event, keys),) = store.events
        assert (event, keys["client"], keys["cause"]) == ("incident_opened", "203.0.113.7", "pages 31 (limit 30)")
        store.step(2_000.0)
        store.until(lambda: store.rows("SELECT why FROM incidents") == [("expired",)], "the end")
        event, keys = store.events[-1]
        assert (event, keys["why"], keys["violations"], keys["rejected"]) == ("incident_closed", "expired", 25, 25)
        assert keys["seconds"] == 1800.0


def test_the_end_waits_for_nobody_and_loses_nothing(tmp_path: Path) -> None:
    """Closing writes what was not handed on yet, also the minute that is not over."""
    store = Store(tmp_path)
    store.start()
    store.until(lambda: store.feed._is_greeted, "the greeting")
    for number in range(500):
        store.violate(number, client=f"203.0.{number % 250}.7")
    store.verdicts["nginx", "shop", "block", "block"] = 500
    began_s = time.monotonic()
    store.feed.close()
    assert in_time(time.monotonic() - began_s, 5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"], "a clean end leaves one file"
    assert store.stored() == 500
    assert store.rows("SELECT blocked FROM statistics") == [(500,)]


def test_an_attack_goes_on_over_a_restart(tmp_path: Path) -> None:
    """What was open is one incident before and after; what ran out meanwhile is closed at its own time."""
    with Store(tmp_path) as store:
        store.violate(1)
        store.violate(2, prevention_s=100.0)
        store.until(lambda: store.stored() == 2)
        started_s = store.now_s
    with Store(tmp_path) as store:
        store.now_s = started_s + 1_000.0
        store.violate(1)
        store.until(lambda: store.rows("SELECT violations FROM incidents WHERE ended_s = 0") == [(2,)], "the first goes on")
        store.until(lambda: len(store.rows("SELECT id FROM incidents WHERE why = 'expired'")) == 1, "the second is closed")
        ((began_s, ended_s),) = store.rows("SELECT started_s, ended_s FROM incidents WHERE ended_s > 0")
        assert round(ended_s - began_s) == 100
        assert store.rows("SELECT count(*) FROM incidents") == [(2,)]
        assert store.rows("SELECT client FROM incidents WHERE ended_s = 0") == [("203.0.113.7",)]


def test_a_release_ends_it(tmp_path: Path) -> None:
    """The incident ends as its prevention does."""
    over: list[tuple[str, float]] = []
    with Store(tmp_path, standing=lambda key, detector, now_s: over[0] if over else ("", now_s + 60.0)) as store:
        store.violate()
        store.until(lambda: store.stored() == 1)
        store.step(5_000.0)
        assert len(store.book.open) == 1
        over.append((RELEASED, store.now_s))
        store.until(lambda: store.rows("SELECT why FROM incidents") == [(RELEASED,)])


@pytest.mark.parametrize(
    ("redactor", "stored"),
    [
        (Redactor(PREFIX), "203.0.113.0/24"),
        (Redactor(HMAC, b"k" * 32), Redactor(HMAC, b"k" * 32).address(b"\0" * 10 + b"\xff\xff\xcb\0q\x07")),
    ],
)
def test_no_other_form_of_an_address_is_in_the_file(tmp_path: Path, redactor: Redactor, stored: str) -> None:
    """Neither as text nor as bytes, in no table, not even before anything was written to its place."""
    with Store(tmp_path, redactor=redactor) as store:
        for _ in range(5):
            store.violate()
        store.until(lambda: store.stored() == 5)
        store.until(lambda: store.is_idle)
        assert store.rows("SELECT client FROM incidents UNION SELECT client FROM samples") == [(stored,)]
        assert all("203.0.113.7" not in str(keys) for _, keys in store.events)
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"203.0.113.7" not in everything
    assert b"\xcb\0q\x07" not in everything


def test_a_step_is_short(tmp_path: Path) -> None:
    """10,000 open incidents, half of them changing, a busy writer: a step takes below a ms of the loop's processor time."""
    with Store(tmp_path) as store:
        for number in range(10_000):
            store.violate(number, client=f"10.{number // 200}.{number % 200}.7")
        took = []
        with own_heap():
            for number in range(1_000):
                if number % 10 == 0:
                    for at in range(100):
                        store.violate(number * 5 + at, client=f"10.{number // 200}.{number % 200}.7")
                began_s = time.thread_time()
                store.step(0.02)
                took.append(time.thread_time() - began_s)
        took.sort()
        assert took[len(took) * 98 // 100] < 0.004, "on a quiet core it is 0.5 ms"
        assert took[-1] < 0.03


def test_the_loop_looks_at_its_sockets_within_a_step(tmp_path: Path) -> None:
    """Beside the service's answers no more is done at once than a part: few incidents looked at, few told, one slice handed on."""
    looked: list[int] = []
    store = Store(tmp_path, standing=lambda key, detector, now_s: looked.append(0))
    turns: list[tuple[int, int, int]] = []  # what had been done by each turn of the loop: looked at, told, sent

    async def main() -> None:
        running = asyncio.create_task(store.feed.run())
        while store.feed._status.taken < 300:
            turns.append((len(looked), len(store.events), store.feed._sent))
            await asyncio.sleep(0)
        running.cancel()

    for number in range(300):
        store.violate(number, client=f"203.0.{number}.7" if number < 256 else f"203.1.{number - 256}.7")
    asyncio.run(asyncio.wait_for(main(), 60))
    store.feed.close()
    parts = [[after - before for before, after in pairwise(one)] for one in zip(*turns, strict=True)]
    assert [0 < max(part) <= most for part, most in zip(parts, (LOOKED_AT, NEWS, SLICE), strict=True)] == [True] * 3
    assert all(sum(part[at] > 0 for part in parts) == 1 for at in range(len(turns) - 1) if any(part[at] for part in parts))


def test_other_bounds_after_a_reload(tmp_path: Path) -> None:
    """They reach the writer; the same ones are not sent again."""
    with Store(tmp_path) as store:
        store.until(lambda: store.feed._status.taken == 1, "the first bounds")
        store.feed.set_up(Setup(30, 256, 90))
        store.feed.set_up(Setup(1, 8, 1))
        store.until(lambda: store.feed._status.taken == 2)


def test_feedback_is_bounded(tmp_path: Path) -> None:
    """While nobody writes, a thousand wait, and no more."""
    store = Store(tmp_path)
    taken = [store.feed.feedback(feedback(id=str(number))) for number in range(1_200)]
    assert taken.count(True) == 1_000
    store.feed.close()


def test_a_busy_feed_looks_for_ends_twenty_times_a_second(tmp_path: Path) -> None:
    """However many steps there are in a second; and again at once when the clock was set back."""
    asked: list[float] = []
    with Store(tmp_path, standing=lambda key, detector, now_s: asked.append(now_s)) as store:
        store.violate()
        for _ in range(400):
            store.step(0.005)
        assert 30 <= len(asked) <= 41
        store.step(-3600.0)
        assert asked[-1] == store.now_s
