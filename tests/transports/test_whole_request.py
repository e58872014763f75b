"""botsieve.transports.whole_request: one request, no more and no less, as the parser of the connection sees it."""

from __future__ import annotations

import pytest
from botsieve.transports.whole_request import WholeRequest
from hypothesis import given
from hypothesis import strategies as st

CHECK = b"GET /v1/check/nginx HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (CHECK, True),
        (CHECK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\nX-Odd: \x01\r\n\r\n"), True),
        (POST + b"abc", True),
        (b"", False),
        (CHECK[:-2], False),
        (CHECK[:-1], False),
        (CHECK + CHECK, False),
        (CHECK + b"G", False),
        (POST, False),
        (POST + b"abcd", False),
        (POST + b"ab\r\n\r\n", True),  # line breaks after a request are nobody's
        (CHECK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), False),
        (CHECK.replace(b"\r\n\r\n", b"\r\ncOnTeNt-LeNgTh: 5\r\n\r\n"), False),
        (CHECK.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"), False),
        (CHECK.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"), False),
        (CHECK.replace(b"1.1", b"1.0"), False),
        (b"\x16\x03\x01", False),
    ],
)
def test_whole(data: bytes, is_one: bool) -> None:
    """Exactly one request whose end is here and after which the connection stays."""
    assert WholeRequest().is_one(data) is is_one


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([CHECK, CHECK[:20], CHECK[20:], POST, POST + b"abc", CHECK * 2]))
    )
)
def test_no_answer_depends_on_what_was_asked_before(asked: list[bytes]) -> None:
    """Any bytes give an answer, the same as from one who never saw anything else."""
    shared = WholeRequest()
    for data in asked:
        assert shared.is_one(data) is WholeRequest().is_one(data)
