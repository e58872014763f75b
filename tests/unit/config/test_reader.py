"""botsieve.config.reader"""

from __future__ import annotations

from botsieve.config.reader import packaged, read


def mistakes(raw: bytes) -> list[str]:
    """The mistakes of a text in an empty environment."""
    return read(raw, "f", {}).mistakes


def test_what_is_wrong_causes_no_second_mistake() -> None:
    """A value that is left out because it is wrong is not missed, and nothing is compared with it."""
    assert len(mistakes(b"policies: [{name: a, challenge_at: 90, block_at: many}]\n")) == 1
    assert len(mistakes(b"policies: [{name: a, rules: [{name: r, when: {path: x}, then: allow}]}]\n")) == 1
    assert len(mistakes(b"policies: [{name: 'a b'}, {name: b}]\n")) == 1
    assert len(mistakes(b"edges: {nginx: {listen: x}}\n")) == 1
    assert len(mistakes(b"bot_at: ${A}\n")) == 1


def test_what_is_wrong_hides_no_other_mistake() -> None:
    """Settings that can be compared are compared although others are wrong."""
    assert len(mistakes(b"bot_at: x\npolicies: [{name: a, challenge_at: 90, mode: x}]\n")) == 3
    assert len(mistakes(b"policies: [{name: a, mode: x}, {name: a}]\n")) == 2


def test_after_a_break_only_the_break_is_reported() -> None:
    """What follows is unknown, so nothing is said to be missing; `state.dir` above it is still told."""
    answer = read(b"state: {dir: /srv}\npolicies:\n  - paths: [\n", "f", {})
    assert len(answer.mistakes) == 1
    assert answer.state_dir == "/srv"
    assert read(b"state: {dir: 5}\npolicies: [\n", "f", {}).state_dir == ""


def test_no_file_is_every_default() -> None:
    """The same plan as a file that says nothing."""
    assert packaged().config == read(b"# nothing\n", "f", {}).config


def test_files_that_are_named_are_told_even_when_the_text_is_refused() -> None:
    """So that mending one of them is noticed."""
    assert read(b"challenge: {contact: '${file:/nonexistent/x}'}\n", "f", {}).files == ["/nonexistent/x"]
