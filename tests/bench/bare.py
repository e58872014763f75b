"""The least that a Python process can do for a check: uvloop and httptools, every header into a dict, one constant answer.

What Botsieve's own socket is compared with: all above it is what deciding, remembering and recording cost.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import httptools
import uvloop

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Botsieve-Verdict: allow\r\nX-Botsieve-Would-Be: allow\r\n"
    b"X-Botsieve-Mode: monitor\r\nX-Botsieve-Score: 0\r\nX-Botsieve-Reasons: \r\nX-Botsieve-Id: 7k3m-9x2q-f4d1-p8wz\r\n\r\n"
)


class Constant(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was opened."""
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        self._headers[name.lower()] = value

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._headers = {}
        self._transport.write(ANSWER)


async def main(path: str) -> None:
    """Listens on a Unix socket until it is stopped."""
    server = await asyncio.get_running_loop().create_unix_server(Constant, path)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
