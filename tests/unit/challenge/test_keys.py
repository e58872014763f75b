"""challenge/keys.py: the keys file."""

from __future__ import annotations

import pytest
from botsieve.challenge.keys import KeyRing, new_keys_text
from botsieve.challenge.tokens import SESSION, open_token, seal
from botsieve.errors import ConfigError
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = "11" * 32, "ab" * 32


def test_the_first_file_is_read_back() -> None:
    """What `new_keys_text` writes is a ring with that one key."""
    ring = KeyRing.parse(new_keys_text(bytes(range(32))))
    assert len(ring) == 1
    assert ring.key(ring.newest_kid) == bytes(range(32))


def test_appending_a_line_rotates() -> None:
    """The last line signs; tokens of the first line stay valid until the line is dropped."""
    old = KeyRing.parse(f"{OLD}\n")
    both = KeyRing.parse(f"# first\n{OLD}\n\n{NEW}\n")
    token_of_old, token_of_new = seal(old, SESSION, (b"x",)).encode(), seal(both, SESSION, (b"x",)).encode()
    assert open_token(both, SESSION, token_of_old) == (b"x",)
    assert open_token(KeyRing.parse(NEW), SESSION, token_of_new) == (b"x",)
    assert open_token(old, SESSION, token_of_new) is None
    assert open_token(KeyRing.parse(NEW), SESSION, token_of_old) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "keys:1: the file holds no key"),
        ("# nothing\n", "keys:1: the file holds no key"),
        (f"{OLD}\nshort\n", "keys:2: this is no key (5 characters); accepted: 64 hex digits"),
        (f"{OLD}\n{OLD.upper()}\n", "keys:2: this key stands above already"),
        ("\n".join(f"{n:064x}" for n in range(17)), "17 keys; accepted: at most 16"),
    ],
)
def test_mistakes_name_line_and_remedy(text: str, said: str) -> None:
    """A refused file says where and what is accepted."""
    with pytest.raises(ConfigError) as refused:
        KeyRing.parse(text)
    assert said in str(refused.value)


def test_no_message_holds_a_key() -> None:
    """Neither a refusal nor a repr shows key material."""
    with pytest.raises(ConfigError) as refused:
        KeyRing.parse(f"{NEW}\n{NEW}\n{NEW[:-1]}x\n")
    assert NEW[:8] not in str(refused.value)
    assert NEW[:8] not in repr(KeyRing.parse(NEW))


def test_a_ring_of_wrong_keys_is_a_mistake_of_the_program() -> None:
    """Short, doubled or no keys raise at once."""
    for keys in ((), (b"short",), (b"k" * 32, b"k" * 32)):
        with pytest.raises(ValueError):
            KeyRing(keys)
    with pytest.raises(ValueError):
        new_keys_text(b"short")


@given(st.text(max_size=300))
def test_any_text_is_a_ring_or_a_config_error(text: str) -> None:
    """Any keys file parses or is refused."""
    try:
        assert len(KeyRing.parse(text)) >= 1
    except ConfigError as refused:
        assert refused.mistakes  # noqa: PT017
