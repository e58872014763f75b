"""lua/resty/botsieve/edge.lua where nginx/test_protect_app and test_verdicts do not look: which answers carry our cookie."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site

OURS = "botsieve_s=1; Path=/"
# The application says of its answer what the request asks for.
APP = """add_header Set-Cookie "app=1"; add_header Set-Cookie "cart=2"; add_header Cache-Control $http_x_caching;
    add_header Cache-Control $http_x_caching_too; add_header Expires $http_x_expires; return 200 "app\\n";"""


@pytest.fixture(scope="module")
def cached(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose application allows its answers to be kept."""
    locations = "location / { PROTECT_APP TO_APP }"
    with Site(tmp_path_factory.mktemp("site"), standin.socket, locations=locations, app=APP, patient=True) as site:
        yield site


@pytest.mark.parametrize(
    ("caching", "ours"),
    [
        ("private, max-age=600", 1),
        ("no-cache", 1),
        ("no-store", 1),
        ("max-age=0", 1),
        ("max-age=600", 0),
        ("public", 0),
        ("Public, Max-Age=31536000", 0),
        ("s-maxage=5", 0),
        ("", 1),
    ],
)
def test_no_cookie_on_what_shared_caches_keep(cached: Site, caching: str, ours: int) -> None:
    """An answer that a CDN may hand to the next visitor does not carry this visitor's session."""
    answer = ask(cached.http_port, "/", "X-Want: cookie", f"X-Caching: {caching}")
    assert answer.all("Cache-Control") == [caching] * bool(caching)
    assert len([one for one in answer.all("Set-Cookie") if one == OURS]) == ours
    assert answer.all("Set-Cookie")[:2] == ["app=1", "cart=2"]


@pytest.mark.parametrize(
    ("expires", "ours"), [("Thu, 19 Nov 1981 08:52:00 GMT", 1), ("0", 1), ("Fri, 31 Dec 2106 23:59:59 GMT", 0)]
)
def test_no_cookie_on_what_is_fresh_for_long(cached: Site, expires: str, ours: int) -> None:
    """The same, said by `Expires` alone."""
    answer = ask(cached.http_port, "/", "X-Want: cookie", f"X-Expires: {expires}")
    assert len([one for one in answer.all("Set-Cookie") if one == OURS]) == ours


def test_two_lines_of_cache_control_are_read_together(cached: Site) -> None:
    """`private` in the second line keeps the answer ours; `public` there gives it to many."""
    for first, second, ours in (("max-age=600", "private", 1), ("no-transform", "public", 0)):
        answer = ask(cached.http_port, "/", "X-Want: cookie", f"X-Caching: {first}", f"X-Caching-Too: {second}")
        assert answer.all("Cache-Control") == [first, second]
        assert answer.all("Set-Cookie") == ["app=1", "cart=2", *[OURS] * ours]
