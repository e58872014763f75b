"""tokens.py: what could be broken without any other test noticing (`make mutation`)."""

from __future__ import annotations

import pytest
from botsieve.challenge.keys import KID_BYTES, KeyRing
from botsieve.challenge.tokens import CHALLENGE, CLEARANCE, MAC_BYTES, MAX_TEXT, SESSION, WAIT, open_token, seal

KEYS = KeyRing((b"k" * 32,))
# The form on the wire: a change of it makes every cookie out there void, and needs another VERSION.
SEALED = {
    CHALLENGE: "AWtmXucAAWEAAmJjbY2TUxYxvqxD3OJdRvaORA",
    CLEARANCE: "AWtmXucAAWEAAmJj0Kvmj8WCPtLU6dvsQxh1vA",
    SESSION: "AWtmXucAAWEAAmJjBjTfNERGYG9aZExUEKeeiw",
    WAIT: "AWtmXucAAWEAAmJjxLHi7WjQJzi89Ztu-p4PJQ",
}


@pytest.mark.parametrize("purpose", SEALED)
def test_the_form_on_the_wire(purpose: bytes) -> None:
    """Known key, fields and context give known bytes, and are read from them: an update leaves everybody's cookies valid."""
    assert seal(KEYS, purpose, (b"a", b"bc"), (b"host",)) == SEALED[purpose]
    assert open_token(KEYS, purpose, SEALED[purpose].encode(), (b"host",)) == (b"a", b"bc")


def test_the_longest_text_is_read() -> None:
    """4,096 characters are looked at, one byte more is not; a token without fields is one, too."""
    head = 1 + KID_BYTES + 2 + MAC_BYTES
    longest = seal(KEYS, WAIT, (bytes(3072 - head),))
    assert len(longest) == MAX_TEXT == 4096
    assert open_token(KEYS, WAIT, longest.encode()) == (bytes(3072 - head),)
    assert open_token(KEYS, WAIT, seal(KEYS, WAIT, (bytes(3073 - head),)).encode()) is None
    assert open_token(KEYS, WAIT, seal(KEYS, WAIT, ()).encode()) == ()


def test_the_longest_field() -> None:
    """65,535 bytes are sealed, 65,536 do not fit their length."""
    assert seal(KEYS, WAIT, (bytes(65_535),))
    with pytest.raises(ValueError, match="65535"):
        seal(KEYS, WAIT, (bytes(65_536),))


def test_the_mac_has_16_bytes() -> None:
    """128 bits, so that guessing is hopeless and the cookie small."""
    assert MAC_BYTES == 16
