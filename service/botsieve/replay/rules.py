"""Which rules a replay or an explanation judges by: a configuration's, else the packaged defaults."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from botsieve.policy import Rulebook

PACKAGED_CONFIG = Path("/etc/botsieve/botsieve.yaml")


def rulebook_of(config: str | None) -> Rulebook:
    """`config`: a file, None for the packaged defaults.  Errors: ConfigError with every mistake of the file."""
    if config is None:
        return Rulebook()
    from botsieve.config.loader import load  # pydantic and YAML take longer to import than a small log to judge

    loaded = load(config)
    lookups = loaded.service.lookups
    if not (lookups.reputation or lookups.allow or loaded.rulebook.asks_where):
        return loaded.rulebook
    from botsieve.lookups.address_data import read_once

    data = asyncio.run(read_once(lookups))
    for mistake in data.mistakes:
        print(f"botsieve: {mistake}; judged without it", file=sys.stderr)
    return data.lists.into(loaded.rulebook).located(data.places)
