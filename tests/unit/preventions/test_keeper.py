"""botsieve.preventions.keeper"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from botsieve.preventions.keeper import Keeper

from tests.unit.attacks.surfers import strict, surf
from tests.unit.rig import START_S, Rig


def keeper(rig: Rig, folder: Path, told: list[tuple[str, dict[str, Any]]]) -> Keeper:
    """At START_S + 20 s."""
    return Keeper(rig.engine.attacks, str(folder), lambda: START_S + 20.0, lambda name, **keys: told.append((name, keys)))


def test_a_prevention_outlives_a_restart(tmp_path: Path) -> None:
    """The next process blocks at the first request."""
    told: list[tuple[str, dict[str, Any]]] = []
    before = Rig(strict())
    surf(before, 31)
    assert asyncio.run(keeper(before, tmp_path, told).keep())
    after = Rig(strict())
    assert after.ask("/contact", at_s=20.0).verdict == "allow"
    assert keeper(after, tmp_path, told).load() == 1
    decision = after.ask("/contact", at_s=20.0)
    assert (decision.verdict, decision.rule) == ("block", "prevention")
    assert after.ask("/contact", at_s=200.0).verdict == "allow"
    assert told == []


def test_it_is_written_when_something_changed_and_only_then(tmp_path: Path) -> None:
    """A beginning, a release; `close` writes what `keep` has not."""
    rig = Rig(strict())
    ours = keeper(rig, tmp_path, [])
    ours.load()
    assert not asyncio.run(ours.keep())
    surf(rig, 31)
    assert asyncio.run(ours.keep())
    assert not asyncio.run(ours.keep())
    (one,) = rig.engine.attacks.preventions.running(START_S + 20.0)
    rig.engine.attacks.release(one, START_S + 20.0)
    ours.close()
    after = Rig(strict())
    keeper(after, tmp_path, []).load()
    assert after.ask("/contact", at_s=20.0).verdict == "allow"


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    """And changes no decision."""
    told: list[tuple[str, dict[str, Any]]] = []
    rig = Rig(strict())
    ours = keeper(rig, tmp_path / "missing", told)
    ours.load()
    surf(rig, 31)
    assert not asyncio.run(ours.keep())
    assert not asyncio.run(ours.keep())
    assert told == [("preventions_not_kept", {"error": "No such file or directory"})]
    assert rig.ask("/contact", at_s=20.0).verdict == "block"


def test_garbage_is_told(tmp_path: Path) -> None:
    """And nothing is in force."""
    told: list[tuple[str, dict[str, Any]]] = []
    (tmp_path / "preventions").write_bytes(b"\0" * 100_000)
    rig = Rig(strict())
    assert keeper(rig, tmp_path, told).load() == 0
    assert told[0][0] == "preventions_strange"
    assert rig.ask("/").verdict == "allow"


def test_the_loop_forgets_and_keeps(tmp_path: Path) -> None:
    """Running, it writes at once what is there, and its end is clean."""
    rig = Rig(strict())
    surf(rig, 31)
    ours = keeper(rig, tmp_path, [])

    async def run() -> None:
        task = asyncio.get_running_loop().create_task(ours.run())
        async with asyncio.timeout(60):
            while not (tmp_path / "preventions").exists():
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert (tmp_path / "preventions").read_bytes().count(b"\n") == 2
