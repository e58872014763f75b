"""botsieve.config.kinds"""

from __future__ import annotations

import re
from typing import Any

import pytest
from botsieve.config import kinds
from botsieve.config.address_kinds import AbsolutePath, CountedNetwork, HeaderName, HostName, Listen, Method, Network, UrlPath
from botsieve.config.mistakes import Expanded
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError, ValidationError

ALL = [
    kinds.Whole(1, 9),
    kinds.Whole(1, 9, null=True),
    kinds.Number(0, 1),
    kinds.Flag(),
    kinds.Word("a", "b", later=("c",)),
    kinds.OneOf(300),
    kinds.Text("letters", form="[a-z]+"),
    kinds.Secret(),
    Network(),
    CountedNetwork(),
    HostName(),
    UrlPath(),
    HeaderName(),
    Method(),
    AbsolutePath("stdout"),
    Listen(),
    Listen(unix=False),
    kinds.PatternText(),
]


def refused(kind: kinds.Kind, value: object) -> str:
    """The mistake, "" for a value that is accepted."""
    try:
        kind.take(value)
    except PydanticCustomError as error:
        return error.message()
    return ""


@given(
    st.sampled_from(ALL),
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.builds(Expanded, st.text())),
)
def test_any_value_is_accepted_or_refused_with_what_would_be(kind: kinds.Kind, value: object) -> None:
    """No other error, and each mistake ends with what is accepted."""
    message = refused(kind, value)
    assert not message or message.endswith(f"; accepted: {kind.told}")


def test_numbers_are_numbers() -> None:
    """Neither text nor booleans; units are recognised; `${...}` may hold one."""
    whole = kinds.Whole(0, 100)
    assert whole.take(40) == 40
    assert whole.take(40.0) == 40
    assert whole.take(Expanded(" 40 ")) == 40
    assert "because of its quotes" in refused(whole, "40")
    assert "has a unit" in refused(whole, "40s")
    assert "is no number" in refused(whole, True)
    assert "too large" in refused(whole, 101)
    assert "no whole number" in refused(whole, 1.5)
    assert kinds.Number(0, 1).take(Expanded("0.5")) == 0.5
    assert "no number" in refused(kinds.Number(0, 1), float("nan"))


def test_only_true_and_false_are_booleans() -> None:
    """Not 1, not yes, not the text true; but what an environment variable says."""
    flag = kinds.Flag()
    assert flag.take(False) is False
    assert flag.take(Expanded("true")) is True
    assert all(refused(flag, value) for value in (1, 0, "true", "yes", None, Expanded("1")))


def test_null_is_accepted_where_it_is_said() -> None:
    """An empty variable counts as null there."""
    assert kinds.Whole(1, 9, null=True).take(None) is None
    assert kinds.Whole(1, 9, null=True).take(Expanded("")) is None
    assert refused(kinds.Whole(1, 9), None)


def test_patterns_are_re2_and_search_any_bytes() -> None:
    """What RE2 does not take is refused; what it takes is bounded and works on bytes that are no UTF-8."""
    assert kinds.compile_pattern("^\\xff.é$").search(b"\xff\xfe\xc3\xa9")
    assert not kinds.compile_pattern("^acme$").search(b"acme2")
    for pattern in ("(a", "a(?=b)", "(a)\\1", "((a{100}){100}){100}", "\ud800", "a.{900}z", "[ab]*a[ab]{400}c"):
        with pytest.raises(ValueError):
            kinds.compile_pattern(pattern)


def take_all(annotation: Any, value: object) -> Any:
    """Validates through pydantic, as a model would."""
    return TypeAdapter(annotation).validate_python(value)


def test_each_entry_of_a_list_is_refused_at_its_place() -> None:
    """All wrong entries at once, each with its index; a lone value stands for a list where that is said."""
    from typing import Annotated

    many = Annotated[tuple[int, ...], kinds.Many(kinds.Whole(1, 9), 3)]
    assert take_all(many, [1, 2]) == (1, 2)
    with pytest.raises(ValidationError) as caught:
        take_all(many, [1, "x", 20])
    assert [error["loc"] for error in caught.value.errors()] == [(1,), (2,)]
    for wrong in ([1, 2, 3, 4], 5, None, {"a": 1}):
        with pytest.raises(ValidationError, match=re.escape("accepted: a list of")):
            take_all(many, wrong)
    lone = Annotated[tuple[int, ...], kinds.Many(kinds.Whole(1, 9), 3, lone=True)]
    assert take_all(lone, 5) == (5,)


def test_names_and_values_of_a_table_are_checked() -> None:
    """Header names are lowered; wrong names and values are refused at their key."""
    from typing import Annotated

    table = Annotated[dict[str, int], kinds.Table(HeaderName(), kinds.Whole(1, 9), 2)]
    assert take_all(table, {"X-A": 1}) == {"x-a": 1}
    with pytest.raises(ValidationError) as caught:
        take_all(table, {"x a": 1, "x-b": 99})
    assert {error["loc"] for error in caught.value.errors()} == {("x a", "[key]"), ("x-b",)}
    for wrong in ({"a": 1, "b": 2, "c": 3}, [1], None):
        with pytest.raises(ValidationError, match="accepted: a mapping"):
            take_all(table, wrong)
