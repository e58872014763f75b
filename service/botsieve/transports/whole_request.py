"""Whether some bytes are one whole request and nothing else: all that has to be known of one that is answered unread.

Law of the file: httptools says so, which also reads the requests that are judged; there is no second opinion on where a request ends.
Its fields are not looked at, which are what costs: 0.6 us in place of 4.
"""

from __future__ import annotations

from typing import Any

import httptools

# What web servers let through although the standard does not (tests/nginx/test_bytes.py).
LENIENT = {
    "lenient_headers": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_optional_lf_after_cr": True,
    "lenient_spaces_after_chunk_size": True,
}


class WholeRequest:
    """`is_one(data)` may be asked about anything, any number of times."""

    __slots__ = ("_begun", "_ended", "_parser", "_stays")

    def __init__(self) -> None:
        self._begun = 0
        self._ended = 0
        self._stays = False
        self._renew()

    def _renew(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(**LENIENT)

    def is_one(self, data: bytes) -> bool:
        """Whether these bytes are one whole request, its body included, after which the connection stays open."""
        self._begun = self._ended = 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._renew()
            return False
        if self._begun == 1 and self._ended == 1 and self._stays:
            return True
        self._renew()
        return False

    # ---- httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begun += 1

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._ended += 1
        self._stays = self._parser.should_keep_alive()
