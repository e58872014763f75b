"""A steady mix of visitors for as long as it is wanted: people, a shop's own calls, tools, forged cookies, wrong solutions.

Law of the file: loopback only; a request is sent when it is due; the n-th request is the same in every run.  3,000 clients come
again and again, each every ten seconds or so, and one request in 50 is from somebody who was never seen before.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from hashlib import blake2s

import msgspec

RATE_PER_S = 300
CLIENTS = 3_000
NEW_EVERY = 50
_CONNECTIONS = 24
_TIMEOUT_S = 10.0
_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_BROWSER = (
    f"User-Agent: {_CHROME}\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip\r\nReferer: https://shop.example/\r\n"
)
_PAGE = f"{_BROWSER}Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"
_CALL = f"{_BROWSER}Accept: */*\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
_TOOL = "User-Agent: curl/8.5.0\r\nAccept: */*\r\n"


class Heard(msgspec.Struct):
    """What came back.  `late`: requests that took more than a second; `errors`: 5xx, or no answer."""

    answers: int = 0
    refused: int = 0
    errors: int = 0
    late: int = 0


def request(number: int) -> bytes:
    """The n-th request, from the address in X-Test-Address."""
    drawn = int.from_bytes(blake2s(number.to_bytes(8, "big"), digest_size=12).digest(), "big")  # people keep no measure
    who = CLIENTS + number if number % NEW_EVERY == 0 else drawn % CLIENTS
    address = f"11.{who >> 10 & 255}.{who >> 2 & 255}.{50 * (who & 3) + 7}"  # four to a /24
    kind, item = (drawn >> 32) % 20, (drawn >> 64) % 90_000
    if kind < 10:
        line, headers = f"GET /items/{item}?from=list HTTP/1.1", _PAGE
    elif kind < 16:
        line, headers = f"GET /api/items/{item} HTTP/1.1", _CALL
    elif kind < 18:
        line, headers = f"GET /items/{item} HTTP/1.1", _TOOL
    elif kind < 19:
        line, headers = f"GET /items/{item} HTTP/1.1", f"{_PAGE}Cookie: botsieve_s={item}; botsieve_c={number:x}.{item:x}\r\n"
    else:
        line, headers = "POST /.botsieve/solve HTTP/1.1", f"{_CALL}Content-Type: application/json\r\nContent-Length: 2\r\n"
    return f"{line}\r\nHost: shop.example\r\nX-Test-Address: {address}\r\n{headers}\r\n{'{}' if kind == 19 else ''}".encode()


class Visitors:
    """`heard`: so far.  Requests go out over a few kept connections, which are made anew when they end."""

    def __init__(self, port: int) -> None:
        self.heard = Heard()
        self._port = port
        self._due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()

    async def run(self, seconds: float) -> None:
        """Visits for so long."""
        workers = [asyncio.create_task(self._work()) for _ in range(_CONNECTIONS)]
        start = time.monotonic()
        for number in range(int(seconds * RATE_PER_S)):
            due = start + number / RATE_PER_S
            pause_s = due - time.monotonic()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._due.put_nowait((number, due))
        with suppress(TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self._due.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while True:
            number, due = await self._due.get()
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    if reader is None or writer is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    writer.write(request(number))
                    status, ends = await _answer(reader)
            except (OSError, EOFError, ValueError, TimeoutError):
                status, ends = 0, True
            self.heard.answers += 1
            self.heard.refused += status == 403
            self.heard.errors += status == 0 or status >= 500
            self.heard.late += time.monotonic() - due > 1.0
            if ends and writer is not None:
                writer.close()
                reader = writer = None
            self._due.task_done()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Status of one whole answer, and whether the connection ends with it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif b"content-length: " in head:
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0]))
    return status, b"connection: close" in head
