"""challenge/events.py: what is posted to `e`."""

from __future__ import annotations

import json

import pytest
from botsieve.challenge.events import MAX_EVENTS, MAX_REPORT, Event, InvalidReport, parse_events, parse_report, split_report
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.lists(st.lists(st.integers(-(2**40), 2**40), max_size=7), max_size=300)


@given(
    st.one_of(st.binary(max_size=200), st.builds(lambda text, tail: text.encode() + tail, st.text(), st.binary(max_size=50)))
)
def test_any_bytes_give_a_report_or_the_declared_error(body: bytes) -> None:
    """No other error, whatever comes."""
    try:
        report = parse_report(body)
    except InvalidReport:
        return
    assert 1 <= len(report.events) <= MAX_EVENTS


@given(NUMBERS)
def test_any_numbers_give_events_within_bounds_or_the_declared_error(numbers: list[list[int]]) -> None:
    """What is accepted has a kind, a time that does not run backwards and flags that there are."""
    try:
        events = parse_events(json.dumps(numbers).encode())
    except InvalidReport:
        return
    for event, fields in zip(events, numbers, strict=True):
        assert 0 <= event.kind <= 11
        assert event.gap_ms >= 0
        assert 0 <= event.flags < 256
        assert [event.kind, event.gap_ms, event.flags, event.dx, event.dy][: len(fields)] == fields


def test_a_report_is_read_as_the_script_writes_it() -> None:
    """Token, number, events: a line each."""
    report = parse_report(b"abc\n3\n[[0,12,0,4,-5],[4,100,2]]")
    assert (report.token, report.number) == (b"abc", 3)
    assert report.events == (Event(0, 12, 0, 4, -5), Event(4, 100, 2))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"abc",
        b"abc\n1",
        b"\n1\n[[0,1,0]]",
        b"abc\nx\n[[0,1,0]]",
        b"abc\n1234567\n[[0,1,0]]",
        b"abc\n1\n[]",
        b"abc\n1\n{}",
        b"abc\n1\n[[0]]",
        b"abc\n1\n[[0,1,0,0,0,0]]",
        b"abc\n1\n[[12,1,0]]",
        b"abc\n1\n[[-1,1,0]]",
        b"abc\n1\n[[0,-1,0]]",
        b"abc\n1\n[[0,1,256]]",
        b"abc\n1\n[[0,1,0,100001]]",
        b"abc\n1\n[[0,1.5,0]]",
        b"abc\n1\n[[true,1,0]]",
        b'abc\n1\n[["0",1,0]]',
        b"abc\n1\n" + b"[" * 2000,
        b"abc\n1\n" + json.dumps([[0, 1, 0]] * (MAX_EVENTS + 1)).encode(),
        b"a" * MAX_REPORT + b"\n1\n[[0,1,0]]",
    ],
)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    """Shape, bounds and types."""
    with pytest.raises(InvalidReport):
        parse_report(body)


def test_the_token_is_known_before_the_events_are_read() -> None:
    """Splitting does not look at what follows."""
    assert split_report(b"abc\n0\nrubbish") == (b"abc", 0, b"rubbish")


def test_the_message_holds_nothing_of_the_client() -> None:
    """An error names the part, never its content."""
    with pytest.raises(InvalidReport) as refused:
        parse_report(b"abc\n1\n[[0,1,0,99999999]] hunter2")
    assert "hunter2" not in str(refused.value)
