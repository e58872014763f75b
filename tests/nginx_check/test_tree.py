"""The tree of directives."""

from __future__ import annotations

import contextlib

import pytest
from botsieve.edge.check.sources import Sources
from botsieve.edge.check.tree import MAX_DEPTH, MAX_WORDS, Directive, read_tree
from botsieve.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

from tests.nginx_check.test_lexer import NGINX_LIKE


def tree(text: str, **files: str) -> list[Directive]:
    return read_tree(Sources("/m", {"/m": text, **{f"/{name}": inside for name, inside in files.items()}}))


def test_blocks_and_includes() -> None:
    """An include stands for the directives of its file, in its place; its own lines are kept."""
    http, last = tree("http {\n include a;\n c;\n}\nz 1 2;", a="\nb;\nmap $x $y {\n 1 2;\n}")
    assert http.children is not None
    assert [(one.name, one.shown) for one in http.children] == [("b", ("/a", 2)), ("map", ("/a", 3)), ("c", ("/m", 3))]
    assert http.children[1].children is not None
    assert (http.children[1].children[0].name, http.children[1].children[0].args) == ("1", ("2",))
    assert (last.name, last.args, last.children) == ("z", ("1", "2"), None)


def test_our_files_are_shown_where_they_are_included() -> None:
    """The operator mends his own line, not ours; also where ours includes ours."""
    (found,) = tree("\ninclude a;", a="\n\ninclude b;", b="# Botsieve: x\ninclude c;", c="# Botsieve: y\n\nd;")
    assert (found.name, found.shown, found.ours) == ("d", ("/a", 3), True)


def test_lua_belongs_to_its_directive() -> None:
    """The inside of a Lua block is text, and what follows is nginx again."""
    one, two = tree("access_by_lua_block { f('}') } b;")
    assert (one.lua, one.children, two.name) == (" f('}') ", [], "b")


@pytest.mark.parametrize("text", ["a", "a {", "}", ";", "{ }", "a { b }", "a;\n}"])
def test_what_nginx_refuses(text: str) -> None:
    """Open blocks and stray marks are errors with file and line."""
    with pytest.raises(InputError, match=r"^/m:\d: .*accepted: what `nginx -t` accepts"):
        tree(text)


def test_depth_and_size_are_bounded() -> None:
    """Files that include themselves, deep blocks and endless words end in an error."""
    with pytest.raises(InputError, match="nested deeper"):
        tree("include m;")
    with pytest.raises(InputError, match="nested deeper"):
        tree("a {" * (MAX_DEPTH + 2) + "}" * (MAX_DEPTH + 2))
    with pytest.raises(InputError, match="words"):
        tree("a;" * MAX_WORDS)
    doubling = {f"f{i}": f"include f{i + 1}; include f{i + 1}; " for i in range(14)}
    with pytest.raises(InputError, match="words"):
        tree("include f0;", **doubling, f14="a b c d e f g h " * 20 + "i h i j k l m n o p q r s t u v w x y z a b c d e f g;")


@given(NGINX_LIKE | st.text(), NGINX_LIKE)
def test_any_text_gives_a_tree_or_the_declared_error(text: str, included: str) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(InputError):
        assert all(one.name is not None and one.shown[1] >= 1 for one in tree(text, b=included))
