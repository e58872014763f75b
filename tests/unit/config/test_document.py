"""botsieve.config.document"""

from __future__ import annotations

from pathlib import Path

from botsieve.config.document import document

PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"


def test_the_page_is_what_the_models_say() -> None:
    """docs/settings.md is never edited and never out of date."""
    assert PAGE.read_text() == document()


def test_the_page_names_defaults_and_sources() -> None:
    """A few that others rely on."""
    page = document()
    for line in (
        "| `challenge_at` | `45` |",
        "| `max_mib` | `512` |",
        '| `sees` | `"auto"` |',
        "Refused in this version: `envoy`, `haproxy`.",
        "[S1-15, S1-16]",
    ):
        assert line in page
