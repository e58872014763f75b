"""The rules to judge by."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.config.loader import DEFAULT_FILE
from botsieve.errors import ConfigError
from botsieve.observation import pack_address
from botsieve.policy import Rulebook
from botsieve.replay.rules import PACKAGED_CONFIG, rulebook_of

from tests.unit.lookups.mmdb import COUNTRY
from tests.unit.rig import request


def test_the_file_that_is_looked_for_is_that_of_serve() -> None:
    """One path, written twice: naming it must not cost `explain` the time that reading configurations takes."""
    assert str(PACKAGED_CONFIG) == DEFAULT_FILE


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


def test_lists_of_addresses_are_read_too(tmp_path: Path) -> None:
    """A replay judges by the lists that the configuration names, as they are now."""
    config, bad = tmp_path / "botsieve.yaml", tmp_path / "drop.netset"
    bad.write_text("203.0.113.0/24\n")
    config.write_text(f"reputation: [{{file: {bad}, category: spam}}]\n")
    assert rulebook_of(str(config)).is_bad(pack_address("203.0.113.9")) == "spam"


def test_rules_by_origin_ask_the_databases(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A replay judges by the countries and networks that the configuration's databases tell; without a good one no rule matches."""
    config, country = tmp_path / "botsieve.yaml", tmp_path / "country.mmdb"
    country.write_bytes(COUNTRY)
    rule = "{name: elsewhere, when: {country: [DE]}, then: challenge}"
    config.write_text(f"policies: [{{name: site, rules: [{rule}]}}]\ngeo: {{country_mmdb: {country}}}\n")
    for good in (True, False):
        (found,) = rulebook_of(str(config)).policies[0].rules
        assert found.holds(request(client="203.0.113.9"), (), 0) is good
        assert not found.holds(request(client="198.51.100.1"), (), 0)
        assert ("judged without it" in capfd.readouterr().err) is not good
        country.write_bytes(COUNTRY[:200])
