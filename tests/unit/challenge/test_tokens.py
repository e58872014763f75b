"""challenge/tokens.py: signed texts."""

from __future__ import annotations

import ast
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import botsieve.challenge
import pytest
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.tokens import (
    CHALLENGE,
    CLEARANCE,
    DEVICE,
    MAX_TEXT,
    SESSION,
    SKEW_S,
    WAIT,
    Series,
    key_is_known,
    open_token,
    seal,
)
from hypothesis import example, given
from hypothesis import strategies as st

from .builders import KEYS

FIELDS = st.lists(st.binary(max_size=40), min_size=1, max_size=4).map(tuple)
CONTEXT = st.lists(st.binary(max_size=20), max_size=3).map(tuple)
PURPOSES = (CHALLENGE, CLEARANCE, SESSION, WAIT, DEVICE)


def _raw(token: str) -> bytes:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _text(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


@given(FIELDS, CONTEXT)
def test_what_is_sealed_is_opened(fields: tuple[bytes, ...], context: tuple[bytes, ...]) -> None:
    """The same purpose, context and keys give the fields back."""
    assert open_token(KEYS, SESSION, seal(KEYS, SESSION, fields, context).encode(), context) == fields


@given(st.binary(max_size=300), CONTEXT)
def test_tokens_of_a_series_are_those_that_are_sealed_one_by_one(field: bytes, context: tuple[bytes, ...]) -> None:
    """What is taken in once for all of them changes no character; the second is no other than the first."""
    series = Series(KEYS, SESSION, len(field), context)
    token = seal(KEYS, SESSION, (field,), context)
    assert [series.seal(field), series.seal(field)] == [token, token]


@given(FIELDS)
def test_every_change_of_one_bit_is_refused(fields: tuple[bytes, ...]) -> None:
    """Each bit of the bytes counts: version, key name, lengths, fields and MAC."""
    raw = _raw(seal(KEYS, CLEARANCE, fields))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert open_token(KEYS, CLEARANCE, _text(bytes(changed))) is None


@given(FIELDS)
def test_every_change_of_one_character_is_refused(fields: tuple[bytes, ...]) -> None:
    """Each bit of the text counts too: Base64 leaves no second spelling of a token."""
    text = seal(KEYS, CLEARANCE, fields).encode()
    for bit in range(len(text) * 8):
        changed = bytearray(text)
        changed[bit // 8] ^= 1 << bit % 8
        assert open_token(KEYS, CLEARANCE, bytes(changed)) is None


@pytest.mark.parametrize("stray", [b"=", b"==", b" ", b"\n", b"!", b"A", b"AA", b"."])
def test_stray_characters_are_refused(stray: bytes) -> None:
    """Padding, spaces and characters that Base64 decoders skip make another text, hence no token."""
    text = seal(KEYS, SESSION, (b"abc",)).encode()
    for changed in (text + stray, stray + text, text[:9] + stray + text[9:]):
        assert open_token(KEYS, SESSION, changed) is None


@given(FIELDS, st.sampled_from(PURPOSES), st.sampled_from(PURPOSES))
def test_a_token_serves_its_purpose_only(fields: tuple[bytes, ...], sealed_as: bytes, opened_as: bytes) -> None:
    """No token is accepted as one of another purpose."""
    opened = open_token(KEYS, opened_as, seal(KEYS, sealed_as, fields).encode())
    assert (opened == fields) == (sealed_as == opened_as)


@given(FIELDS, CONTEXT, CONTEXT)
@example((b"x",), (b"ab", b"c"), (b"a", b"bc"))
@example((b"x",), (b"a",), (b"a", b""))
def test_another_context_is_refused(fields: tuple[bytes, ...], first: tuple[bytes, ...], second: tuple[bytes, ...]) -> None:
    """The context counts part by part: (`ab`, `c`) is not (`a`, `bc`)."""
    opened = open_token(KEYS, SESSION, seal(KEYS, SESSION, fields, first).encode(), second)
    assert (opened == fields) == (first == second)


def test_bytes_cannot_move_between_fields() -> None:
    """Equal bytes divided otherwise are another token, and the division of one cannot be put on the other."""
    first, second = _raw(seal(KEYS, SESSION, (b"ab", b"c"))), _raw(seal(KEYS, SESSION, (b"a", b"bc")))
    assert first[-16:] != second[-16:]
    assert open_token(KEYS, SESSION, _text(first[:-16] + second[-16:])) is None


def test_another_key_is_refused() -> None:
    """A token signed by a key that is not in the ring is nothing, also under the name of one that is."""
    other = KeyRing((b"o" * 32,))
    raw = _raw(seal(other, SESSION, (b"x",)))
    assert open_token(KEYS, SESSION, _text(raw)) is None
    assert open_token(KEYS, SESSION, _text(raw[:1] + KEYS.newest_kid + raw[5:])) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(text: bytes) -> None:
    """Nothing that we did not sign opens, and nothing raises."""
    assert open_token(KEYS, SESSION, text) is None
    assert open_token(KEYS, SESSION, _text(b"\x01" + KEYS.newest_kid + text)) is None


def test_overlong_texts_are_not_looked_at() -> None:
    """A signed token that is too long is refused; a field beyond 65,535 bytes is a mistake of the program."""
    assert open_token(KEYS, SESSION, seal(KEYS, SESSION, (b"x" * MAX_TEXT,)).encode()) is None
    with pytest.raises(ValueError):
        seal(KEYS, SESSION, (b"x" * 70_000,))


def test_a_text_of_our_form_tells_whether_its_key_is_held() -> None:
    """False means: we may have written it, and cannot say so any more.  What has another form is nobody's key."""
    ours, theirs = seal(KEYS, DEVICE, (b"x",)).encode(), seal(KeyRing((b"o" * 32,)), DEVICE, (b"x",)).encode()
    assert key_is_known(KEYS, ours) is True
    assert key_is_known(KEYS, theirs) is False
    shortest = _raw(theirs.decode())[:5] + b"m" * 16
    assert key_is_known(KEYS, _text(shortest)) is False
    assert key_is_known(KEYS, _text(shortest[:-1])) is True  # too short for a key's name and a MAC
    assert key_is_known(KEYS, _text(b"\x02" + _raw(theirs.decode())[1:])) is True  # another version's form
    assert key_is_known(KEYS, theirs + b"=") is True  # no spelling of ours
    assert key_is_known(KEYS, b"") is True


def test_a_text_of_our_form_is_looked_at_up_to_its_longest() -> None:
    """As `open_token` does: one character more is not looked at."""
    longest = _text(b"\x01" + b"k" * (MAX_TEXT * 3 // 4 - 1))
    assert len(longest) == MAX_TEXT
    assert key_is_known(KEYS, longest) is False
    assert key_is_known(KEYS, _text(b"\x01" + b"k" * (MAX_TEXT * 3 // 4))) is True


def test_purposes_and_skew_stay_what_they_were() -> None:
    """Tokens that people hold were signed with these words; a minute is what NTP may set a clock back by."""
    assert PURPOSES == (b"chal", b"clear", b"session", b"wait", b"device")
    assert SKEW_S == 60


def test_macs_are_compared_in_constant_time() -> None:
    """In this package no name that holds a MAC stands beside == or !=."""
    for path in Path(botsieve.challenge.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                assert not names & {"mac", "_mac", "digest", "signature"}, f"{path.name}:{node.lineno}"
