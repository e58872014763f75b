"""In the service's place on its socket: somebody who answers late, half, nonsense, or not at all.

Run as `python -m tests.faults.impostor SOCKET HOW`.  The socket is there from the first moment on: it is made under another name
and moved over whatever was there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

LATE_S = 0.3  # six times what nginx waits
_HEAD = "HTTP/1.1 200 OK\r\nX-Botsieve-Verdict: allow\r\nX-Botsieve-Score: 0\r\nX-Botsieve-Id: 7k3m-9x2q-f4d1-p8wz\r\n"
ANSWERS = {
    "late": (_HEAD + "Content-Length: 0\r\n\r\n").encode(),
    "nonsense": b"\x01\x02 no HTTP at all \xff\r\n\r\n",
    "half": _HEAD[: len(_HEAD) // 2].encode(),
    "closes": b"",
}


async def serve_one(how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: late answers keep it, all others end it."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            if how == "late":
                await asyncio.sleep(LATE_S)
            writer.write(ANSWERS[how])
            await writer.drain()
            if how != "late":
                break
    writer.close()


async def main(path: str, how: str) -> None:
    """Until it is stopped."""
    fresh = f"{path}.new"
    server = await asyncio.start_unix_server(lambda r, w: serve_one(how, r, w), fresh, limit=1 << 20, backlog=1024)
    os.chmod(fresh, 0o666)
    os.rename(fresh, path)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
