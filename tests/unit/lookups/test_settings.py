"""lookups/settings.py: which lists are read, in which order."""

from __future__ import annotations

from botsieve.lookups.settings import ListEntry, LookupSettings


def test_lists_that_block_come_first_and_ignored_ones_not_at_all() -> None:
    """Otherwise the order of the file."""
    entries = (
        ListEntry("/a", "a"),
        ListEntry("/b", "b", "block"),
        ListEntry("/c", "c", "ignore"),
        ListEntry("/d", "d", "block"),
    )
    assert [entry.file for entry in LookupSettings(entries).by_strictness] == ["/b", "/d", "/a"]


def test_databases_that_are_named() -> None:
    """By what they tell."""
    assert LookupSettings().databases == ()
    assert LookupSettings(country_mmdb="/c").databases == (("country", "/c"),)
