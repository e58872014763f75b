"""lua/resty/botsieve/header_order.lua: one hash for the order in which a request's header names came."""

from __future__ import annotations

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site


def test_header_order_is_of_names_and_their_order(site: Site, standin: StandIn) -> None:
    """Values, Host and Cookie do not change it; another order does; the case of names does not."""

    def order(*lines: str) -> str:
        ask(site.http_port, "/", *lines)
        return standin.last()["x-botsieve-header-order"][0]

    plain = order("Accept: a", "User-Agent: b")
    assert plain == order("Cookie: x=1", "Accept: c", "User-Agent: d")
    assert plain == order("ACCEPT: c", "user-agent: d")
    assert plain != order("User-Agent: b", "Accept: a")
    assert plain != order("Accept: a", "User-Agent: b", "X-More: 1")
    assert len(order(*(f"X-H{i}: {i}" for i in range(90)))) == 12
    assert order(*(f"X-H{i}: {i}" for i in range(150))) == order(*(f"X-H{i}: {i}" for i in range(140)))


def test_header_order_is_remembered_and_not_confused(site: Site, standin: StandIn) -> None:
    """Asked again for the same names it is the same, also after more orders than a worker remembers."""

    def order(*lines: str) -> str:
        ask(site.http_port, "/", *lines)
        return standin.last()["x-botsieve-header-order"][0]

    first = order("A: 1", "B: 2")
    assert order("A: other", "B: values") == first
    seen = {order(f"N{number}: 1", "B: 2") for number in range(1_020)}
    assert len(seen) == 1_020
    assert order("A: 1", "B: 2") == first
