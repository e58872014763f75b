"""challenge/page_token.py: who reports has opened a page, here, lately, and reports each thing once."""

from __future__ import annotations

import pytest
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.page_token import VALID_S, PageTokens
from botsieve.challenge.session import Sessions
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge.builders import KEYS, NOW_S, request


def tokens(process: bytes = b"process", keys: KeyRing = KEYS, limit: int = 1000) -> PageTokens:
    return PageTokens(keys, process, limit)


def issued(at: PageTokens, number: int = 1, now_s: float = NOW_S) -> bytes:
    return at.issue(request(), now_s, number.to_bytes(8, "big")).encode()


def test_reports_count_up() -> None:
    """Each number once, in order; a gap is a report that was lost."""
    at = tokens()
    token = issued(at)
    assert at.take(request(), token, 0, NOW_S + 2) == 2.0
    assert at.take(request(), token, 3, NOW_S + 9) == 9.0
    for number in (0, 2, 3):
        with pytest.raises(ValueError, match="taken already"):
            at.take(request(), token, number, NOW_S + 9)
    assert at.take(request(), token, 4, NOW_S + 9) is not None


@pytest.mark.parametrize(
    "other",
    [
        request(host=b"other.example"),
        request(headers={b"user-agent": b"curl/8"}),
        request(address="198.51.100.7"),
    ],
    ids=["host", "user-agent", "network"],
)
def test_it_is_good_for_who_got_it_only(other: object) -> None:
    """Host, User-Agent and network."""
    at = tokens()
    assert at.take(other, issued(at), 0, NOW_S) is None  # type: ignore[arg-type]


def test_it_runs_out() -> None:
    """After an hour the script fetches another; the far future is refused too."""
    at = tokens()
    assert at.take(request(), issued(at), 0, NOW_S + VALID_S - 1) is not None
    assert at.take(request(), issued(at, 2), 0, NOW_S + VALID_S) is None
    assert at.take(request(), issued(at, 3, NOW_S + 120), 0, NOW_S) is None


def test_another_process_does_not_take_it() -> None:
    """What was taken elsewhere, or before a restart, is not known here."""
    assert tokens(b"other").take(request(), issued(tokens()), 0, NOW_S) is None


def test_no_other_token_serves() -> None:
    """A session's text is ours and no page's."""
    cookie = Sessions(KEYS).issue(request(), NOW_S, b"12345678")
    assert tokens().take(request(), cookie.partition("=")[2].partition(";")[0].encode(), 0, NOW_S) is None


def test_what_is_forgotten_is_refused() -> None:
    """A flood of pages pushes out the oldest; a report of that one, taken or not, is not taken again."""
    at = tokens(limit=3)
    first = issued(at)
    assert at.take(request(), first, 0, NOW_S) is not None
    for number in range(2, 6):
        assert at.take(request(), issued(at, number, NOW_S + number), 0, NOW_S + number) is not None
    assert len(at) == 3
    assert at.take(request(), first, 0, NOW_S + 9) is None
    assert at.take(request(), first, 1, NOW_S + 9) is None
    assert at.take(request(), issued(at, 9, NOW_S + 9), 0, NOW_S + 9) is not None, "a new page is heard"


@given(st.binary(max_size=300), st.integers(0, 999_999))
def test_any_bytes_are_no_token(text: bytes, number: int) -> None:
    """Nothing raises, nothing is taken."""
    assert tokens().take(request(), text, number, NOW_S) is None


def test_a_nonce_of_another_length_is_a_mistake_of_ours() -> None:
    """ValueError at once."""
    with pytest.raises(ValueError, match="8 bytes"):
        tokens().issue(request(), NOW_S, b"short")
