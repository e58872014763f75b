"""state/hashing.py: keys that nobody outside can choose, equal in every process."""

from __future__ import annotations

import subprocess
import sys

from botsieve.state.hashing import Hasher
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_shape(secret: bytes, data: bytes) -> None:
    """A key is 8 bytes, a thing the same 64 bits; other data is something else."""
    hasher = Hasher(secret)
    assert len(hasher.key(data)) == 8
    assert int.from_bytes(hasher.key(data), "big") == hasher.thing(data)
    assert hasher.key(data) != hasher.key(data + b"x")


def test_another_secret_gives_other_keys() -> None:
    """Who does not know the secret cannot make keys collide."""
    assert Hasher(b"one").key(b"203.0.113.7") != Hasher(b"two").key(b"203.0.113.7")
    assert Hasher(b"one").mark != Hasher(b"two").mark


def test_every_process_agrees() -> None:
    """Not Python's hash(), which differs per process."""
    code = "from botsieve.state.hashing import Hasher; print(Hasher(b'secret').thing(b'/items/17'))"
    said = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "service")}, capture_output=True, text=True, check=True
    )
    assert int(said.stdout) == Hasher(b"secret").thing(b"/items/17")
