"""challenge/solution.py: what is posted, and from where."""

from __future__ import annotations

import json

import pytest
from botsieve.challenge.solution import Solution, parse_solution, same_origin
from hypothesis import given
from hypothesis import strategies as st

from .builders import post


def test_a_solution_is_read() -> None:
    """Token and answers, in the form that docs/challenge.md gives."""
    assert parse_solution(b'{"token": "abc", "answers": [0, 7]}') == Solution("abc", [0, 7])


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"token": "abc"},
        {"token": 1, "answers": [1]},
        {"token": "abc", "answers": []},
        {"token": "abc", "answers": "1"},
        {"token": "abc", "answers": [1] * 65},
        {"token": "abc", "answers": [1], "more": 1},
        {"token": "a" * 4097, "answers": [1]},
        *[{"token": "abc", "answers": [wrong]} for wrong in (True, False, -1, 1.5, 2**32, 2**60, "1", None, [1])],
    ],
)
def test_other_documents_are_refused(document: object) -> None:
    """Booleans, fractions, negatives, huge numbers, texts, long lists and unknown keys are no solution."""
    assert parse_solution(json.dumps(document).encode()) is None


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode), st.integers(1, 4000).map(lambda n: b"[" * n)))
def test_any_bytes_are_a_solution_or_none(body: bytes) -> None:
    """Nothing that is posted raises."""
    assert parse_solution(body) is None or isinstance(parse_solution(body), Solution)


@pytest.mark.parametrize(
    ("site", "origin", "allowed"),
    [
        (b"same-origin", b"https://shop.example", True),
        (b"same-origin", b"", True),
        (b"same-site", b"https://shop.example", False),
        (b"cross-site", b"https://shop.example", False),
        (b"none", b"", False),
        (b"", b"", True),
        (b"", b"https://shop.example", True),
        (b"", b"https://shop.example:8443", True),
        (b"", b"http://shop.example", False),
        (b"", b"https://evil.example", False),
        (b"", b"https://shop.example.evil.example", False),
        (b"", b"https://evil.example/shop.example", False),
        (b"", b"null", False),
        (b"", b"shop.example", False),
    ],
)
def test_only_pages_of_this_site(site: bytes, origin: bytes, allowed: bool) -> None:
    """Fetch Metadata decides where it is sent, else Origin; a program that sends neither is heard."""
    assert same_origin(post(headers={b"sec-fetch-site": site, b"origin": origin})) is allowed


def test_ipv6_hosts_have_an_origin_too() -> None:
    """A bracketed address is compared as a whole."""
    headers = {b"sec-fetch-site": b"", b"origin": b"https://[2001:db8::1]:8443"}
    assert same_origin(post(headers=headers, host=b"[2001:db8::1]"))
    assert not same_origin(post(headers=headers, host=b"[2001:db8::2]"))
