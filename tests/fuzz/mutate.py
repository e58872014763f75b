"""Inputs for the targets: the corpus, and what becomes of it when parts are cut, doubled, swapped, spliced and overwritten.

Law of the file: everything comes from one number, so a failure can be had again by its name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
CONFIGS = Path(__file__).parents[1] / "config"
# What parsers stumble over: ends of lines and numbers, other alphabets, what means something to somebody.
PIECES = (
    b"", b"\0", b"\xff", b"\x80", b"\r\n", b"\n", b"\t", b" ", b'"', b"\\", b"\\x22", b"%", b"%00", b"%2e%2e%2f", b"/../", b"//", b"?",
    b"#", b":", b";", b"=", b",", b"-", b"0", b"-1", b"1e999", b"nan", b"65536", b"4294967296", b"9" * 40, b"\xc3\xa9", b"\xe2\x80\xae",
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"\x1b[2J", b"::ffff:1.2.3.4", b"fe80::1%eth0", b"unix:", b"&a",
    b"*a", b"<<: *a", b"!!python/object:os.system", b"${file:/etc/passwd}", b"${HOME}", b"[" * 200, b"{" * 200, b"A" * 5000,
    b"curl/8", b"Googlebot", b"__Host-botsieve_s=", b"botsieve_c=",
)  # fmt: skip


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """The corpus of a target, in the order of its names.  The configurations of tests/config count as seeds of `config`."""
    files = sorted((CORPUS / target).iterdir())
    if target == "config":
        files += sorted(CONFIGS.glob("good/*.yaml")) + sorted(CONFIGS.glob("bad/*.yaml"))
    return tuple(file.read_bytes() for file in files)


def changed(target: str, number: int) -> bytes:
    """A seed with up to eight changes, sometimes any bytes; `number` chooses all of it."""
    chance = random.Random(f"{target} {number}")
    known = seeds(target)
    data = chance.choice(known) if chance.randrange(10) else chance.randbytes(chance.randrange(300))
    for _ in range(chance.randrange(9)):
        a, b = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        match chance.randrange(6):
            case 0:
                data = data[:a] + data[b:]
            case 1:
                data = data[:b] + data[a:b][:2000] + data[b:]
            case 2:
                data = data[:a] + chance.choice(PIECES) + data[a:]
            case 3:
                data = data[:a] + chance.choice(PIECES) + data[b:]
            case 4:
                other = chance.choice(known)
                data = data[:a] + other[chance.randint(0, len(other)) :]
            case 5 if data:
                at = a % len(data)
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    return data[:20_000]


def names() -> Iterator[str]:
    """The targets that have a corpus."""
    return (folder.name for folder in sorted(CORPUS.iterdir()) if folder.is_dir())
