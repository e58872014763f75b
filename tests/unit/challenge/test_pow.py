"""challenge/pow.py: the proof of work."""

from __future__ import annotations

from hashlib import sha256

import pytest
from botsieve.challenge.pow import MAX_ANSWER, holds, seed_of, solve
from hypothesis import given
from hypothesis import strategies as st

TOKEN = b"AWtmXucACwAAA-gAAAUUABAMABBaRXivVBzuYkZjDsu24sehAAJwMQADywBxAAAwYRPFeEl3Y68lKIb-THJk"
ANSWERS = solve(TOKEN, 4, 8)


def test_solved_work_holds() -> None:
    """What `solve` finds is accepted, and each hash has the bits, counted here in another way."""
    assert holds(TOKEN, 4, 8, ANSWERS)
    for index, answer in enumerate(ANSWERS):
        digest = sha256(sha256(TOKEN).digest() + index.to_bytes(4, "big") + answer.to_bytes(4, "big")).digest()
        assert digest[0] == 0


def test_the_work_of_another_token_is_refused() -> None:
    """Answers are worth nothing for a token that differs in one character."""
    assert not holds(TOKEN[:-1] + b"j", 4, 8, ANSWERS)
    assert seed_of(TOKEN) != seed_of(TOKEN[:-1] + b"j")


def test_no_answer_can_be_left_wrong() -> None:
    """Every one of the puzzles is looked at."""
    for index in range(4):
        wrong = list(ANSWERS)
        wrong[index] = next(n for n in range(9) if not holds(TOKEN, 4, 8, [*ANSWERS[:index], n, *ANSWERS[index + 1 :]]))
        assert not holds(TOKEN, 4, 8, wrong)


@pytest.mark.parametrize(
    "answers",
    [
        [],
        ANSWERS[:3],
        [*ANSWERS, ANSWERS[0]],
        [True] * 4,
        [False] * 4,
        [float(n) for n in ANSWERS],
        [str(n) for n in ANSWERS],
        [-1] * 4,
        [MAX_ANSWER + 1] * 4,
        [2**60] * 4,
        [None] * 4,
    ],
)
def test_other_shapes_are_refused(answers: list[object]) -> None:
    """Only a list of as many plain numbers from 0 to 2^32 - 1 as there are puzzles is work."""
    assert not holds(TOKEN, 4, 8, answers)


def test_a_boolean_is_not_the_number_that_it_equals() -> None:
    """Where 1 is the right answer, `True` and 1.0 are not."""
    token = next(text for text in (b"token %d" % number for number in range(10_000)) if solve(text, 1, 8) == [1])
    assert holds(token, 1, 8, [1])
    assert not holds(token, 1, 8, [True])
    assert not holds(token, 1, 8, [1.0])


def test_less_than_the_least_difficulty_is_no_work() -> None:
    """Fewer than 8 bits and no puzzles are refused whatever the answers are, so a zero in a setting opens nothing."""
    assert not holds(TOKEN, 0, 8, [])
    assert not holds(TOKEN, 4, 0, [0, 0, 0, 0])
    assert not holds(TOKEN, 4, 7, ANSWERS)
    assert not holds(TOKEN, 65, 8, solve(TOKEN, 65, 8))


@given(st.lists(st.integers(0, MAX_ANSWER), min_size=4, max_size=4))
def test_a_guess_is_accepted_only_if_it_is_the_work(answers: list[int]) -> None:
    """The verdict equals counting the leading zero bits of every hash."""
    seed = sha256(TOKEN).digest()
    hashes = [
        sha256(seed + index.to_bytes(4, "big") + answer.to_bytes(4, "big")).digest() for index, answer in enumerate(answers)
    ]
    assert holds(TOKEN, 4, 8, answers) == all(digest[0] == 0 for digest in hashes)
