"""Times of log lines."""

from __future__ import annotations

import pytest
from botsieve.journal.render import second_text
from botsieve.replay.stamps import parse_msec, parse_time_iso8601, parse_time_local
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("stamp", "expected_s"),
    [
        (b"17/May/2015:10:05:40 +0000", 1431857140.0),
        (b"17/May/2015:12:05:40 +0200", 1431857140.0),
        (b"17/May/2015:06:35:40 -0330", 1431857140.0),
        (b"31/Dec/2016:23:59:60 +0000", 1483228800.0),  # a leap second is the next second
        (b"29/Feb/2016:00:00:00 +0000", 1456704000.0),
    ],
)
def test_time_local(stamp: bytes, expected_s: float) -> None:
    """The form of `$time_local`, with every offset."""
    assert parse_time_local(stamp) == expected_s
    assert parse_time_local(stamp) == expected_s  # from the remembered minute


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"29/Feb/2015:00:00:00 +0000",
        b"17/Mai/2015:10:05:40 +0000",
        b"17/May/2015:24:05:40 +0000",
        b"17/May/2015:10:05:61 +0000",
        b"17/May/2015:10:05:4x +0000",
        b"17/May/2015:10:05:40 +9900",
        b"17/May/2015:10:05:40",
        b"17/May/1915:10:05:40 +0000",
        b"17/May/0000:10:05:40 +0000",
    ],
)
def test_no_time_local(stamp: bytes) -> None:
    """What is no time is None, also when its minute is known."""
    assert parse_time_local(b"17/May/2015:10:05:40 +0000") is not None
    assert parse_time_local(stamp) is None


def test_iso8601_and_msec() -> None:
    """The forms of `$time_iso8601` and `$msec`."""
    assert parse_time_iso8601(b"2015-05-17T10:05:40+00:00") == 1431857140.0
    assert parse_time_iso8601(b"2015-05-17T10:05:40.250Z") == 1431857140.25
    assert parse_time_iso8601(b"2015-05-17T10:05:40") is None
    assert parse_msec(b"1795296799.898") == 1795296799.898
    assert [parse_msec(text) for text in (b"nan", b"-1", b"1e9", b"1_0", b"", b"99999999999999", b"999999999999.9")] == [
        None
    ] * 7


@given(st.binary(max_size=40))
def test_any_bytes_give_seconds_or_none(stamp: bytes) -> None:
    """Nothing is raised, and what comes out can be printed."""
    for parse in (parse_time_local, parse_time_iso8601, parse_msec):
        time_s = parse(stamp)
        assert time_s is None or second_text(time_s).endswith("Z")


@given(st.from_regex(rb"[0-3][0-9]/(May|Feb|Xyz)/[0-9]{4}:[0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-][0-9]{4}", fullmatch=True))
def test_time_local_agrees_with_the_library(stamp: bytes) -> None:
    """The remembered minute changes nothing: strptime says the same of every stamp that it reads."""
    from datetime import datetime

    try:
        expected = datetime.strptime(stamp.decode(), "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except (ValueError, OverflowError):
        return
    got = parse_time_local(stamp)
    assert got == expected or (got is None and (expected < 0 or expected > 253_402_300_000))
