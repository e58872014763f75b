"""botsieve.config.detector_models"""

from __future__ import annotations

import pytest
from botsieve.config import loads
from botsieve.errors import ConfigError
from botsieve.state.profiles import MAX_ADDRESSES, MAX_ITEMS
from botsieve.state.world import WINDOW_S


@pytest.mark.parametrize(
    ("setting", "most"),
    [
        ("traversal.volume: {steps: [{items_at_least: %d, points: 5}]}", MAX_ITEMS),
        ("network.busy_range: {addresses_at_least: %d}", MAX_ADDRESSES),
        ("traversal.volume: {window_s: %d}", int(WINDOW_S)),
    ],
)
def test_a_limit_that_the_state_cannot_remember_is_refused(setting: str, most: int) -> None:
    """At its bound a limit is accepted, one above it would be a finding that never comes."""
    loads(f"detectors:\n  {setting % most}\n".encode())
    with pytest.raises(ConfigError, match="too large"):
        loads(f"detectors:\n  {setting % (most + 1)}\n".encode())
