"""botsieve.config.threshold_models, and how presets fill `action`"""

from __future__ import annotations

import pytest
from botsieve.attacks.types import ACTIONS as WORDS
from botsieve.config import loads
from botsieve.config.threshold_models import ACTIONS, OF_PRESET
from botsieve.detectors.settings import THRESHOLDS


def actions(text: str) -> dict[str, str]:
    """The action of each threshold of the first policy."""
    return {name: settings.action for name, settings in loads(text.encode()).rulebook.policies[0].thresholds.items()}


@pytest.mark.parametrize(("preset", "action"), [("relaxed", "ignore"), ("balanced", "alarm"), ("strict", "block")])
def test_a_preset_fills_the_actions_that_are_left_to_it(preset: str, action: str) -> None:
    """Those of surfing, openings and transactions; the others have their own [S2-20]."""
    found = actions(f"policies: [{{name: a, preset: {preset}}}]")
    assert {name for name, word in ACTIONS.items() if word == OF_PRESET} == {
        "surfing.rapid",
        "sessions.opening",
        "sessions.transactions",
    }
    assert found == {name: action if word == OF_PRESET else word for name, word in ACTIONS.items()}
    assert set(found) == set(THRESHOLDS)


def test_the_nearest_word_wins() -> None:
    """The policy's own, else that of everybody, else the preset of the file, else the packaged one."""
    text = """
presets: {strict: {action: alarm}}
detectors: {human.interaction: {action: preset}, surfing.rapid: {action: ignore}}
policies: [{name: a, preset: strict, detectors: {surfing.rapid: {action: block}}}]
"""
    found = actions(text)
    assert found["human.interaction"] == "alarm"
    assert found["surfing.rapid"] == "block"
    assert found["sessions.transactions"] == "alarm"
    assert found["browser.suspicious"] == "ignore"


def test_numbers_of_a_policy_lie_over_those_of_everybody() -> None:
    """Key by key, in the types of the settings."""
    text = """
detectors: {surfing.rapid: {window_s: 10, pages: 5}}
policies: [{name: a, paths: [/a/], detectors: {surfing.rapid: {pages: 7}}}, {name: b}]
"""
    first, second = loads(text.encode()).rulebook.policies
    assert (first.thresholds["surfing.rapid"].window_s, first.thresholds["surfing.rapid"].pages) == (10.0, 7)
    assert (second.thresholds["surfing.rapid"].window_s, second.thresholds["surfing.rapid"].pages) == (10.0, 5)


def test_every_word_of_an_action_compiles() -> None:
    """What can be written can be used; nothing stays `preset`."""
    for word in (*WORDS, OF_PRESET):
        found = actions("detectors: {" + ", ".join(f"{name}: {{action: {word}}}" for name in THRESHOLDS) + "}")
        assert set(found.values()) <= set(WORDS)
