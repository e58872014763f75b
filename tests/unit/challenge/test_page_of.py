"""challenge/page_of.py: the page that a call of our script is about."""

from __future__ import annotations

import pytest
from botsieve.challenge.page_of import page_of
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge.builders import request


def called(referer: bytes) -> bytes:
    return page_of(request(uri=b"/.botsieve/e", headers={b"referer": referer})).path


@pytest.mark.parametrize(
    ("referer", "path"),
    [
        (b"https://shop.example/items/17?q=1", b"/items/17"),
        (b"https://SHOP.example:8443/a/../b", b"/b"),
        (b"https://shop.example/", b"/"),
        (b"https://evil.example/items/17", b"/.botsieve/e"),
        (b"https://shop.example", b"/.botsieve/e"),
        (b"/items/17", b"/.botsieve/e"),
        (b"", b"/.botsieve/e"),
        (b"https://shop.example/" + b"a" * 3000, b"/.botsieve/e"),
    ],
)
def test_the_referer_names_it(referer: bytes, path: bytes) -> None:
    """A page of this host; nothing else is believed."""
    assert called(referer) == path


@given(st.binary(max_size=3000))
def test_any_referer_gives_a_path(referer: bytes) -> None:
    """Nothing raises."""
    assert called(referer).startswith(b"/")
