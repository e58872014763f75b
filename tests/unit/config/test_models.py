"""botsieve.config.models, detector_models, policy_models, service_models: what the packaged defaults are."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from botsieve.challenge.settings import ChallengeSettings
from botsieve.config import load, loads
from botsieve.config.detector_models import Detectors, FamilyMaxModel
from botsieve.config.effective import plan_of
from botsieve.config.models import Configuration
from botsieve.config.plan import config_id
from botsieve.config.section import Section, inner_section, keys_of
from botsieve.config.settings import JournalSettings, SessionSettings, StateSettings
from botsieve.detectors.settings import DEFAULTS, FAMILY_MAX, THRESHOLDS
from botsieve.policy import Policy, Rulebook

ROOT = Path(__file__).resolve().parents[3]


def test_the_documented_defaults_are_the_defaults() -> None:
    """docs/botsieve.yaml can be copied as it is, and is the packaged configuration to the last value."""
    documented = loads((ROOT / "docs" / "botsieve.yaml").read_bytes())
    assert documented.warnings == ()
    assert documented.config == config_id(plan_of(Configuration()))


def test_what_the_documentation_calls_later_is_refused_as_later() -> None:
    """A key that is commented out and marked so is one that a section knows for later, and the other way round."""
    text = (ROOT / "docs" / "botsieve.yaml").read_text()
    marked = set(re.findall(r"^ *# (\w+):.*# later$", text, re.MULTILINE))
    assert marked == later_of(Configuration)


def later_of(section: type[Section]) -> set[str]:
    """The keys of later versions, of a section and of all inside it."""
    inner = [one for info in keys_of(section).values() if (one := inner_section(info)) is not None]
    return set(section.later).union(*map(later_of, inner))


def test_no_file_gives_the_core_defaults() -> None:
    """The rulebook of no file decides as `Rulebook()` does; the service settings are those of their structs."""
    loaded = loads(b"# nothing\n")
    assert loaded.config == load(None).config
    policy, packaged = loaded.rulebook.policies[0], Policy()
    for field in Policy.__struct_fields__:
        ours, theirs = getattr(policy, field), getattr(packaged, field)
        assert getattr(ours, "texts", ours) == getattr(theirs, "texts", theirs), field
    assert loaded.rulebook.bot_at == Rulebook().bot_at
    assert loaded.service.challenge == ChallengeSettings()
    assert loaded.service.state == StateSettings()
    assert loaded.service.journal == JournalSettings()
    assert loaded.service.sessions == SessionSettings()


def test_every_setting_of_every_finding_can_be_set() -> None:
    """The models know the findings and settings of detectors/settings.py, all of them and no others."""
    models = {key: inner_section(info) for key, info in keys_of(Detectors).items()}
    assert models.pop("family_max") is FamilyMaxModel
    settings = dict(DEFAULTS) | dict(THRESHOLDS)
    assert set(models) == set(settings)
    for signal, model in models.items():
        assert model is not None
        known = set(keys_of(model))
        fields = set(type(settings[signal]).__struct_fields__)
        assert known == fields, signal


def test_every_default_of_a_finding_would_be_accepted() -> None:
    """The packaged numbers lie inside the bounds that the models set."""
    written = {}
    for signal, settings in (dict(DEFAULTS) | dict(THRESHOLDS)).items():
        values = msgspec.to_builtins(settings)
        if "steps" in values:
            del values["points"]
        written[signal] = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    Configuration.model_validate({"detectors": {**written, "family_max": dict(FAMILY_MAX)}})


@pytest.mark.parametrize("family", sorted({signal.partition(".")[0] for signal in DEFAULTS}))
def test_every_family_can_be_capped(family: str) -> None:
    """`family_max` knows the families of all findings."""
    assert family in FamilyMaxModel.model_fields
