"""challenge/framing.py: in whose frames the challenge may appear."""

from __future__ import annotations

import pytest
from botsieve.challenge.framing import framing_origin
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import PAGE, request

FRAMED = {**PAGE, b"sec-fetch-dest": b"iframe", b"sec-fetch-site": b"same-site", b"referer": b"https://www.shop.example/"}


def origin(**changes: bytes) -> str:
    return framing_origin(request(headers=FRAMED | {name.replace("_", "-").encode(): value for name, value in changes.items()}))


def test_a_page_of_the_same_site() -> None:
    """The browser says that it is one, and which."""
    assert origin() == "https://www.shop.example"
    assert origin(referer=b"https://shop.example:8443/cart?x=1") == "https://shop.example:8443"


@pytest.mark.parametrize(
    "changes",
    [
        {"sec_fetch_site": b"cross-site"},
        {"sec_fetch_site": b"same-origin"},
        {"sec_fetch_site": b"none"},
        {"sec_fetch_dest": b"document"},
        {"sec_fetch_dest": b"object"},
        {"referer": b""},
        {"referer": b"http://www.shop.example/"},
        {"referer": b"https://user@www.shop.example/"},
        {"referer": b"https://www.shop.example; script-src *"},
        {"referer": b"https://*/"},
        {"referer": b"https://www.shop.example\r\nSet-Cookie: a=b/"},
        {"referer": b"data:text/html,x"},
    ],
)
def test_nobody_else(changes: dict[str, bytes]) -> None:
    """Another site, a page that is no frame, and whatever is no origin."""
    assert origin(**changes) == ""


@given(st.binary(max_size=80))
def test_nothing_that_a_client_writes_leaves_the_directive(text: bytes) -> None:
    """Any bytes give an origin that is one, or nothing."""
    found = origin(referer=b"https://" + text)
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-:/")
    assert not found or found.startswith("https://")
