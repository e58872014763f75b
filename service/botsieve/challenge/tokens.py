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
from functools import lru_cache
from hashlib import blake2s
from hmac import compare_digest

from botsieve.challenge.keys import KID_BYTES, KeyRing

# Purposes: at most 8 bytes (BLAKE2s personalization).
CHALLENGE, CLEARANCE, SESSION, WAIT, DEVICE = b"chal", b"clear", b"session", b"wait", b"device"

VERSION = b"\x01"
MAC_BYTES = 16
_HEAD = len(VERSION) + KID_BYTES
# Longer texts are not looked at: a wait token with the longest path that it may hold (nojs.py) has 2,900 characters.
MAX_TEXT = 4096
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


def open_token(keys: KeyRing, purpose: bytes, text: bytes, context: tuple[bytes, ...] = ()) -> tuple[bytes, ...] | None:
    """The fields of a token that `seal` made with the same purpose and context, None for anything else.

    `text`: any bytes.  No error.  Expiry is the caller's business.
    """
    if len(text) > MAX_TEXT:
        return None
    raw = _decode(text)
    if raw is None or len(raw) < _HEAD + MAC_BYTES or raw[:1] != VERSION:
        return None
    key = keys.key(raw[1:_HEAD])
    if key is None:
        return None
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not compare_digest(mac, _mac(key, purpose, body, context)):
        return None
    return _split(body[_HEAD:])


def key_is_known(keys: KeyRing, text: bytes) -> bool:
    """False for a text of our form whose key the ring does not hold (any more): what we may have written and cannot check."""
    raw = _decode(text) if len(text) <= MAX_TEXT else None
    if raw is None or len(raw) < _HEAD + MAC_BYTES or raw[:1] != VERSION:
        return True
    return keys.key(raw[1:_HEAD]) is not None


@lru_cache(maxsize=64)
def _keyed(key: bytes, purpose: bytes) -> blake2s:
    """The hash with its key already taken in: to be copied, which costs a third of making it."""
    return blake2s(key=key, digest_size=MAC_BYTES, person=purpose)


def _mac(key: bytes, purpose: bytes, body: bytes, context: tuple[bytes, ...]) -> bytes:
    mac = _keyed(key, purpose).copy()
    mac.update(b"".join([piece for part in (*context, body) for piece in (len(part).to_bytes(4, "big"), part)]))
    return mac.digest()


def _prefixed(fields: tuple[bytes, ...]) -> bytes:
    pieces: list[bytes] = []
    for field in fields:
        if len(field) > MAX_FIELD:
            raise ValueError(f"a field of a token has at most {MAX_FIELD} bytes")
        pieces += (len(field).to_bytes(2, "big"), field)
    return b"".join(pieces)


def _split(packed: bytes) -> tuple[bytes, ...]:
    # The MAC held, so the lengths are ours and fit.
    fields, at = [], 0
    while at < len(packed):
        end = at + 2 + int.from_bytes(packed[at : at + 2], "big")
        fields.append(packed[at + 2 : end])
        at = end
    return tuple(fields)


# base64's own functions do the same by way of more Python: 2 us a token more.
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def _text(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=")


def _encode(raw: bytes) -> str:
    return _text(raw).decode("ascii")


def _decode(text: bytes) -> bytes | None:
    try:
        raw = a2b_base64(text.translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if _text(raw) == text else None
