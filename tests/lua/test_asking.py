"""resty.botsieve.asking: what is a part, how long it is kept, how it is drawn.  (In a real nginx: tests/nginx/test_asking.py.)"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lua.runtime import new_runtime


class Kept:
    """The module over a table in place of the shared memory, and a clock that the test moves."""

    def __init__(self) -> None:
        self.runtime = new_runtime()
        self._made = self.runtime.execute("""
            local now_s = 5.0
            package.preload["resty.botsieve.clock"] = function()
                return { monotonic_s = function() return now_s end }
            end
            local kept = {}
            local dict = {
                get = function(self, key) return kept[key] end,
                set = function(self, key, value) kept[key] = value return true end,
                incr = function(self, key, by, first) kept[key] = (kept[key] or first) + by return kept[key] end,
            }
            return require("resty.botsieve.asking"), dict, function(s) now_s = s end
        """)
        self.asking, self.dict, self.at = self._made

    def part(self) -> Any:
        return self.asking.part(self.dict)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@given(st.text(st.characters(max_codepoint=255), max_size=8))
def test_any_text_is_a_part_or_none(said: str) -> None:
    """One, two or three digits that are 1 to 100, and nothing else."""
    part = ASKING.part_of(said)
    is_part = said.isascii() and said.isdigit() and len(said) <= 3 and 1 <= int(said) <= 100
    assert part == (int(said) if is_part else None)


ASKING = Kept().asking


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("part", [1, 40, 100])
def test_it_is_kept_for_a_tenth_of_a_second(kept: Kept, part: int, refuses: bool) -> None:
    """By a clock that nobody sets, which may have run for years; then everything is asked about."""
    for start_s in (0.5, 86_400.0 * 3_650):
        kept.at(start_s)
        kept.asking.keep(kept.dict, str(part), refuses)
        assert kept.part() == (part, refuses)
        kept.at(start_s + 0.099)
        assert kept.part() == (part, refuses)
        kept.at(start_s + 0.102)
        assert kept.part() is None


def test_the_last_word_counts(kept: Kept) -> None:
    """A newer part takes the place of the older one; what is none takes nobody's place."""
    for said, part in (("40", 40), ("100", 100), ("0", 100), ("7", 7), ("x", 7)):
        kept.asking.keep(kept.dict, said, False)
        assert kept.part() == (part, False)


def test_nothing_was_said(kept: Kept) -> None:
    """Nor where there is no shared memory."""
    assert kept.part() is None
    assert kept.asking.part(None) is None
    kept.asking.keep(None, "40", False)
    assert kept.asking.spared(kept.dict) == 0


def test_it_is_drawn_by_its_part(kept: Kept) -> None:
    """Of 100 nobody is spared; of 1 nearly all; in between as many as it says."""
    drawn = {part: sum(bool(kept.asking.is_spared(part)) for _ in range(10_000)) for part in (1, 40, 100)}
    assert drawn[100] == 0
    assert drawn[40] == pytest.approx(6_000, rel=0.05)
    assert drawn[1] == pytest.approx(9_900, rel=0.01)


def test_the_spared_are_counted(kept: Kept) -> None:
    """For as long as nginx runs, also when the overload is over."""
    kept.asking.keep(kept.dict, "40", False)
    for _ in range(3):
        kept.asking.count(kept.dict)
    kept.at(500.0)
    assert kept.asking.spared(kept.dict) == 3


def test_the_clock_goes_forward() -> None:
    """The real one: seconds of one clock, ahead with each look."""
    monotonic_s = new_runtime().execute('return require("resty.botsieve.clock").monotonic_s')
    looks = [monotonic_s() for _ in range(5)]
    assert looks == sorted(looks)
    assert 0.0 < looks[0] < 1e9
