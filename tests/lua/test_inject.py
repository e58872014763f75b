"""resty.botsieve.inject: the nonce of a policy.  (Pages: tests/nginx/test_inject.py.)"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lua.runtime import new_runtime


def _nonce_of() -> Any:
    return new_runtime().execute('return require("resty.botsieve.inject").nonce_of')


NONCE_OF = _nonce_of()


@pytest.mark.parametrize(
    ("policy", "nonce"),
    [
        ("script-src 'nonce-abc123=='", "abc123=="),
        ("default-src 'self'; SCRIPT-SRC 'self' 'nonce-a-b_c+/'", "a-b_c+/"),
        ("default-src 'nonce-abc'", "abc"),
        ("default-src 'nonce-abc'; script-src 'self'", None),
        ("script-src 'nonce-abc'; script-src-elem 'nonce-def'", "def"),
        ("script-src-elem 'nonce-def'; script-src 'nonce-abc'", "def"),
        ("style-src 'nonce-abc'", None),
        ("script-src 'nonce-'", None),
        ("script-src 'nonce-a\"b'", None),
        ("img-src *, script-src 'nonce-abc'", "abc"),
        ("", None),
    ],
)
def test_the_nonce_of_scripts(policy: str, nonce: str | None) -> None:
    """Of the directive that decides about script elements; only what is a nonce."""
    assert NONCE_OF(policy) == nonce


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_policy_gives_a_nonce_or_none(policy: str) -> None:
    """Nothing raises, and what is given cannot end the attribute."""
    nonce = NONCE_OF(policy)
    assert nonce is None or set(nonce) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=-")
