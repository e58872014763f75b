"""Signed texts that a client carries for us: challenges, clearances, sessions, waits.

Law of the file: what `open_token` returns was sealed by us, for this purpose, in this context, and not one bit of it has
changed; all else is None, whatever it is.

Rules, each with a past fault of others behind it (docs/challenge.md):
* the purpose goes into the MAC (BLAKE2 personalization): no token serves as another;
* every field is length-prefixed before the MAC: no digit can move from one field to the next (CVE-2025-68113);
* the context (host, User-Agent) is in the MAC but not in the token: a token of another browser is simply not valid;
* the text must be the one spelling of its bytes: Base64 would forgive stray characters and trailing bits;
* one algorithm, no field that chooses it.
"""

from __future__ import annotations

import binascii
from binascii import a2b_base64, b2a_base64
from hashlib import blake2s
from hmac import compare_digest

from botsieve.challenge.keys import KID_BYTES, KeyRing

# Purposes: at most 8 bytes (BLAKE2s personalization).
CHALLENGE, CLEARANCE, SESSION, WAIT, DEVICE = b"chal", b"clear", b"session", b"wait", b"device"

_VERSION = 1
VERSION = bytes([_VERSION])
MAC_BYTES = 16
_HEAD = len(VERSION) + KID_BYTES
# Longer texts are not looked at: a wait token with the longest path that it may hold (nojs.py) has 2,900 characters.
MAX_TEXT = 4096
MIN_TEXT = 28  # a token without fields
MAX_FIELD = 0xFFFF
# A clock that is set back by less than this voids nothing that was just issued, and opens no second chance.
SKEW_S = 60


def seal(keys: KeyRing, purpose: bytes, fields: tuple[bytes, ...], context: tuple[bytes, ...] = ()) -> str:
    """A token: URL-safe Base64 without padding, signed by the newest key.

    `fields`: each at most 65,535 bytes; readable by whoever holds the token.  `context`: must be the same at `open_token`.
    """
    kid = keys.newest_kid
    key = keys.key(kid)
    assert key is not None
    body = VERSION + kid + _prefixed(fields)
    return _encode(body + _mac(key, purpose, body, context))


class Series:
    """Seals tokens that differ in nothing but one field of `size` bytes: what they have in common is taken in once.

    Half the price of `seal`, and the same text.
    """

    __slots__ = ("_begun", "_head")

    def __init__(self, keys: KeyRing, purpose: bytes, size: int, context: tuple[bytes, ...] = ()) -> None:
        kid = keys.newest_kid
        key = keys.key(kid)
        assert key is not None
        self._head = VERSION + kid + size.to_bytes(2, "big")
        self._begun = _hash(key, purpose)
        self._begun.update(b"".join([_length(part) + part for part in context]))
        self._begun.update((len(self._head) + size).to_bytes(4, "big") + self._head)

    def seal(self, field: bytes) -> str:
        """The token of one field, which has the size that was said."""
        mac = self._begun.copy()
        mac.update(field)
        return _encode(self._head + field + mac.digest())


def open_token(keys: KeyRing, purpose: bytes, text: bytes, context: tuple[bytes, ...] = ()) -> tuple[bytes, ...] | None:
    """The fields of a token that `seal` made with the same purpose and context, None for anything else.

    `text`: any bytes.  No error.  Expiry is the caller's business.
    """
    if not MIN_TEXT <= len(text) <= MAX_TEXT:
        return None
    raw = _decode(text)
    if raw is None or raw[0] != _VERSION:
        return None
    key = keys.key(raw[1:_HEAD])
    if key is None:
        return None
    end = len(raw) - MAC_BYTES
    body = raw[:end]
    if not compare_digest(raw[end:], _mac(key, purpose, body, context)):
        return None
    return _split(body)


def key_is_known(keys: KeyRing, text: bytes) -> bool:
    """False for a text of our form whose key the ring does not hold (any more): what we may have written and cannot check."""
    raw = _decode(text) if MIN_TEXT <= len(text) <= MAX_TEXT else None
    if raw is None or raw[0] != _VERSION:
        return True
    return keys.key(raw[1:_HEAD]) is not None


# Hashes with their key and purpose already taken in: to be copied, which costs a third of making one.
_keyed: dict[bytes, blake2s] = {}
_MAX_KEYED = 64


def _hash(key: bytes, purpose: bytes) -> blake2s:
    name = key + purpose  # keys are all of one length
    known = _keyed.get(name)
    if known is None:
        if len(_keyed) >= _MAX_KEYED:
            _keyed.clear()
        known = _keyed[name] = blake2s(key=key, digest_size=MAC_BYTES, person=purpose)
    return known.copy()


def _mac(key: bytes, purpose: bytes, body: bytes, context: tuple[bytes, ...]) -> bytes:
    message = b""
    for part in context:
        message += _length(part) + part
    mac = _hash(key, purpose)
    mac.update(message + _length(body) + body)
    return mac.digest()


_LENGTHS = [length.to_bytes(4, "big") for length in range(256)]


def _length(part: bytes) -> bytes:
    length = len(part)
    return _LENGTHS[length] if length < 256 else length.to_bytes(4, "big")


def _prefixed(fields: tuple[bytes, ...]) -> bytes:
    pieces: list[bytes] = []
    for field in fields:
        if len(field) > MAX_FIELD:
            raise ValueError(f"a field of a token has at most {MAX_FIELD} bytes")
        pieces += (len(field).to_bytes(2, "big"), field)
    return b"".join(pieces)


def _split(body: bytes) -> tuple[bytes, ...]:
    # The MAC held, so the lengths are ours and fit.
    fields: list[bytes] = []
    at, size = _HEAD, len(body)
    while at < size:
        end = at + 2 + (body[at] << 8 | body[at + 1])
        fields.append(body[at + 2 : end])
        at = end
    return tuple(fields)


# base64's own functions do the same by way of more Python: 2 us a token more.
# What Base64 itself knows and we do not write is not taken either.
_TO_BASE64 = b2a_base64
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/=", b"+/***")
# By the characters beyond the last four: what is missing, and the last characters that leave no bit over.
_PADDING = (b"", b"", b"==", b"=")
_LAST_OF_TWO = frozenset(b"AQgw")
_LAST_OF_THREE = frozenset(b"AEIMQUYcgkosw048")


def _encode(raw: bytes) -> str:
    # Of what `b2a_base64` adds, as many `=` as three bytes are missing, and a line feed, nothing stays.
    return _TO_BASE64(raw)[: (len(raw) * 4 + 2) // 3].translate(_TO_URL).decode("ascii")


def _decode(text: bytes) -> bytes | None:
    """The bytes that have this text for their one spelling, None if there are none."""
    over = len(text) % 4
    if over == 1 or (over == 2 and text[-1] not in _LAST_OF_TWO) or (over == 3 and text[-1] not in _LAST_OF_THREE):
        return None
    try:
        return a2b_base64(text.translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except (binascii.Error, ValueError):
        return None
