"""Policies whose thresholds block, and clients that surf."""

from __future__ import annotations

from typing import Any

import msgspec
from botsieve.decision import Decision
from botsieve.detectors.settings import THRESHOLDS, Threshold
from botsieve.policy import Policy

from tests.unit.rig import Rig, enforcing


def blocking(**changes: Threshold) -> dict[str, Threshold]:
    """All thresholds with action block; `surfing_rapid=` stands for `surfing.rapid`."""
    thresholds = {name: msgspec.structs.replace(settings, action="block") for name, settings in THRESHOLDS.items()}
    return thresholds | {name.replace("_", ".", 1): settings for name, settings in changes.items()}


def strict(**changes: Any) -> Policy:
    """Thresholds block, scores do not."""
    return enforcing(**{"thresholds": blocking(), "challenge_at": 100, "block_at": 100} | changes)


def surf(rig: Rig, pages: int, *, at_s: float = 0.0, every_s: float = 0.5, **facts: Any) -> Decision:
    """So many different pages; the last decision."""
    for number in range(pages):
        decision = rig.ask(f"/p{number:04d}/{at_s:.0f}/x", at_s=at_s + number * every_s, **facts)
    return decision
