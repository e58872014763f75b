"""In place of the service: keeps every question as it came, and answers what the visitor's `X-Want` asks for.

Run as `python -m tests.nginx.standin SOCKET RECORD`.  RECORD gets one JSON line a request: target and header list, latin-1.
X-Want: allow, challenge, block, hold (block, for 60 s), soon (for 1 s), cookie, redirect, error, empty (200 without a verdict),
garbage, close, hang, gone (403, then dead before the page), ask=TEXT (allow with X-Botsieve-Ask: TEXT), askblock=TEXT (the same
where `on_late` is block).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import IO

VERDICT = "X-Botsieve-Verdict: {0}\r\nX-Botsieve-Would-Be: {0}\r\nX-Botsieve-Mode: enforce\r\nX-Botsieve-Score: 75\r\n"
VERDICT += "X-Botsieve-Reasons: bot_useragent:curl,no_accept_language\r\nX-Botsieve-Id: 7k3m-9x2q-f4d1-p8wz\r\n"
ALLOW = "HTTP/1.1 200 OK\r\n" + VERDICT.format("allow") + "Content-Length: 0\r\n\r\n"
ANSWERS = {
    "allow": ALLOW,
    "challenge": "HTTP/1.1 403 Forbidden\r\n" + VERDICT.format("challenge") + "Content-Length: 0\r\n\r\n",
    "block": "HTTP/1.1 403 Forbidden\r\n" + VERDICT.format("block") + "Content-Length: 0\r\n\r\n",
    "hold": "HTTP/1.1 403 Forbidden\r\n" + VERDICT.format("block") + "X-Botsieve-Hold: 60\r\nContent-Length: 0\r\n\r\n",
    "soon": "HTTP/1.1 403 Forbidden\r\n" + VERDICT.format("block") + "X-Botsieve-Hold: 1\r\nContent-Length: 0\r\n\r\n",
    "cookie": ALLOW.replace("Content-Length", "Set-Cookie: botsieve_s=1; Path=/\r\nContent-Length"),
    "redirect": "HTTP/1.1 302 Found\r\nLocation: /evil\r\nContent-Length: 0\r\n\r\n",
    "login": "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "error": "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "empty": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "garbage": "\x01\x02 no HTTP at all \xff\r\n\r\n",
    "half": "HTTP/1.1 200 OK\r\nBroken header line without colon",
    "big": "HTTP/1.1 200 OK\r\n"
    + VERDICT.format("allow")
    + "X-Botsieve-Extra: "
    + "x" * 1500
    + "\r\nContent-Length: 0\r\n\r\n",
    "huge": "HTTP/1.1 200 OK\r\n" + VERDICT.format("allow") + "X-Huge: " + "x" * 20000 + "\r\nContent-Length: 0\r\n\r\n",
    "close": "",
}
ANSWERS["gone"] = ANSWERS["block"]


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: IO[str]) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1")[:-4].split("\r\n")
            headers = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines]
            named = {name.lower(): value for name, value in headers}
            body = await reader.readexactly(int(named.get("content-length") or 0))
            target = first.split(" ")[1]
            record.write(
                json.dumps({"line": first, "target": target, "headers": headers, "body": body.decode("latin-1")}) + "\n"
            )
            record.flush()
            answer = answer_to(target, named)
            if answer is None:
                await asyncio.sleep(3600)
            writer.write((answer or "").encode("latin-1"))
            await writer.drain()
            if named.get("x-want") == "gone":
                os._exit(9)
            if named.get("x-want") in ("garbage", "half", "close") and target.startswith("/v1/check"):
                break
    writer.close()


def answer_to(target: str, headers: dict[str, str]) -> str | None:
    """The bytes to send; None: never answer."""
    want = headers.get("x-want", "allow")
    if target == "/v1/page":
        text = f"page {headers.get('x-botsieve-verdict')} {headers.get('x-botsieve-id')}\n"
        return f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    if not target.startswith("/v1/check"):
        return "HTTP/1.1 204 No Content\r\nSet-Cookie: botsieve_c=1\r\n\r\n"
    if want.startswith("ask"):
        kind, _, said = want.partition("=")
        late = "X-Botsieve-On-Late: block\r\n" if kind == "askblock" else ""
        return ALLOW.replace("Content-Length", f"X-Botsieve-Ask: {said}\r\n{late}Content-Length")
    return None if want == "hang" else ANSWERS.get(want, ALLOW)


async def main(socket: str, record_name: str) -> None:
    with open(record_name, "a", encoding="ascii") as record:
        with suppress(FileNotFoundError):
            os.unlink(socket)
        server = await asyncio.start_unix_server(lambda r, w: serve_one(r, w, record), socket, limit=1 << 20)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
