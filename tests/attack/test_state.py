"""Floods against what is remembered: nobody else's verdict changes, and memory stays where it was promised.

Scaled to seconds; `python -m tests.bench.attack_on_state` does the same with a million.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from functools import cache

import pytest
from botsieve.challenge.binding import place_of
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.cookies import carried_cookies
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.tokens import key_is_known
from botsieve.engine import Engine
from botsieve.policy import Policy, Rulebook

from tests.attack.floods import (
    FLOOD_S,
    FLOODS,
    MIB,
    START_S,
    Defence,
    cookies,
    digest,
    key_ids,
    long_names,
    one_per_64,
    pour,
    request,
    watch,
)
from tests.bench.attack_on_state import attack
from tests.conftest import ROOT

WATCHED = 100
MAX_MIB = 8  # room for about 20,000 clients seen once


@cache
def _attacked(flood: str, size: int) -> dict[str, float]:
    """The flood in a process of its own: memory of other tests is not in the figures."""
    call = f"attack({flood!r}, {size}, watched={WATCHED}, max_mib={MAX_MIB})"
    code = f"import json; from tests.bench.attack_on_state import attack; print(json.dumps({call}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("flood", ["one_per_64", "user_agents", "fingerprints", "cookies", "key_ids"])
def test_one_request_each_changes_nobody(flood: str) -> None:
    """Clearance, session, human evidence and suspicion outlive more newcomers than there is room for."""
    found = _attacked(flood, 20_000)
    assert found["refused"] == WATCHED / 5  # the scrapers among the watched
    assert found["flips"] == 0


@pytest.mark.parametrize(
    ("flood", "size"), [("one_per_64", 20_000), ("twice_per_64", 16_000), ("busy_64", 16_000), ("networks", 16_000)]
)
def test_memory_stays_below_its_bound(flood: str, size: int) -> None:
    """However the flood is made, resident memory grows by no more than max_mib and a twentieth."""
    found = _attacked(flood, size)
    assert found["accounted"] <= MAX_MIB * MIB
    assert found["grown"] <= MAX_MIB * MIB * 1.05
    assert found["clients"] > 500  # and it did remember somebody


def test_long_texts_are_not_remembered() -> None:
    """Beside the tables, decisions that may be asked about twice hold no path and no User-Agent of 16 KiB."""
    defence = Defence(MAX_MIB)
    pour(defence, one_per_64, 200)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    pour(defence, long_names, 1_000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1_000 * 6_000  # 32,000 of text in each


def test_the_long_request_asked_twice_counts_once() -> None:
    """A request with a path of 16 KiB is still known again, and another one of the same beginning is not taken for it."""
    defence = Defence(MAX_MIB)
    first, other = long_names(1, START_S), long_names(2, START_S)
    one = defence.engine.decide(first, START_S, "first")
    assert defence.engine.decide(first, START_S, "again") is one
    assert defence.engine.decide(other, START_S, "other") is not one


def test_nobody_can_fill_one_shard() -> None:
    """Keys are hashes under a secret: addresses in a row, which collide under a plain hash, lie evenly in all shards."""
    defence = Defence(64)
    for n in range(20_000):
        defence.ask(request(b"\x20\x01" + (n << 8).to_bytes(6, "big") + b"\0" * 8, START_S, b"/", {b"user-agent": b"x"}))
    clients = defence.engine.world.clients
    newcomers = clients.parts[len(clients.parts) // 2 :]
    sizes = [len(part.young) + len(part.old) for part in newcomers]
    assert sum(sizes) == 20_000
    assert len(sizes) >= 16
    assert max(sizes) <= 20_000 / len(sizes) * 1.25  # 6 standard deviations


def test_addresses_that_collide_under_one_secret_do_not_under_another() -> None:
    """What an attacker learns of one deployment is of no use at the next."""

    def shards(secret: bytes) -> list[int]:
        world = Engine(Rulebook(policies=(Policy(),)), secret, max_bytes=MIB).world
        return [world.client_key(one_per_64(n, START_S))[0] for n in range(4_000)]

    first, second = shards(b"a" * 16), shards(b"b" * 16)
    together = [other for own, other in zip(first, second, strict=True) if own == 0]
    assert len(together) > 4
    assert len(set(together)) > len(together) / 2


def _minted(clearances: Clearances, n: int, agent: bytes = b"Mozilla/5.0") -> bytes:
    o = request(b"\x20\x01" + digest(n, 14), START_S, b"/", {b"user-agent": agent})
    cookie = clearances.mint(o, nonce=digest(n, 16), level="normal", no_js=False, place=place_of(o), family=b"", now_s=START_S)
    assert cookie is not None
    return cookie.partition(";")[0].encode()


def test_forged_clearances_leave_nothing() -> None:
    """10,000 different forgeries: none is honoured, and no memory of them is kept."""
    clearances = Clearances(ChallengeSettings(), KeyRing((b"k" * 32,)))
    good = _minted(clearances, 1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(10_000):
        at = 30 + n % 40
        forged = good[:at] + digest(n, 4).hex().encode() + good[at + 8 :]
        o = request(b"\x20\x01" + digest(1, 14), START_S, b"/", {b"user-agent": b"Mozilla/5.0", b"cookie": forged})
        assert clearances.standing(o, START_S) is None
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000


def test_one_clearance_from_everywhere_takes_no_memory() -> None:
    """A solved clearance with a User-Agent of 16 KiB, sent from thousands of addresses: cleared in few places, kept nowhere."""
    clearances = Clearances(ChallengeSettings(), KeyRing((b"k" * 32,)))
    agent = b"Mozilla/5.0 " + b"x" * 16_000
    cookie = _minted(clearances, 1, agent)
    cleared = 0
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(3_000):
        o = request(
            b"\x20\x01" + digest(n, 14), START_S, b"/", {b"user-agent": b"" + agent[:-1] + b"x", b"cookie": cookie + b""}
        )
        cleared += clearances.standing(o, START_S) is not None
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert cleared <= ChallengeSettings().roam + 1
    assert grown < 3_000 * 200


def test_solved_clearances_push_out_only_counters() -> None:
    """More solved challenges than are remembered: a person's clearance, which is in the cookie, is honoured as before."""
    clearances = Clearances(ChallengeSettings(), KeyRing((b"k" * 32,)), limit=500)
    own = _minted(clearances, 0)
    for n in range(1, 3_000):
        _minted(clearances, n)
    o = request(b"\x20\x01" + digest(0, 14), START_S + 60, b"/", {b"user-agent": b"Mozilla/5.0", b"cookie": own})
    assert clearances.standing(o, START_S + 60) is not None
    assert len(clearances._memories) <= 500


