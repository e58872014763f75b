"""Sections `device` and `browser`, and the list of extensions."""

from __future__ import annotations

import pytest
from botsieve.challenge.extensions import parse_probe
from botsieve.config import loads
from botsieve.errors import ConfigError


def test_everything_is_off_unless_switched_on() -> None:
    """Nothing is stored in or read out of a browser by default; an id is valid for 120 minutes."""
    service = loads(b"# nothing\n").service
    assert (service.device.enabled, service.device.valid_min, service.browser.fingerprint) == (False, 120, False)


def test_what_is_written_arrives() -> None:
    """Switches, minutes, and each line of the list as it was written."""
    line = "Scraper = selector #scraper"
    loaded = loads(
        b"device: {enabled: true, valid_min: 45}\nbrowser: {fingerprint: true}\n"
        b"detectors: {browser.suspicious: {action: alarm, extensions: ['" + line.encode() + b"']}}"
    )
    assert (loaded.service.device.enabled, loaded.service.device.valid_min) == (True, 45)
    assert loaded.service.browser.fingerprint
    assert loaded.rulebook.policies[0].thresholds["browser.suspicious"].extensions == (line,)  # type: ignore[attr-defined]
    assert parse_probe(line).name == "Scraper"


@pytest.mark.parametrize("value", ["Scraper", "17", "[]", "'Scraper = file:///etc/passwd'"])
def test_a_line_that_names_no_extension(value: str) -> None:
    """Refused with what is accepted."""
    with pytest.raises(ConfigError, match=r"accepted: NAME = chrome-extension"):
        loads(f"detectors: {{browser.suspicious: {{extensions: [{value}]}}}}".encode())


def test_human_evidence_is_on_and_the_script_is_yours_to_add() -> None:
    """Events need no storage; nobody's pages are changed by default."""
    browser = loads(b"# nothing\n").service.browser
    assert (browser.events, browser.inject) == (True, "none")
    browser = loads(b"browser: {events: false, inject: sub_filter}\n").service.browser
    assert (browser.events, browser.inject) == (False, "sub_filter")


def test_a_way_that_there_is_not() -> None:
    """Refused with the four that there are."""
    with pytest.raises(ConfigError, match=r"none, by_hand, sub_filter or lua|none, by_hand, sub_filter, lua"):
        loads(b"browser: {inject: magic}\n")
