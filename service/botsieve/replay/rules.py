"""Which rules a replay or an explanation judges by: a configuration's, else the packaged defaults."""

from __future__ import annotations

import asyncio
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
    if not (lookups.reputation or lookups.allow):
        return loaded.rulebook
    from botsieve.lookups.address_data import read_once

    return asyncio.run(read_once(lookups)).lists.into(loaded.rulebook)