def test_the_watched_are_what_they_say() -> None:
    """The measure itself: without a flood a tool is let through by its clearance, people are, and a scraper is not."""
    heard = [one.ask(START_S + FLOOD_S) for one in watch(Defence(64), 10)]
    assert [decision.rule for decision in heard[:5]] == [
        "clearance",
        "threshold.allow",
        "threshold.allow",
        "threshold.challenge",
        "threshold.allow",
    ]
    assert [decision.rule for decision in heard[5:]] == [decision.rule for decision in heard[:5]]
    assert set(FLOODS) >= {"one_per_64", "networks"}
    assert attack("cookies", 10, watched=10)["flips"] == 0


def test_a_forgotten_hand_would_be_seen() -> None:
    """The measure itself: a person whose report was lost is blocked, and so are forged cookies of ours read one by one."""
    person = watch(Defence(64), 5)[4]
    person._defence = Defence(64)
    assert person.ask(START_S + FLOOD_S).rule == "prevention"
    for flood in (cookies, key_ids):
        carried = carried_cookies(flood(7, START_S))
        assert [len(values) for values in carried] == [1, 1, 1]
        assert key_is_known(Defence(1).clearances.keys, carried[0][0]) is (flood is cookies)
        assert Defence(1).clearances.standing(flood(7, START_S), START_S) is None
