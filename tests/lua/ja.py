"""JA3 and JA4 of a ClientHello, computed a second time and otherwise than in Lua: the tests' own opinion.

Law of the file: written from the README of salesforce/ja3 and from JA4.md of FoxIO-LLC/ja4; shares nothing with lua/.
A body that is no ClientHello raises ValueError.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_ITEMS = 256
VOLATILE = frozenset({21, 35, 41, 42})
VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}


class Prints(NamedTuple):
    """What Lua says of a hello, in the same words."""

    ja3: str
    ja3_hash: str
    ja4: str
    stable: str


def is_grease(value: int) -> bool:
    return value in range(0x0A0A, 0x10000, 0x1010)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        if size > len(self.data):
            raise ValueError("cut")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def vector(self, width: int) -> bytes:
        return self.take(int.from_bytes(self.take(width), "big"))


def _numbers(data: bytes) -> list[int]:
    data = data[: len(data) // 2 * 2]
    return [value for (value,) in struct.iter_unpack("!H", data) if not is_grease(value)]


def _inner(data: bytes, width: int) -> bytes:
    """The vector in an extension; a length that lies is cut to what is there."""
    if len(data) < width:
        return b""
    return data[width : width + int.from_bytes(data[:width], "big")]


def _short(items: Sequence[int]) -> Sequence[int]:
    if len(items) > MOST_ITEMS:
        raise ValueError("list too long")
    return items


def _read_extensions(block: bytes) -> list[tuple[int, bytes]]:
    reader, found = _Reader(block), []
    while reader.data:
        kind = int.from_bytes(reader.take(2), "big")
        data = reader.vector(2)
        if not is_grease(kind):
            found.append((kind, data))
    return found


def _hash12(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def _hexes(items: Iterable[int]) -> str:
    return ",".join(f"{item:04x}" for item in items)


def _alpn_mark(data: bytes) -> str:
    if len(data) < 3 or not data[2] or 3 + data[2] > len(data):
        return "00"
    first, last = data[3:4], data[2 + data[2] : 3 + data[2]]
    if first.isalnum() and last.isalnum():  # bytes: ASCII only
        return (first + last).decode()
    return first.hex()[0] + last.hex()[1]


def _ja4(
    head: str, ciphers: Sequence[int], kinds: Sequence[int], alpn: str, signatures: Sequence[int], *, without: frozenset[int]
) -> str:
    kept = [kind for kind in kinds if kind not in without]
    c = _hexes(sorted(kind for kind in kept if kind not in (0, 16)))
    if c and signatures:
        c += "_" + _hexes(signatures)
    return f"{head}{min(len(ciphers), 99):02}{min(len(kept), 99):02}{alpn}_{_hash12(_hexes(sorted(ciphers)))}_{_hash12(c)}"


def prints_of(body: bytes) -> Prints:
    """`body`: a ClientHello without its 4-byte handshake header."""
    reader = _Reader(body)
    version = int.from_bytes(reader.take(2), "big")
    reader.take(32)
    reader.vector(1)
    ciphers = _short(_numbers(reader.vector(2)))
    reader.vector(1)
    found: list[tuple[int, bytes]] = []
    if reader.data:
        found = _read_extensions(reader.vector(2))
        if reader.data:
            raise ValueError("bytes behind the extension block")
    kinds = _short([kind for kind, _ in found])
    by_kind = dict(found)
    groups = _short(_numbers(_inner(by_kind.get(10, b""), 2)))
    formats = list(_inner(by_kind.get(11, b""), 1))
    signatures = _short(_numbers(_inner(by_kind.get(13, b""), 2)))
    highest = version
    if 43 in by_kind:
        highest = max(_numbers(_inner(by_kind[43], 1)), default=0)
    ja3 = ",".join([str(version), *("-".join(map(str, part)) for part in (ciphers, kinds, groups, formats))])
    head = ("q" if 57 in by_kind else "t") + VERSIONS.get(highest, "00") + ("d" if 0 in by_kind else "i")
    alpn = _alpn_mark(by_kind.get(16, b""))
    return Prints(
        ja3,
        hashlib.md5(ja3.encode()).hexdigest(),
        _ja4(head, ciphers, kinds, alpn, signatures, without=frozenset()),
        _ja4(head, ciphers, kinds, alpn, signatures, without=VOLATILE),
    )


def hello_body(records: bytes) -> bytes:
    """The first ClientHello in what a client sent: TLS records joined, handshake header taken off."""
    message, reader = b"", _Reader(records)
    while True:
        head = reader.take(5)
        if head[0] != 22:
            raise ValueError("no handshake record")
        message += reader.take(int.from_bytes(head[3:], "big"))
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            break
    if message[0] != 1:
        raise ValueError("no ClientHello")
    return message[4 : 4 + int.from_bytes(message[1:4], "big")]
