"""botsieve.values: a changed copy, of either form of a value."""

from __future__ import annotations

import pytest
from botsieve.decision import Measure
from botsieve.values import replace


class Native:
    """What scripts/compile_core.py makes of a struct has these two."""

    def __init__(self, name: str, value: float) -> None:
        self.name, self.value = name, value

    def replaced(self, changes: dict[str, object]) -> object:
        fields: dict[str, object] = {"name": self.name, "value": self.value}
        fields.update(changes)
        return Native(**fields)  # type: ignore[arg-type]


def test_a_copy_with_the_change() -> None:
    """The original stays, the rest is taken over."""
    before = Measure("cv", 0.1, 0.2)
    assert replace(before, value=0.3) == Measure("cv", 0.3, 0.2)
    assert before.value == 0.1


def test_the_native_form() -> None:
    """The same by its own method."""
    after = replace(Native("cv", 0.1), value=0.3)
    assert (after.name, after.value) == ("cv", 0.3)


@pytest.mark.parametrize("value", [Measure("cv", 0.1), Native("cv", 0.1)])
def test_a_field_that_there_is_not(value: object) -> None:
    """A mistake of ours is told."""
    with pytest.raises(TypeError):
        replace(value, colour="red")
