"""challenge/languages.py: Accept-Language and the texts."""

from __future__ import annotations

import pytest
from botsieve.challenge.assets import TEXTS
from botsieve.challenge.languages import language_of, texts_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (b"", "en"),
        (b"de", "de"),
        (b"de-AT,de;q=0.9,en;q=0.8", "de"),
        (b"DE-at", "de"),
        (b"fr,de,es;q=0.9", "fr"),
        (b"xx, fr;q=0.5, es;q=0.6", "es"),
        (b"fr;q=0, es;q=0.1", "es"),
        (b"und", "en"),
        (b"*", "en"),
        (b"und-x-private, *;q=0.5, fr;q=0.1", "fr"),
        (b"de;q=nonsense, fr;q=0.2", "fr"),
        (b"\xff\xfe, de;q=0.3", "de"),
        (b"xx," * 12 + b"de", "en"),
        (b" " * 300 + b"de", "en"),
    ],
)
def test_the_best_supported_language(header: bytes, language: str) -> None:
    """Highest weight first, then the order sent, regions ignored, everything unknown or malformed passed over, bounded."""
    assert language_of(header) == language


@given(st.binary(max_size=400))
def test_any_header_gives_texts(header: bytes) -> None:
    """Nothing that a client sends as Accept-Language raises."""
    assert texts_of(header)["lang"] in TEXTS


def test_every_language_has_every_text() -> None:
    """No page has a hole in one language, and what is filled in has its place in all."""
    assert set(TEXTS) >= {"en", "de", "fr", "es"}
    for texts in TEXTS.values():
        assert set(texts) == set(TEXTS["en"])
        assert all(text.strip() for text in texts.values())
        assert [key for key in texts if "{seconds}" in texts[key]] == [key for key in texts if "{seconds}" in TEXTS["en"][key]]
