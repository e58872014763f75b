"""botsieve.transports.http_wire: what is rendered."""

from __future__ import annotations

import pytest
from botsieve.transports.http_wire import MAX_HEAD, render

from tests.transports.wire import only_reply


def test_render_refuses_to_be_split() -> None:
    """A line break in a value is a mistake of ours and raises; it never becomes a second header."""
    for value in ("a\r\nX: 1", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="line break"):
            render(200, [("X-A", value)])


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 405, 409, 413, 415, 429, 503])
def test_render_says_the_status(status: int) -> None:
    """Every status that we use has its own words, and its length unless it has no body."""
    reply = only_reply(render(status, [("X-A", "b")], b"" if status == 204 else b"body"))
    assert (reply.status, reply.all("X-A")) == (status, ["b"])
    assert b" Status\r\n" not in render(status, [])


def test_bounds_are_those_of_the_contract() -> None:
    """64 KB of the client's headers and what nginx adds."""
    assert MAX_HEAD >= 65_536 + 8_192
