"""Facts are plain values."""

from __future__ import annotations

from botsieve.challenge.browser_facts import BY_DEVICE, BY_FINGERPRINT, Fact
from botsieve.detectors.settings import SessionResets


def test_the_words_are_those_of_the_setting() -> None:
    """What a fact is noticed by can be switched off by `sessions.resets.by`."""
    assert {BY_DEVICE, BY_FINGERPRINT} == set(SessionResets().by)


def test_a_fact_names_nobody_unless_told() -> None:
    """No device, no browser, no points by default."""
    assert Fact("suspicious") == Fact("suspicious", "", b"", b"", "", 0, False)
