"""ClientHellos made by hand, and those that JA3's README and JA4.md print a fingerprint for.

Law of the file: bytes only; no host, no clock, no randomness.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

Extension = tuple[int, bytes]

RANDOM = bytes(range(32))


def numbers(values: Sequence[int], width: int = 2) -> bytes:
    """A list of 16-bit numbers behind its length of `width` bytes."""
    data = b"".join(struct.pack("!H", value) for value in values)
    return len(data).to_bytes(width, "big") + data


def alpn(*names: bytes) -> Extension:
    data = b"".join(bytes([len(name)]) + name for name in names)
    return 16, struct.pack("!H", len(data)) + data


def server_name(name: bytes = b"localhost") -> Extension:
    return 0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name


def versions(*values: int) -> Extension:
    return 43, numbers(values, 1)


def hello(
    ciphers: Sequence[int],
    extensions: Sequence[Extension] | None,
    version: int = 0x0303,
    session: bytes = b"",
    compressions: bytes = b"\0",
) -> bytes:
    """The body of a ClientHello; extensions=None leaves the whole block out."""
    body = struct.pack("!H", version) + RANDOM + bytes([len(session)]) + session + numbers(ciphers)
    body += bytes([len(compressions)]) + compressions
    if extensions is not None:
        block = b"".join(struct.pack("!HH", kind, len(data)) + data for kind, data in extensions)
        body += struct.pack("!H", len(block)) + block
    return body


def hexes(text: str) -> list[int]:
    return [int(item, 16) for item in text.split(",")]


# The example of JA4.md.
CIPHERS = hexes("1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035")
SIGNATURES = hexes("0403,0804,0401,0503,0805,0501,0806,0601")
EXTENSIONS = hexes("001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015")
_CONTENT: dict[int, bytes] = {
    0: server_name()[1],
    5: b"\1\0\0\0\0",
    10: numbers([0x1A1A, 29, 23, 24]),
    11: b"\1\0",
    13: numbers(SIGNATURES),
    16: alpn(b"h2", b"http/1.1")[1],
    27: b"\2\0\2",
    43: versions(0x0A0A, 0x0304, 0x0303)[1],
    45: b"\1\1",
    0x4469: b"\0\3\2h2",
    0xFF01: b"\0",
}
SPEC: list[Extension] = [(kind, _CONTENT.get(kind, b"")) for kind in EXTENSIONS]
SPEC_HELLO = hello(CIPHERS, SPEC)
GREASED_HELLO = hello([0x2A2A, *CIPHERS, 0xFAFA], [(0x3A3A, b""), *SPEC, (0x7A7A, b"\0")])
NO_SIGNATURES_HELLO = hello(CIPHERS, [(kind, numbers([]) if kind == 13 else data) for kind, data in SPEC])
SPEC_JA4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"

_OLD = [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99]
_README = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]

# name -> body, and the MD5 that JA3's README prints
JA3_PUBLISHED = {
    "readme 1": (
        hello(_README, [server_name(), (10, numbers([23, 24, 25])), (11, b"\1\0")], 0x0301),
        "ada70206e40642a3e4461f35503241d5",
    ),
    "readme 2, no block": (hello(_OLD, None, 0x0301), "de350869b8c85de67a350c8d186f11e6"),
    "readme 2, empty block": (hello(_OLD, [], 0x0301), "de350869b8c85de67a350c8d186f11e6"),
}

# name -> body, and how its JA4 begins (whole where JA4.md prints it whole)
JA4_PUBLISHED = {
    "example": (SPEC_HELLO, SPEC_JA4),
    "example with grease": (GREASED_HELLO, SPEC_JA4),
    "no signature algorithms": (NO_SIGNATURES_HELLO, "t13d1516h2_8daaf6152771_6d807ffa2a79"),
    "only server name and alpn": (
        hello(CIPHERS, [server_name(), alpn(b"h2")]),
        "t12d1502h2_8daaf6152771_000000000000",
    ),
    "no server name": (hello(CIPHERS, [versions(0x0304), alpn(b"http/1.1")]), "t13i1502h1_"),
    "only grease ciphers": (hello([0x0A0A], [versions(0x0304)]), "t13i000100_000000000000_"),
    "alpn without a list": (hello(CIPHERS, [(16, b"\0\0"), versions(0x0304)]), "t13i150200_"),
    "alpn without bytes": (hello(CIPHERS, [(16, b""), versions(0x0304)]), "t13i150200_"),
    "alpn, first value empty": (hello(CIPHERS, [(16, b"\0\4\0\2h2"), versions(0x0304)]), "t13i150200_"),
    "versions unsorted": (hello(CIPHERS, [versions(0x0301, 0xEAEA, 0x0304, 0x0302)]), "t13i150100_"),
    "versions all grease": (hello(CIPHERS, [versions(0xEAEA)]), "t00i150100_"),
    "legacy version 1.1": (hello(CIPHERS, [server_name()], 0x0302), "t11d150100_"),
    "legacy version ssl3": (hello(CIPHERS, None, 0x0300), "ts3i150000_"),
    "120 ciphers": (hello([0x1301, *range(0xC001, 0xC078)], [versions(0x0304)]), "t13i990100_"),
    "131 extensions": (
        hello(CIPHERS, [versions(0x0304), *((0x5000 + i, b"") for i in range(130))]),
        "t13i159900_",
    ),
    "signalling ciphers count": (hello([0x1301, 0x00FF, 0x5600, 0xFEFE], [versions(0x0304)]), "t13i040100_"),
    "session id, two compressions": (
        hello(CIPHERS, [versions(0x0304), server_name()], session=bytes(32), compressions=b"\1\0"),
        "t13d150200_",
    ),
    "pre-shared key last": (
        hello(CIPHERS, [versions(0x0304), (45, b"\1\1"), (41, b"\0\x0a\0\4abcd\0\0\0\0\0\x21\x20" + b"x" * 32)]),
        "t13i150300_",
    ),
    "15 KB": (hello(CIPHERS, [versions(0x0304), (0x6000, b"z" * 15000), server_name()]), "t13d150300_"),
    "60 KB": (hello(CIPHERS, [versions(0x0304), (0x6000, b"z" * 60000), server_name()]), "t13d150300_"),
}
for _raw, _mark in [
    (b"\xab", "ab"),
    (b" ", "20"),
    (b"\xab\xcd", "ad"),
    (b" a", "21"),
    (b"0\xab", "3b"),
    (b"a ", "60"),
    (b"01\xab\xcd", "3d"),
    (b"0\xab\xcd1", "01"),
    (b"a", "aa"),
    (b"h2", "h2"),
    (b"http/1.1", "h1"),
    (b"spdy/3", "s3"),
    (b"\x0a\x0a", "0a"),
    (b"h3-29", "h9"),
]:
    JA4_PUBLISHED[f"alpn {_raw!r}"] = (
        hello(CIPHERS, [server_name(), alpn(_raw, b"http/1.1"), versions(0x0304, 0x0303)]),
        f"t13d1503{_mark}_",
    )
for _value, _mark in [
    (0x0304, "13"),
    (0x0303, "12"),
    (0x0302, "11"),
    (0x0301, "10"),
    (0x0300, "s3"),
    (0x0002, "s2"),
    (0x7F1C, "00"),
]:
    JA4_PUBLISHED[f"version {_value:04x}"] = (hello(CIPHERS, [versions(_value)]), f"t{_mark}i150100_")
