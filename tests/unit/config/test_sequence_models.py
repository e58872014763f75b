"""config/sequence_models.py: each rule has a key, for everybody and for a policy."""

from __future__ import annotations

from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.config.loader import loads
from botsieve.config.sequence_models import SequenceRulesModel
from botsieve.config.settings import Loaded
from botsieve.detectors.settings import HumanInteraction


def rules(loaded: Loaded, policy: int = 0) -> SequenceRules:
    settings = loaded.rulebook.policies[policy].thresholds["human.interaction"]
    assert isinstance(settings, HumanInteraction)
    return settings.sequence_rules


def test_every_setting_has_a_key() -> None:
    """Nothing that the rules look at is out of reach."""
    assert set(SequenceRulesModel.model_fields) == set(SequenceRules.__struct_fields__)


def test_nothing_written_is_the_packaged_rules() -> None:
    """Defaults stand in one place."""
    assert rules(loads(b"bot_at: 60\n")) == SequenceRules()


def test_a_policy_changes_single_rules() -> None:
    """What everybody's section says holds on beside what a policy adds."""
    loaded = loads(
        b"detectors:\n  human.interaction: {sequence_rules: {press_dwell_ms: 20, strict: true}}\n"
        b"policies:\n"
        b"  - {name: kiosk, paths: [/kiosk/], detectors: {human.interaction: {sequence_rules: {tap_dwell_ms: 0}}}}\n"
        b"  - name: site\n"
    )
    assert rules(loaded, 0) == SequenceRules(press_dwell_ms=20, strict=True, tap_dwell_ms=0)
    assert rules(loaded, 1) == SequenceRules(press_dwell_ms=20, strict=True)
