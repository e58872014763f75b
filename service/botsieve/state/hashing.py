"""Keys of subjects and things: 64-bit hashes keyed with the deployment's secret.

Law of the file: never Python's `hash()` (it differs per process) and never a client's bytes as a key (whoever can choose keys can
make them collide).  Source: xxh3 with a secret seed; its outputs never leave the service.
"""

from __future__ import annotations

from hashlib import blake2s
from typing import Any

from xxhash import xxh3_64_digest, xxh3_64_intdigest

# As constants they are at hand; what is imported is looked for by its name, each time (docs/decisions/0013).
_DIGEST, _NUMBER = xxh3_64_digest, xxh3_64_intdigest


class Hasher:
    """Hashes under one secret (any bytes; at least 16 make guessing useless)."""

    __slots__ = ("_seed", "mark")

    def __init__(self, secret: bytes) -> None:
        # Tells one secret from another, and nothing about it: names that were made under another one are nobody's.
        self.mark = blake2s(secret, digest_size=4, person=b"mark").hexdigest()
        # As the object that it is handed on as: of an `int` compiled code makes that object anew at each call where it is below 2^62.
        self._seed: Any = int.from_bytes(blake2s(secret, digest_size=8, person=b"botsieve").digest(), "big")

    def key(self, data: bytes) -> bytes:
        """8 bytes: the key of a subject."""
        return _DIGEST(data, self._seed)

    def thing(self, data: bytes) -> int:
        """0..2^64-1: the name of a page, item or address in a LastSeen."""
        return _NUMBER(data, self._seed)
