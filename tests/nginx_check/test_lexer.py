"""Words of an nginx configuration."""

from __future__ import annotations

import contextlib
import time

import pytest
from botsieve.edge.check.lexer import words
from botsieve.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

# Text that looks like nginx: the marks that change the state of the lexer.
NGINX_LIKE = st.lists(
    st.sampled_from(
        [*"{};#\\\"' \n$[]=-a", "${x}", "a_by_lua_block {", "include b;", "server {", "--[[", "]]", "location / {", "\r\n"]
    )
).map("".join)


def cut(text: str) -> list[tuple[str, str, int]]:
    return [tuple(word) for word in words("f", text)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a b;", ["a", "b", ";"]),
        ('a \'x y;{\' "}\\"" {}', ["a", "x y;{", '}"', "{", "}"]),
        ("a ${b}c;", ["a", "${b}c", ";"]),
        ("a $b{c;}", ["a", "$b", "{", "c", ";", "}"]),
        ("a # {\n;", ["a", ";"]),
        ("a b#c};", ["a", "b#c}", ";"]),
        ("if ($a ~ 'x{2}'){b;}", ["if", "($a", "~", "x{2}", ")", "{", "b", ";", "}"]),
        (r"a \.php$ 'a\tb\.';", ["a", r"\.php$", "a\tb\\.", ";"]),
        ("a_by_lua_block { x = '}' } b;", ["a_by_lua_block", "{", " x = '}' ", "b", ";"]),
        ("a_by_lua_block {--[==[ } ]==] -- }\n{} [[}]] }", ["a_by_lua_block", "{", "--[==[ } ]==] -- }\n{} [[}]] "]),
        ("", []),
    ],
)
def test_words_as_nginx_cuts_them(text: str, wanted: list[str]) -> None:
    """Quotes, escapes, variables, comments and Lua."""
    assert [text for _, text, _ in cut(text)] == wanted


def test_each_word_has_its_line() -> None:
    """Also behind quotes and Lua of several lines."""
    text = "a 'x\ny' b;\nc_by_lua_block {\n\n} d;\n"
    assert [(text, line) for kind, text, line in cut(text) if kind == "word"] == [
        ("a", 1), ("x\ny", 1), ("b", 2), ("c_by_lua_block", 3), ("d", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"), [("a;\n'b", 2), ('a "b"c;', 1), ("\na_by_lua_block { '}' ", 2), ("a_by_lua_block { [[ }", 1)]
)
def test_what_nginx_refuses(text: str, line: int) -> None:
    """An error with file and line."""
    with pytest.raises(InputError, match=f"^f:{line}: .*accepted: "):
        cut(text)


@given(NGINX_LIKE | st.text())
def test_any_text_gives_words_or_the_declared_error(text: str) -> None:
    """Nothing else is raised, and no line number is beyond the text."""
    with contextlib.suppress(InputError):
        assert all(1 <= line <= text.count("\n") + 1 for _, _, line in cut(text))


@pytest.mark.parametrize(
    "unit",
    ['"', "'", "\\", '\\"', "${", "{", "#", "a;", "a_by_lua_block {", 'a_by_lua_block { "\\"', "a_by_lua_block { --[", "[["],
)
def test_twice_the_text_takes_twice_the_time(unit: str) -> None:
    """The worst text of each kind is read in linear time: eight times as much in well below sixty-four times the time."""

    def seconds(count: int) -> float:
        text, begin = unit * count, time.process_time()
        with contextlib.suppress(InputError):
            cut(text)
        return time.process_time() - begin

    small = min(seconds(5_000) for _ in range(3))
    assert min(seconds(40_000) for _ in range(3)) < 24 * max(small, 0.002)
