"""store/figures.py: what Prometheus is told."""

from __future__ import annotations

from pathlib import Path

from botsieve.attacks.types import ATTACK_TYPES, BOT_DETECTED
from botsieve.challenge.feedback import OUTCOMES
from botsieve.store.figures import families

from tests.store.rig import Store


def test_every_series_is_there_before_it_happens(tmp_path: Path) -> None:
    """Six attack types and four outcomes, all ours: nobody can add a series."""
    store = Store(tmp_path)
    for number in range(3):
        store.violate(number % 2)
    store.violate(9, attack_type="something else")
    found = {}
    for family in families(store.feed, {"taken": 2, "strange": 9}):
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    assert found["botsieve_incidents_total", BOT_DETECTED] == 2
    assert found["botsieve_violations_total", BOT_DETECTED] == 3
    assert found[("botsieve_incidents_open",)] == 3
    assert found["botsieve_feedback_total", "taken"] == 2
    assert found[("botsieve_store_failing",)] == 0
    assert found[("botsieve_store_lost_total",)] == 0
    assert len(found) == 2 * len(ATTACK_TYPES) + len(OUTCOMES) + 3
