"""Made-up traffic for the benchmarks: the mix of requests that a shop sees, from as many clients as are asked for.

Law of the file: seeded, so that two runs measure the same requests; nothing here reads a clock.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from botsieve.observation import (
    SEES_ACCEPT_ENCODING,
    SEES_ALL_HEADERS,
    SEES_HEADER_ORDER,
    SEES_HTTP_VERSION,
    SEES_TLS,
    Observation,
)
from botsieve.observation import make_observation as observe

SIGHT = SEES_TLS | SEES_HEADER_ORDER | SEES_ACCEPT_ENCODING | SEES_HTTP_VERSION | SEES_ALL_HEADERS
REPEATED_SHARE = 0.3  # of the requests come from a client seen within the last 10 s
RATE_PER_S = 2000.0  # of the simulated clock

_CHROME = b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_CHROME_TLS = {
    "ja3": b"cd08e31494f9531f560d64c695473da9",
    "ja4": b"t13d1516h2_8daaf6152771_d8a2da3f94cd",
    "tls_sig": b"t13d1515h2_8daaf6152771_31ec0a762479",
}
_TOOL_TLS = {
    "ja3": b"a48c0d5f95b1ef98f560f324fd275da1",
    "ja4": b"t13d1812h1_85036bcba153_b26ce05bbdd6",
    "tls_sig": b"t13d1811h1_85036bcba153_375ca2c5e164",
}
_PAGE = {
    b"host": b"shop.example",
    b"sec-ch-ua": b'"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    b"sec-ch-ua-mobile": b"?0",
    b"sec-ch-ua-platform": b'"Windows"',
    b"upgrade-insecure-requests": b"1",
    b"user-agent": _CHROME,
    b"accept": b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    b"sec-fetch-site": b"same-origin",
    b"sec-fetch-mode": b"navigate",
    b"sec-fetch-user": b"?1",
    b"sec-fetch-dest": b"document",
    b"referer": b"https://shop.example/items?page=3",
    b"accept-encoding": b"gzip, deflate, br, zstd",
    b"accept-language": b"en-US,en;q=0.9",
    b"priority": b"u=0, i",
    b"cookie": b"theme=dark; cart=9f3c2a71be04; _ga=GA1.1.1234567890.1700000000",
}
_CALL = {
    **{name: value for name, value in _PAGE.items() if name not in (b"upgrade-insecure-requests", b"sec-fetch-user")},
    b"accept": b"*/*",
    b"sec-fetch-mode": b"cors",
    b"sec-fetch-dest": b"empty",
}
_IMAGE = {**_CALL, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"image"}
_TOOL = {
    b"host": b"shop.example",
    b"user-agent": b"python-requests/2.32.3",
    b"accept": b"*/*",
    b"accept-encoding": b"gzip, deflate",
}
# Share of the requests, headers, beginning of the address, fingerprint, protocol.
_MIX = (
    (0.45, _PAGE, b"/items/", _CHROME_TLS, b"HTTP/2.0"),
    (0.35, _CALL, b"/api/items/", _CHROME_TLS, b"HTTP/2.0"),
    (0.10, _IMAGE, b"/img/", _CHROME_TLS, b"HTTP/2.0"),
    (0.10, _TOOL, b"/api/items/", _TOOL_TLS, b"HTTP/1.1"),
)


def address_of(number: int) -> bytes:
    """The address of a client, four to a /24: a million clients come from 250,000 networks."""
    network, member = divmod(number, 4)
    return b"\0" * 10 + b"\xff\xff" + (0x0B000000 + network * 256 + 1 + member * 50).to_bytes(4, "big")


def one_request(client: int, kind: int, item: int, now_s: float) -> Observation:
    """One request of one client."""
    _, headers, beginning, tls, http = _MIX[kind]
    packed = address_of(client)
    return observe(
        client=packed,
        peer=packed,
        method=b"GET",
        uri=beginning + b"%d" % item,
        headers=headers,
        edge_time_s=now_s,
        host=b"shop.example",
        scheme=b"https",
        http=http,
        request_id=b"%032x" % (client * 1_000_003 + int(now_s * 1e4)),
        sight=SIGHT,
        header_order=b"9c1f0a7b22de",
        **tls,
    )


def requests(
    clients: int, count: int, *, start_s: float, repeated: float = REPEATED_SHARE, seed: int = 1
) -> Iterator[Observation]:
    """`count` requests: each from a client of the last 10 s with the share `repeated`, else from any of `clients`."""
    draw = random.Random(seed)
    recent: list[int] = []
    within = int(RATE_PER_S * 10)
    kinds = range(len(_MIX))
    weights = [row[0] for row in _MIX]
    for number in range(count):
        client = draw.choice(recent) if recent and draw.random() < repeated else draw.randrange(clients)
        if len(recent) < within:
            recent.append(client)
        else:
            recent[number % within] = client
        # What a client is stays the same: the kind of tool follows from its number.
        kind = 3 if client % 10 == 9 else draw.choices(kinds[:3], weights[:3])[0]
        yield one_request(client, kind, draw.randrange(1, 100_000), start_s + number / RATE_PER_S)
