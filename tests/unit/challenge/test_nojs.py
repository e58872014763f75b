"""challenge/nojs.py: the path for browsers without script."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from botsieve.challenge.issue import Issuer
from botsieve.challenge.nojs import MAX_TARGET, is_offered, open_wait, safe_target, seal_wait
from botsieve.challenge.settings import NoJsSettings
from botsieve.challenge.tokens import MAX_TEXT
from hypothesis import given
from hypothesis import strategies as st

from .builders import KEYS, NOW_S, nonce, request, settings

ISSUER = Issuer(settings(), KEYS, b"process")


def test_the_page_asked_for_is_inside_the_token() -> None:
    """Path and query come back as sent; for a form there is nothing to go to."""
    for o, target in ((request(), b"/items/17?ref=a"), (request(method=b"POST"), b"")):
        wait = open_wait(ISSUER, o, seal_wait(ISSUER, o, "normal", NOW_S, nonce(1)).encode())
        assert wait is not None
        assert (wait.target, wait.level, wait.not_before_s, wait.expires_s) == (
            target,
            "normal",
            int(NOW_S) + 5,
            int(NOW_S) + 300,
        )


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        (b"/a/b?c=d&e=%20", b"/a/b?c=d&e=%20"),
        (b"/", b"/"),
        (b"//evil.example/", b"/"),
        (b"/\\evil.example/", b"/"),
        (b"\\\\evil.example/", b"/"),
        (b"http://evil.example/", b"/"),
        (b"javascript:alert(1)", b"/"),
        (b"", b"/"),
        (b"/\t/evil.example/", b"/%09/evil.example/"),
        (b"/\r\nSet-Cookie: a=b", b"/%0D%0ASet-Cookie:%20a=b"),
        (b"/\xc3\xa4", b"/%C3%A4"),
        (b"/" + b"a" * MAX_TARGET, b"/"),
        (b"/" + b"\xff" * (MAX_TARGET - 1), b"/"),
    ],
)
def test_targets_stay_on_the_host(uri: bytes, target: bytes) -> None:
    """What a browser could read as another host, a script or a header becomes the front page or is quoted."""
    assert safe_target(uri) == target


@given(st.binary(max_size=60), st.sampled_from([b"", b"/", b"//", b"/\\", b"http:", b"/\t/", b"/ /"]))
def test_any_target_is_a_printable_path_of_this_host(rest: bytes, start: bytes) -> None:
    """Resolved against our address, every target keeps scheme and host."""
    target = safe_target(start + rest).decode("ascii")
    assert re.fullmatch(r"/(?:[^/\\][!-~]*)?", target)
    resolved = urlsplit(urljoin("https://shop.example/items", target))
    assert (resolved.scheme, resolved.netloc) == ("https", "shop.example")


def test_the_longest_target_fits_into_a_token() -> None:
    """The link is never so long that we would not read it."""
    o = request(uri=b"/" + b"a" * (MAX_TARGET - 1))
    token = seal_wait(ISSUER, o, "normal", NOW_S, nonce(1)).encode()
    assert len(token) < MAX_TEXT
    wait = open_wait(ISSUER, o, token)
    assert wait is not None
    assert wait.target == o.uri


@pytest.mark.parametrize(
    ("level", "score", "enabled", "offered"),
    [("normal", 59, True, True), ("normal", 60, True, False), ("hard", 45, True, False), ("light", 45, False, False)],
)
def test_when_it_is_offered(level: str, score: int, enabled: bool, offered: bool) -> None:
    """Below the score limit, not instead of a hard challenge, and only if switched on."""
    assert is_offered(settings(no_js=NoJsSettings(enabled=enabled)), level, score) is offered
