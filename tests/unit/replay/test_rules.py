"""The rules to judge by."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.errors import ConfigError
from botsieve.policy import Rulebook
from botsieve.replay.rules import rulebook_of


def test_packaged_defaults() -> None:
    """Without a file nothing is read."""
    assert rulebook_of(None) == Rulebook()


def test_configuration(tmp_path: Path) -> None:
    """A file's policies, or all its mistakes."""
    config = tmp_path / "botsieve.yaml"
    config.write_text("policies: [{name: site, audience: browser}]\n")
    assert rulebook_of(str(config)).policies[0].audience == "browser"
    config.write_text("policies: [{name: site, audience: nobody}]\n")
    with pytest.raises(ConfigError, match="audience"):
        rulebook_of(str(config))
