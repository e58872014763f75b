"""Log lines made to measure."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
START_S = 1_795_296_799.0


def combined(
    client: str = "203.0.113.7",
    at_s: float = 0.0,
    uri: str = "/",
    agent: str = FIREFOX,
    referer: str = "-",
    method: str = "GET",
) -> bytes:
    """One line of the combined form, `at_s` after START_S."""
    stamp = datetime.fromtimestamp(START_S + at_s, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - - [{stamp}] "{method} {uri} HTTP/1.1" 200 512 "{referer}" "{agent}"'.encode()


def botsieve(client: str = "203.0.113.7", at_s: float = 0.0, uri: str = "/", agent: str = FIREFOX, **more: object) -> bytes:
    """One line of our own form; `more` adds keys or replaces them."""
    fields = {
        "time": round(START_S + at_s, 3),
        "client": client,
        "peer": client,
        "method": "GET",
        "scheme": "https",
        "host": "shop.example",
        "uri": uri,
        "http": "HTTP/1.1",
        "status": 200,
        "user_agent": agent,
        "referer": "",
        "accept": "text/html,*/*",
        "accept_language": "en",
        "accept_encoding": "gzip",
        "sec_fetch": "none navigate document",
        "edge": "1 order",
    }
    return json.dumps(fields | more).encode()


def write(path: Path, lines: list[bytes], *, packed: bool = False) -> str:
    """Writes a log, plain or gzip; returns its name."""
    data = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(data) if packed else data)
    return str(path)
