"""botsieve.attacks.kept"""

from __future__ import annotations

import json

import pytest
from botsieve.attacks.kept import LONGEST_S, MAX_LINE, line_of, prevention_of
from botsieve.attacks.preventions import AGAIN_S, Prevention, Whom
from botsieve.attacks.types import BOT_DETECTED, ENDED
from botsieve.observation import pack_address
from botsieve.state.parts import Latch
from hypothesis import given
from hypothesis import strategies as st

NOW_S = 1_800_000_000.0


def one(**changes: object) -> Prevention:
    """A prevention of 1800 s that began now."""
    whom = Whom("shop", "client", b"k" * 8, pack_address("2001:db8::7"), b"n" * 8)
    made = Prevention(whom, "surfing.rapid", BOT_DETECTED, Latch(int(NOW_S * 1000), NOW_S + 1800.0))
    made.until_s = NOW_S + 150.0
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_what_is_kept_comes_back() -> None:
    """Every fact that decides, on one line."""
    line = line_of(one(mild=True, detail="scraper", full=True))
    assert b"\n" not in line
    back = prevention_of(line, NOW_S + 10.0)
    assert back is not None
    assert (back.whom, back.detector, back.attack_type, back.until_s) == (
        one().whom,
        "surfing.rapid",
        BOT_DETECTED,
        NOW_S + 150.0,
    )
    assert (back.mild, back.detail, back.full, back.latch.end_s) == (True, "scraper", True, NOW_S + 1800.0)
    assert back.runs(NOW_S + 10.0)


def test_what_was_over_is_remembered_for_ten_minutes_more() -> None:
    """For the second one; later it is nothing."""
    line = line_of(one(why=ENDED, ended_s=NOW_S))
    back = prevention_of(line, NOW_S + AGAIN_S - 1.0)
    assert back is not None
    assert not back.runs(NOW_S)
    assert prevention_of(line, NOW_S + AGAIN_S + 1.0) is None
    assert prevention_of(line_of(one()), NOW_S + 150.0 + AGAIN_S + 1.0) is None


def test_a_clock_that_was_set_back_makes_nothing_longer() -> None:
    """It lasts as long as it would have; more than a day is never believed."""
    back = prevention_of(line_of(one()), NOW_S - 1_000_000.0)
    assert back is not None
    assert back.latch.end_s == NOW_S - 1_000_000.0 + 1800.0
    assert back.until_s <= back.latch.end_s
    long = prevention_of(line_of(one(latch=Latch(int(NOW_S * 1000), NOW_S + 1e9), until_s=NOW_S + 1e9)), NOW_S)
    assert long is not None
    assert long.latch.end_s == NOW_S + LONGEST_S


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (2, "00"),
        (2, "zz"),
        (3, "nobody"),
        (4, ""),
        (5, "surfing.slow"),
        (6, "Attack"),
        (7, -1),
        (8, 0),
        (13, "later"),
        (12, "x" * 300),
    ],
)
def test_a_line_that_is_not_ours_is_refused(at: int, value: object) -> None:
    """Each wrong value alone."""
    fields = json.loads(line_of(one()))
    fields[at] = value
    with pytest.raises(ValueError, match=r"."):
        prevention_of(json.dumps(fields).encode(), NOW_S)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_give_a_prevention_or_a_value_error(line: bytes) -> None:
    """Nothing else is raised."""
    try:
        prevention_of(line, NOW_S)
    except ValueError:
        return
    raise AssertionError(line)


@given(st.integers(0, 14), st.none() | st.integers() | st.floats() | st.text() | st.booleans())
def test_any_field_may_be_wrong(at: int, value: object) -> None:
    """A prevention with sane times, nothing, or ValueError."""
    fields = json.loads(line_of(one()))
    fields[at] = value
    try:
        back = prevention_of(json.dumps(fields).encode(), NOW_S)
    except ValueError:
        return
    assert back is None or back.latch.end_s <= NOW_S + LONGEST_S


def test_a_line_too_long_is_not_looked_at() -> None:
    """Whatever is in it."""
    with pytest.raises(ValueError, match="long"):
        prevention_of(b"[" * (MAX_LINE + 1), NOW_S)
