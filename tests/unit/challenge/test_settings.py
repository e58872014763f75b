"""challenge/settings.py: bounds of what an operator can set."""

from __future__ import annotations

import pytest
from botsieve.challenge.settings import DEFAULT_LEVELS, ChallengeSettings, LevelSettings, NoJsSettings


def test_packaged_values() -> None:
    """The defaults are those of docs/settings.md."""
    packaged = ChallengeSettings()
    assert {name: (level.puzzles, level.bits) for name, level in packaged.levels.items()} == {
        "light": (16, 12),
        "normal": (16, 14),
        "hard": (16, 16),
    }
    assert (packaged.prefix, packaged.page_status, packaged.valid_s, packaged.clearance_s) == ("/.botsieve/", 403, 300, 1800)
    assert (packaged.roam, packaged.clearance_requests, packaged.per_prefix_per_min, packaged.loop_limit) == (4, 300, 60, 3)
    assert packaged.no_js == NoJsSettings(enabled=True, wait_s=5, clearance_s=300, score_below=60)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("prefix", ".botsieve/"),
        ("prefix", "/.botsieve"),
        ("prefix", "/"),
        ("prefix", '/"><script>/'),
        ("page_status", 302),
        ("page_status", 204),
        ("page_status", 503),
        ("levels", {"normal": LevelSettings(16, 14)}),
        ("levels", {**DEFAULT_LEVELS, "light": LevelSettings(16, 0)}),
        ("levels", {**DEFAULT_LEVELS, "hard": LevelSettings(16, 23)}),
        ("levels", {**DEFAULT_LEVELS, "hard": LevelSettings(0, 16)}),
        ("levels", {**DEFAULT_LEVELS, "hard": LevelSettings(65, 16)}),
        ("valid_s", 0),
        ("clearance_s", 86_401),
        ("roam", -1),
        ("clearance_requests", 0),
        ("per_prefix_per_min", 0),
        ("loop_limit", 0),
        ("no_js", NoJsSettings(wait_s=0)),
        ("contact", "javascript:alert(1)"),
        ("contact", 'https://x/"onclick="x'),
        ("contact", "a@" + "b" * 500),
        ("contact", "not an address"),
        ("contact", "javascript:alert(1)@x"),
    ],
)
def test_values_out_of_bounds_are_refused(key: str, value: object) -> None:
    """The message names the key and what is accepted; a difficulty of zero cannot be set."""
    with pytest.raises(ValueError, match=rf"challenge\.{key}.*accepted"):
        ChallengeSettings(**{key: value})  # type: ignore[arg-type]


def test_contact_is_a_mail_address_or_a_link() -> None:
    """A mail address becomes a mail link."""
    assert ChallengeSettings(contact="help@shop.example").contact_link == "mailto:help@shop.example"
    assert ChallengeSettings(contact="mailto:help@shop.example").contact_link == "mailto:help@shop.example"
    assert ChallengeSettings(contact="https://shop.example/help").contact_link == "https://shop.example/help"
    assert ChallengeSettings().contact_link == ""
