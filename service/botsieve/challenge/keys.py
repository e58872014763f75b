"""The keys that sign every token, as the keys file holds them.

Law of the file: one key a line, 64 hex digits; the last line is the newest and signs, all verify.  To rotate, append a line;
drop an old line when what it signed has run out.  A key never appears in a message, a log or a repr.
"""

from __future__ import annotations

import re
from hashlib import blake2s

from botsieve.errors import ConfigError

KEY_BYTES = 32
KID_BYTES = 4
MAX_KEYS = 16
_LINE = re.compile(r"[0-9a-fA-F]{64}")
_HEADER = "# Keys of Botsieve.  The last line signs, all lines verify.  Append a line to rotate.\n"


class KeyRing:
    """Keys by their name.  A key's name (`kid`, 4 bytes) is a digest of it, so that the order of the file can change."""

    __slots__ = ("_by_kid", "newest_kid", "oldest")

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        """`keys`: 1 to 16 different ones of 32 bytes, the newest last.  Errors: ValueError."""
        if not 1 <= len(keys) <= MAX_KEYS or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key ring holds 1 to {MAX_KEYS} keys of {KEY_BYTES} bytes")
        self._by_kid = {_kid(key): key for key in keys}
        if len(self._by_kid) != len(keys):
            raise ValueError("a key stands twice in the key ring")
        self.newest_kid = _kid(keys[-1])
        self.oldest = keys[0]  # the one that a rotation leaves as it is

    @classmethod
    def parse(cls, text: str, where: str = "keys") -> KeyRing:
        """From the text of a keys file.  `where`: its name, for messages.

        Errors: ConfigError with every mistake as `where:line: ...`; no message holds a key.
        """
        mistakes: list[str] = []
        keys: list[bytes] = []
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if not _LINE.fullmatch(line):
                mistakes.append(f"{where}:{number}: this is no key ({len(line)} characters); accepted: 64 hex digits")
            elif bytes.fromhex(line) in keys:
                mistakes.append(f"{where}:{number}: this key stands above already; accepted: every key once")
            else:
                keys.append(bytes.fromhex(line))
        if not keys and not mistakes:
            mistakes.append(f"{where}:1: the file holds no key; accepted: one key of 64 hex digits a line")
        if len(keys) > MAX_KEYS:
            mistakes.append(f"{where}:1: {len(keys)} keys; accepted: at most {MAX_KEYS}, drop the oldest lines")
        if mistakes:
            raise ConfigError(mistakes[:50])
        return cls(tuple(keys))

    def key(self, kid: bytes) -> bytes | None:
        """The key of that name, None if the ring does not hold it."""
        return self._by_kid.get(kid)

    def __len__(self) -> int:
        return len(self._by_kid)

    def __repr__(self) -> str:
        return f"KeyRing({len(self)} keys)"


def new_keys_text(random32: bytes) -> str:
    """The text of a first keys file, from 32 random bytes.  Errors: ValueError for another length."""
    if len(random32) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} random bytes, not {len(random32)}")
    return f"{_HEADER}{random32.hex()}\n"


def _kid(key: bytes) -> bytes:
    return blake2s(key, digest_size=KID_BYTES, person=b"kid").digest()
