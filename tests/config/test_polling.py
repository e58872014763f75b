"""botsieve.config.polling"""

from __future__ import annotations

import asyncio
from pathlib import Path

from botsieve.config.polling import Looks, stamp


def test_a_stamp_tells_size_time_and_file(tmp_path: Path) -> None:
    """Missing files and impossible names are part of it."""
    file = tmp_path / "a"
    assert stamp((str(file), "a\0b")) == (None, None)
    file.write_text("1")
    first = stamp((str(file),))
    other = tmp_path / "b"
    other.write_text("2")
    other.replace(file)
    assert stamp((str(file),)) != first


def test_who_asks_does_not_wait_for_the_turn() -> None:
    """A look comes by itself or at once when it is asked for; who asks twice before it gets one, who asks after it another."""

    async def scenario() -> list[bool]:
        rare, often = Looks(600.0), Looks(0.001)
        rare.now()
        rare.now()
        found = [await rare.next(), await often.next(), rare._asked.is_set()]
        rare.now()
        return [*found, await rare.next()]

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) == [True, False, False, True]
