"""state/routes.py: which requests are one route, and what varies in it."""

from __future__ import annotations

import pytest
from botsieve.observation import canonical_path
from botsieve.state.routes import Route, route_of
from hypothesis import given
from hypothesis import strategies as st

TABLE = [
    (b"/", b"", (b"/", b"", -1, False)),
    (b"/about", b"", (b"/about", b"", -1, False)),
    (b"/items/17", b"", (b"/items/{n}", b"17", 17, False)),
    (b"/items/17", b"ref=a", (b"/items/{n}", b"17", 17, False)),
    (b"/items/17/", b"", (b"/items/{n}/", b"17", 17, False)),
    (b"/items/17/reviews", b"", (b"/items/{n}/reviews", b"17", 17, False)),
    (b"/users/3/orders/9", b"", (b"/users/{n}/orders/{n}", b"3/9", 9, False)),
    (b"/api/v2/items/17", b"", (b"/api/v2/items/{n}", b"17", 17, False)),
    (b"/items/17.html", b"", (b"/items/{n}.html", b"17.html", 17, False)),
    (b"/p/red-shoes-881", b"", (b"/p/{slug}", b"red-shoes-881", 881, False)),
    (b"/p/0f8fad5b-d9cb-469f-a165-70867728950e", b"", (b"/p/{uuid}", b"0f8fad5b-d9cb-469f-a165-70867728950e", -1, False)),
    (b"/c/9c1f0a7b22de", b"", (b"/c/{hex}", b"9c1f0a7b22de", -1, False)),
    (b"/list/page/3", b"", (b"/list/page/{n}", b"3", 3, True)),
    (b"/list", b"page=3", (b"/list?page", b"3", 3, True)),
    (b"/list", b"offset=40&limit=20", (b"/list?limit&offset", b"40/20", 20, True)),
    (b"/view.php", b"id=7&lang=en", (b"/view.php?id", b"7", 7, False)),
    (b"/view.php", b"lang=en&id=7", (b"/view.php?id", b"7", 7, False)),
    (b"/feed", b"cursor=abc", (b"/feed?cursor", b"abc", -1, False)),
    (b"/view.php", b"lang=en", (b"/view.php", b"", -1, False)),
    (b"/items/123456789012345678901", b"", (b"/items/{hex}", b"123456789012345678901", -1, False)),
]


@pytest.mark.parametrize(("path", "query", "expected"), TABLE)
def test_the_table(path: bytes, query: bytes, expected: tuple[bytes, bytes, int, bool]) -> None:
    """Numbers, UUIDs, hexadecimal, slugs with a number and numeric query values are items; versions and words are not."""
    assert route_of(path, query) == Route(*expected)


@given(st.binary(max_size=600), st.binary(max_size=300))
def test_any_bytes_give_a_route(uri: bytes, query: bytes) -> None:
    """Nothing raises; the number fits 63 bits; the same request gives the same route."""
    path = canonical_path(uri)
    route = route_of(path, query)
    assert -1 <= route.number < 2**63
    assert route == route_of(path, query)
    assert (route.item == b"") <= (route.number == -1)


segments = st.sampled_from([b"a", b"items", b"a" * 250, b"7", b"page", b"v2", b"x-9", b"a" * 250 + b"1", b"1" * 250, b""])


@given(
    st.lists(segments, max_size=30), st.lists(st.sampled_from([b"id=7", b"page=x9", b"a", b"=", b"&", b"q" * 300]), max_size=30)
)
def test_long_and_deep_paths(parts: list[bytes], query: list[bytes]) -> None:
    """Segments beyond the length that is looked at, and more of them than are looked at, are fine."""
    route = route_of(b"/" + b"/".join(parts), b"&".join(query))
    assert route.template.startswith(b"/")


def test_a_digit_behind_what_is_looked_at() -> None:
    """A segment whose only digit comes after 200 bytes raised once."""
    assert route_of(b"/" + b"a" * 250 + b"1", b"").item == b""
    assert route_of(b"/" + b"a" * 250 + b"1/x/y", b"").item == b""


def test_items_of_one_route_have_one_template() -> None:
    """A thousand items: one template, a thousand items, in the order of their numbers."""
    routes = [route_of(b"/items/%d" % number, b"") for number in range(1000)]
    assert {route.template for route in routes} == {b"/items/{n}"}
    assert len({route.item for route in routes}) == 1000
    assert [route.number for route in routes] == list(range(1000))
