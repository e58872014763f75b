"""Structured hostile requests: well formed enough to reach the code behind the parser, odd in every place that a client fills.

Law of the file: the n-th request is the same on every run and every machine.
"""

from __future__ import annotations

import random

from botsieve.v1 import decision_pb2 as pb

from tests.transports.edge_harness import CHROME

AGENTS = (
    CHROME.encode(), b"curl/8.5.0", b"python-requests/2.32", b"", b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    b"Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0", b"Mozilla/5.0 Chrome/" + b"9" * 3000,
    b"\xff\xfe", b"\x1b[2J\x1b]0;x\x07", b"bot" * 900, b"(" * 4000, b"Chrome/1 " * 500, "Ünïcode\u202e".encode(),
)  # fmt: skip
NAMES = (
    b"accept", b"accept-language", b"accept-encoding", b"cookie", b"referer", b"origin", b"sec-fetch-site", b"sec-fetch-mode",
    b"sec-fetch-dest", b"sec-fetch-user", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-purpose", b"purpose", b"x-moz",
    b"x-requested-with", b"upgrade-insecure-requests", b"authorization", b"cache-control", b"te", b"dnt", b"x-forwarded-for", b"via",
    b"if-none-match", b"x-real-ip", b"from", b"priority",
)  # fmt: skip
VALUES = (
    b"", b"*/*", b"text/html,application/xhtml+xml", b"navigate", b"document", b"cors", b"empty", b"none", b"same-origin", b"cross-site",
    b"gzip, deflate, br", b"en-US,en;q=0.9", b"de;q=nan,*;q=1e999", b"?1", b'"Chromium";v="156"',
    b'"' * 500, b"prefetch", b"XMLHttpRequest",
    b"1", b"https://shop.example/", b"http://[::1", b"a=b; " * 300, b"__Host-botsieve_s=" + b"A" * 60, b"botsieve_c=" + b"_-" * 90,
    b"__Host-botsieve_c=AQ; " * 60, b",".join([b"x"] * 2000), b"%00%ff", b"../../etc/passwd",
    b"=cmd|' /C calc'!A0", b"<script>alert(1)</script>",
)  # fmt: skip
PATHS = (
    b"/", b"/items/17", b"/items/18?ref=a", b"/api/items?page=3", b"/search?q=a&q=b", b"/a//b/./c/../d", b"/a/%2e%2e/%2f", b"/feed.xml",
    b"/style.css", b"/robots.txt", b"/.well-known/x", b"/products/blue-shoe-12345",
    b"/" + b"a/" * 900, b"/" + b"9" * 5000, b"/x?" + b"&a=1" * 1500,
    b"/6f1ed002ab5595859014ebf0951522d9", b"/3f2504e0-4f89-11d3-9a0c-0305e82c3301", b"/caf%C3%A9", b"/%ff%fe",
    b"/items/-1", b"/items/" + b"0" * 300,
)  # fmt: skip
METHODS = (b"GET", b"GET", b"GET", b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"PROPFIND", b"XYZZY")
HOSTS = (b"shop.example", b"SHOP.example:443", b"[::1]:8080", b"a" * 255, b"xn--caf-dma.example")
_SIZES = (4, 4, 16) * 9 + (0, 5)
JA4 = (b"", b"t13d1516h2_8daaf6152771_d8a2da3f94cd", b"t13d1515h2_8daaf6152771_31ec0a762479", b"x" * 64)


