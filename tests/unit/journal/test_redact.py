"""botsieve.journal.redact"""

from __future__ import annotations

import pytest
from botsieve.journal.redact import Redactor, route_text
from botsieve.observation import pack_address
from hypothesis import given
from hypothesis import strategies as st

V4, V6 = pack_address("203.0.113.7"), pack_address("2001:db8:1:2:3::7")
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("form", "v4", "v6"),
    [("full", "203.0.113.7", "2001:db8:1:2:3::7"), ("prefix", "203.0.113.0/24", "2001:db8:1::/48")],
)
def test_addresses_are_shown_as_told(form: str, v4: str, v6: str) -> None:
    """`full` shows the address, `prefix` its network."""
    redactor = Redactor(form)
    assert (redactor.address(V4), redactor.address(V6)) == (v4, v6)
    assert (redactor.network(V4), redactor.network(V6)) == ("203.0.113.0/24", "2001:db8:1::/48")


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_hmac_tells_equal_from_different_and_nothing_else(one: bytes, other: bytes) -> None:
    """The same address gives the same 16 hex digits, another one others, another key others again."""
    redactor = Redactor("hmac", KEY)
    assert redactor.address(one) == Redactor("hmac", KEY).address(one) != Redactor("hmac", KEY[::-1]).address(one)
    assert (redactor.address(one) == redactor.address(other)) == (one == other)
    assert len(redactor.address(one)) == len(redactor.network(one)) == 16


@pytest.mark.parametrize(("form", "key"), [("whole", KEY), ("hmac", b""), ("hmac", b"short")])
def test_wrong_settings_are_refused(form: str, key: bytes) -> None:
    """An unknown form and a key that protects nothing are mistakes, never a silent `full`."""
    with pytest.raises(ValueError, match="accepted"):
        Redactor(form, key)


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("/items/{n}", "/items/{n}"),
        ("/items?page={n}", "/items?page={n}"),
        ("/a?page={n}&token=CANARY", "/a?page={n}&token={}"),
        ("/a?CANARY", "/a?{}"),
        ("/a?k={CANARY1}", "/a?k={}"),
        ("/a?k={n}=CANARY", "/a?k={}"),
    ],
)
def test_a_route_keeps_no_query_value(route: str, shown: str) -> None:
    """Of a route's query only placeholders stay."""
    assert route_text(route) == shown
