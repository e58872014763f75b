"""challenge/cookies.py: reading and writing our cookies."""

from __future__ import annotations

import pytest
from botsieve.challenge.cookies import CLEARANCE_COOKIE, MAX_COOKIES, MAX_SAME_NAME, carried_cookies, cookie_values, set_cookie
from hypothesis import given
from hypothesis import strategies as st

from .builders import request


def _values(cookie: bytes, scheme: bytes = b"https") -> list[bytes]:
    return cookie_values(request(headers={b"cookie": cookie}, scheme=scheme), CLEARANCE_COOKIE)


def test_all_cookies_of_the_name_are_given() -> None:
    """Several of one name come in the order sent, others are left out."""
    assert _values(b"a=1; __Host-botsieve_c=x; botsieve_c=no;__Host-botsieve_c=y;x__Host-botsieve_c=z") == [b"x", b"y"]


def test_each_scheme_has_its_name() -> None:
    """On https only the name that no other host can set counts; without a known scheme both do."""
    both = b"__Host-botsieve_c=secure; botsieve_c=plain"
    assert _values(both) == [b"secure"]
    assert _values(both, b"http") == [b"plain"]
    assert _values(both, b"") == [b"secure", b"plain"]


def test_at_most_eight_are_looked_at() -> None:
    """Who sends a thousand cookies of one name is looked at eight times."""
    assert len(_values(b"; ".join([b"__Host-botsieve_c=x"] * 1000))) == MAX_SAME_NAME


def test_only_so_many_cookies_are_looked_at() -> None:
    """Twice as many as a browser keeps: a header of nothing but semicolons costs no more than they do."""
    assert _values(b"a=1; " * (MAX_COOKIES - 1) + b"__Host-botsieve_c=x") == [b"x"]
    assert _values(b"a=1; " * MAX_COOKIES + b"__Host-botsieve_c=x") == []
    assert _values(b"__Host-botsieve_c=x; " + b";" * 16_000) == [b"x"]


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (b"https", "__Host-botsieve_c=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"),
        (b"http", "botsieve_c=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"),
    ],
)
def test_attributes(scheme: bytes, text: str) -> None:
    """The cookie is host-only, unreadable to script, and Secure with the `__Host-` name on https."""
    assert set_cookie(request(scheme=scheme), CLEARANCE_COOKIE, "v", 60) == text


@pytest.mark.parametrize(
    ("scheme", "site", "attribute"),
    [(b"https", b"same-origin", "SameSite=None"), (b"https", b"", "SameSite=Lax"), (b"http", b"same-origin", "SameSite=Lax")],
)
def test_a_cookie_that_comes_with_forms_of_other_sites(scheme: bytes, site: bytes, attribute: str) -> None:
    """Only on https, and only for browsers that say where a request comes from: older ones take None for Strict."""
    o = request(scheme=scheme, headers={b"sec-fetch-site": site})
    assert attribute in set_cookie(o, CLEARANCE_COOKIE, "v", 60, returns=True).split("; ")


@given(st.binary(max_size=300), st.sampled_from([b"http", b"https", b"", b"x"]))
def test_any_cookie_header_gives_a_list(cookie: bytes, scheme: bytes) -> None:
    """Nothing that a client sends as Cookie raises."""
    assert len(_values(cookie + b";botsieve_c=" + cookie, scheme)) <= MAX_SAME_NAME


def _taken_apart(cookie: bytes, scheme: bytes, base: bytes = b"botsieve_c") -> list[bytes]:
    """The same by its definition: parts between semicolons, without blanks around, name up to the first `=`."""
    names = {b"https": (b"__Host-" + base,), b"http": (base,)}.get(scheme, (b"__Host-" + base, base))
    parts = [part.strip().partition(b"=") for part in cookie.split(b";")]
    return [value for name, mark, value in parts if name in names and mark][:MAX_SAME_NAME]


PIECES = [
    b"botsieve_",
    b"botsieve_s=",
    b"botsieve_d=",
    b"__Host-botsieve_s=",
    b"botsieve_c=",
    b"__Host-",
    b"__Host-botsieve_c=",
    b"botsieve_c",
    b"=",
    b";",
    b"; ",
    b" ",
    b"\t",
    b"\x0b",
    b"v",
    b"_",
    b"x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.sampled_from([b"http", b"https", b""]))
def test_found_is_what_taking_apart_finds(cookie: bytes, scheme: bytes) -> None:
    """Looking for the name alone, which is three times as fast, finds neither more nor less."""
    found = carried_cookies(request(headers={b"cookie": cookie}, scheme=scheme))
    assert _values(cookie, scheme) == found[0]
    for values, base in zip(found, (b"botsieve_c", b"botsieve_s", b"botsieve_d"), strict=True):
        assert values == _taken_apart(cookie, scheme, base)
