"""Programs that ask for a page over TLS: each takes an address and asks once, or n times over what it keeps open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import httpx
import requests
import urllib3
from curl_cffi import requests as curl_requests

Client = Callable[[str], None]
BROWSERS = (
    "chrome99",
    "chrome110",
    "chrome131",
    "chrome150",
    "edge101",
    "firefox135",
    "firefox147",
    "safari180",
    "safari2601",
    "tor145",
)


def run(command: Sequence[str], *, given: bytes = b"") -> str:
    """Runs a client; its output.  AssertionError when it fails."""
    environment = {**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.decode("latin-1")


def curl(*options: str) -> Client:
    return lambda url: _said_app(run(["curl", "-sk", *options, url]))


def _said_app(text: str) -> None:
    assert text.startswith("app "), text


def by_requests(url: str, n: int = 1) -> None:
    with requests.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        for _ in range(n):
            _said_app(session.get(url, verify=False, timeout=60).text)


def by_httpx(url: str, *, http2: bool = False, n: int = 1) -> None:
    with httpx.Client(verify=False, http2=http2) as client:
        for _ in range(n):
            answer = client.get(url)
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            _said_app(answer.text)


def by_httpx_parallel(url: str, n: int) -> None:
    """n streams of one HTTP/2 connection at once."""

    async def all_of_them() -> None:
        async with httpx.AsyncClient(verify=False, http2=True, limits=httpx.Limits(max_connections=1)) as client:
            await client.get(url)
            for answer in await asyncio.gather(*(client.get(url) for _ in range(n))):
                assert answer.http_version == "HTTP/2"
                _said_app(answer.text)

    asyncio.run(all_of_them())


def by_aiohttp(url: str) -> None:
    async def one() -> None:
        async with aiohttp.ClientSession() as session, session.get(url, ssl=False) as answer:
            _said_app(await answer.text())

    asyncio.run(one())


def by_node(script: str) -> Client:
    return lambda url: _said_app(run(["node", "-e", script, url]))


NODE_HTTPS = "require('https').get(process.argv[1], r => r.pipe(process.stdout))"
NODE_FETCH = "fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t))"
NODE_HTTP2 = (
    "const u = new URL(process.argv[1]), c = require('http2').connect(u.origin), r = c.request({':path': u.pathname});"
    "r.pipe(process.stdout); r.on('end', () => c.close()); r.end()"
)


def by_browser_print(name: str) -> Client:
    def ask(url: str) -> None:
        _said_app(curl_requests.get(url, impersonate=name, verify=False, timeout=60).text)

    return ask


def by_openssl(*options: str) -> Client:
    def ask(url: str) -> None:
        openssl(url, *options)

    return ask


def openssl(url: str, *options: str) -> str:
    """One request through `openssl s_client`; what it says of the handshake and the page."""
    port = url.split(":")[2].partition("/")[0]
    # -ign_eof: wait for nginx to close, so that a TLS 1.3 ticket arrives.
    said = run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-ign_eof", *options],
        given=b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    assert "app GET /" in said, said
    return said


def openssl_resumed(url: str, folder: Path, *options: str) -> None:
    """Two requests, the second with the session of the first."""
    openssl(url, "-sess_out", str(folder / "session"), *options)
    assert "Reused, " in openssl(url, "-sess_in", str(folder / "session"), *options)


CLIENTS: dict[str, Client] = {
    "curl h1": curl("--http1.1"),
    "curl h2": curl("--http2"),
    "curl without name": lambda url: curl("--http2")(url.replace("localhost", "127.0.0.1")),
    "curl tls 1.2": curl("--tls-max", "1.2"),
    "requests": by_requests,
    "httpx": by_httpx,
    "httpx h2": lambda url: by_httpx(url, http2=True),
    "aiohttp": by_aiohttp,
    "node https": by_node(NODE_HTTPS),
    "node fetch": by_node(NODE_FETCH),
    "node http2": by_node(NODE_HTTP2),
    "openssl 1.3": by_openssl("-tls1_3"),
    "openssl 1.2": by_openssl("-tls1_2"),
    **{f"curl_cffi {name}": by_browser_print(name) for name in BROWSERS},
}