class Requests:
    """The requests of one seed.  `legal`: only what nginx lets through as it is."""

    def __init__(self, seed: str, *, legal: bool = False) -> None:
        self.seed, self.legal = seed, legal

    def _chance(self, number: int) -> random.Random:
        return random.Random(f"{self.seed} {number}")

    def _bytes(self, chance: random.Random, most: int) -> bytes:
        data = chance.randbytes(chance.randrange(most))
        return data.translate(None, b"\0\r\n") if self.legal else data.translate(None, b"\r\n")

    def _headers(self, chance: random.Random) -> list[tuple[bytes, bytes]]:
        headers = [(b"user-agent", chance.choice(AGENTS) if chance.randrange(8) else self._bytes(chance, 200))]
        for _ in range(chance.randrange(18)):
            name = chance.choice(NAMES)
            headers.append((name, chance.choice(VALUES) if chance.randrange(6) else self._bytes(chance, 120)))
        if chance.randrange(50) == 0:
            headers += [(b"x-filler-%d" % n, b"y" * 20) for n in range(150)]
        # nginx itself refuses some headers when they come twice (400); the service gets duplicates on its own sockets.
        return list(dict(headers).items()) if self.legal else headers

    def _path(self, chance: random.Random) -> bytes:
        if chance.randrange(4):
            return chance.choice(PATHS)
        if self.legal:
            return b"/" + bytes(chance.choice(b"abcxyz0189-_~;=&?+,!") for _ in range(chance.randrange(60)))
        return b"/" + chance.randbytes(chance.randrange(80)).translate(None, b"\0\r\n ")

    def _address(self, chance: random.Random) -> str:
        if chance.randrange(3):
            return f"{chance.choice((203, 198))}.0.{chance.randrange(256)}.{chance.randrange(256)}"
        return f"2001:db8:{chance.randrange(4096):x}::{chance.randrange(4096):x}"

    def http(self, number: int) -> bytes:
        """What an edge asks over HTTP; now and then what an edge should not, and what belongs to our pages."""
        chance = self._chance(number)
        told = {
            b"client-addr": self._address(chance).encode(),
            b"method": chance.choice(METHODS),
            b"uri": self._path(chance),
            b"host": chance.choice(HOSTS),
            b"scheme": chance.choice((b"https", b"http", b"", b"ftp")),
            b"http": chance.choice((b"HTTP/2.0", b"HTTP/1.1", b"", b"HTTP/9")),
            b"edge": chance.choice((b"1 tls order", b"1", b"", b"99 later words")),
            b"request-id": b"%032x" % number if chance.randrange(9) else self._bytes(chance, 90),
            b"header-order": chance.choice((b"0123456789abcdef", b"")),
            b"time": chance.choice((b"", b"nan", b"1e999", b"-1", b"1800000000.1", b"x")),
        }
        headers = [(b"x-botsieve-" + name, value) for name, value in told.items()]
        ja4 = chance.choice(JA4)
        headers += [(b"x-ja4-fingerprint", ja4), (b"x-botsieve-tls-sig", ja4), *self._headers(chance)]
        target, method, body = b"/v1/check/nginx", b"GET", b""
        match chance.randrange(25):
            case 0:
                target, headers = (
                    b"/v1/page?x",
                    [*headers, (b"x-botsieve-verdict", chance.choice((b"challenge", b"block", b"\xff")))],
                )
            case 1:
                target, method, body = b"/.botsieve/solve", b"POST", self._bytes(chance, 400) or b"{}"
                headers.append((b"content-type", b"application/json"))
            case 2:
                target = (
                    b"/.botsieve/"
                    + chance.choice((b"wait?t=", b"wait", b"c.js", b"../x", b""))
                    + chance.randbytes(9).hex().encode()
                )
            case 3:
                del headers[chance.randrange(len(headers))]
            case 4:
                headers[chance.randrange(len(told))] = (
                    b"x-botsieve-client-addr",
                    chance.choice((b"unix:", b"", b"1.2.3", b"::1%eth0")),
                )
        if body:
            headers.append((b"content-length", b"%d" % len(body)))
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return method + b" " + target + b" HTTP/1.1\r\nHost: botsieve\r\n" + lines + b"\r\n" + body

    def visitor(self, number: int) -> bytes:
        """What a visitor asks of nginx: one request that nginx takes."""
        chance = self._chance(number)
        method = chance.choice([name for name in METHODS if name != b"HEAD"])
        headers = [(name, value) for name, value in self._headers(chance) if len(value) < 7000]
        for spelling in (b"X-Botsieve-Verdict", b"x_botsieve_client_addr", b"X-JA4-Fingerprint", b"X-Botsieve-Unjudged"):
            if chance.randrange(6) == 0:
                headers.append((spelling, chance.choice((b"allow", b"", b"10.0.0.1", b"99999"))))
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return method + b" " + self._path(chance) + b" HTTP/1.1\r\nHost: shop.example\r\n" + lines + b"\r\n"

    def grpc(self, number: int) -> bytes:
        """A CheckRequest on the wire; now and then cut off or overwritten."""
        chance = self._chance(number)
        o = pb.Observation(
            client_address=chance.randbytes(chance.choice(_SIZES)),
            peer_address=chance.randbytes(chance.choice((0, 4, 16) * 5 + (3,))) if chance.randrange(4) == 0 else b"",
            edge_time_s=chance.choice((0.0, 1.8e9, float("nan"), float("inf"), -1.0, 1e308)),
            request_id=chance.randbytes(chance.choice((0, 16, 64) * 9 + (65,))),
            method=chance.choice(METHODS) if chance.randrange(9) else chance.randbytes(chance.randrange(1, 36)),
            scheme=chance.choice((b"https", b"http", b"", b"\xff")),
            host=chance.choice(HOSTS) if chance.randrange(9) else chance.randbytes(20),
            uri=self._path(chance),
            http_version=chance.choice((0, 1, 2, 3, 4, 99)),  # type: ignore[arg-type]
            headers=[pb.Header(name=name, value=value) for name, value in self._headers(chance)],
            headers_cut=chance.randrange(2) == 0,
            header_order=chance.randbytes(chance.choice((0, 16, 32) * 9 + (33,))),
            tls=pb.TlsFingerprint(ja4=chance.choice(JA4), ja3=chance.randbytes(chance.randrange(60)), error=b"\xff" * chance.randrange(66)),
            sight=[chance.randrange(9) for _ in range(chance.randrange(6))],  # type: ignore[misc]
        )  # fmt: skip
        inner = o.SerializeToString()
        whole = bytearray(b"\x0a" + _varint(len(inner)) + inner + (b"\x10\x01" if chance.randrange(2) else b""))
        match chance.randrange(20):
            case 0:
                del whole[chance.randrange(len(whole)) :]
            case 1:
                whole[chance.randrange(len(whole))] = chance.randrange(256)
        return bytes(whole)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
