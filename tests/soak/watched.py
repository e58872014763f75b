"""`botsieve serve` that writes down twice a second how many asyncio tasks it has: what nobody can see from outside.

Run as `python -m tests.soak.watched FILE --config CONFIG`.  Nothing else of the service is changed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

EVERY_S = 0.5


def main() -> None:
    """Serves, and puts the number of its tasks (without the one that counts) into the file."""
    from botsieve.cli import main as botsieve
    from botsieve.serve import Server

    file = Path(sys.argv[1])
    fresh = file.with_suffix(".new")
    run = Server.run

    async def counted(self: Server, started: float, notes: list[str]) -> None:
        async def count() -> None:
            while True:
                fresh.write_text(str(len(asyncio.all_tasks()) - 1))
                fresh.replace(file)  # whoever reads it reads a whole number
                await asyncio.sleep(EVERY_S)

        counting = asyncio.get_running_loop().create_task(count())
        try:
            await run(self, started, notes)
        finally:
            counting.cancel()

    Server.run = counted  # type: ignore[method-assign]
    sys.exit(botsieve(["serve", *sys.argv[2:]]))


if __name__ == "__main__":
    main()
