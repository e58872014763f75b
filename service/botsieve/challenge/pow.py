"""The proof of work: many small puzzles of single-block SHA-256.

Law of the file: the difficulty is what the signed token says, and every hash is computed anew here; nothing that a client
reports about its own work is believed (CVE-2025-24369).

    seed     = SHA-256(text of the token, ASCII)
    answer i = a number n, 0 <= n < 2^32, with `bits` leading zero bits in SHA-256(seed + u32(i) + u32(n)), big-endian

40 bytes are one block: plain JavaScript does 2.3 M of them a second, 20 times more than WebCrypto, and needs no secure context.
Sixteen puzzles instead of one with the same work cut the spread of the waiting time from cv 0.77 to 0.31 [measured,
docs/challenge.md].
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from botsieve.challenge.settings import MAX_PUZZLES, MIN_BITS, MIN_PUZZLES

MAX_ANSWER = 0xFFFF_FFFF


def seed_of(token: bytes) -> bytes:
    """The 32 bytes that all puzzles of one token begin with."""
    return sha256(token).digest()


def holds(token: bytes, puzzles: int, bits: int, answers: Sequence[object]) -> bool:
    """Whether the answers are the work that the token asks for.  Shapes first, hashes after; the first wrong hash ends it.

    `puzzles`, `bits`: from the opened token.  Fewer than 8 bits are never work, whoever signed them.
    """
    if bits < MIN_BITS or not MIN_PUZZLES <= puzzles <= MAX_PUZZLES or len(answers) != puzzles:
        return False
    seed = seed_of(token)
    limit = 1 << (256 - bits)
    for index, answer in enumerate(answers):
        # A bool is an int in Python, a float compares like one: the type itself is asked for.
        if type(answer) is not int or not 0 <= answer <= MAX_ANSWER:
            return False
        if int.from_bytes(_hash(seed, index, answer), "big") >= limit:
            return False
    return True


def solve(token: bytes, puzzles: int, bits: int) -> list[int]:
    """The answers, by trying: what an SDK does, and the tests.  About `puzzles * 2**bits` hashes of 1 µs each."""
    seed = seed_of(token)
    limit = 1 << (256 - bits)
    answers = []
    for index in range(puzzles):
        answer = 0
        while int.from_bytes(_hash(seed, index, answer), "big") >= limit:
            answer += 1
        answers.append(answer)
    return answers


def _hash(seed: bytes, index: int, answer: int) -> bytes:
    return sha256(seed + index.to_bytes(4, "big") + answer.to_bytes(4, "big")).digest()
