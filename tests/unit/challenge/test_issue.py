"""challenge/issue.py: challenge tokens."""

from __future__ import annotations

import pytest
from botsieve.challenge.issue import Issuer

from .builders import KEYS, NOW_S, nonce, request, settings

ISSUER = Issuer(settings(), KEYS, b"process")


def test_a_challenge_carries_all_that_redeeming_needs() -> None:
    """Level, difficulty, expiry, nonce, issuer and origin come back from the token alone."""
    challenge = ISSUER.open(request(), ISSUER.seal(request(), "hard", NOW_S, nonce(7)).encode())
    assert challenge is not None
    assert (challenge.level, challenge.puzzles, challenge.bits) == ("hard", 8, 8)
    assert (challenge.issued_s, challenge.expires_s) == (int(NOW_S), int(NOW_S) + 300)
    assert (challenge.nonce, challenge.process, challenge.place) == (nonce(7), b"process", bytes([203, 0, 113]))


def test_it_is_bound_to_host_and_user_agent() -> None:
    """Opened for another host or browser it is nothing."""
    token = ISSUER.seal(request(), "light", NOW_S, nonce(1)).encode()
    assert ISSUER.open(request(host=b"other.example"), token) is None
    assert ISSUER.open(request(headers={b"user-agent": b"other"}), token) is None
    assert ISSUER.open(request(address="198.51.100.1"), token) is not None


def test_wrong_lengths_are_mistakes_of_the_program() -> None:
    """A nonce has 16 bytes, a process id 1 to 16."""
    with pytest.raises(ValueError):
        ISSUER.seal(request(), "light", NOW_S, b"short")
    for process_id in (b"", b"x" * 17):
        with pytest.raises(ValueError):
            Issuer(settings(), KEYS, process_id)
