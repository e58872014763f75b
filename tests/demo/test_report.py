"""The table of `make attack`."""

from __future__ import annotations

import json

import pytest
from botsieve.demo.report import Entry, Expectation, Row, make_row, read_entries, render, render_attacks
from hypothesis import given
from hypothesis import strategies as st


def line(**keys: object) -> bytes:
    return json.dumps({"event": "decision", "client": "127.1.2.1", "verdict": "allow", "reasons": [], **keys}).encode() + b"\n"


def test_only_decisions_are_read() -> None:
    """Other events, a line that is half written and anything else are passed over."""
    entries = read_entries([line(), line(event="service_ready"), b'{"event":"deci', b"\xff\n", line(client="127.1.2.2")])
    assert [entry.client for entry in entries] == ["127.1.2.1", "127.1.2.2"]


@given(st.lists(st.binary(max_size=60)))
def test_any_log_is_read_without_an_error(lines: list[bytes]) -> None:
    """Whatever a file holds, reading it gives entries or nothing."""
    assert isinstance(read_entries(lines), list)


def test_a_row_counts_from_one_and_only_its_own() -> None:
    """First challenge and first block are places in the client's own requests, from 1."""
    log = [
        line(),
        line(client="x", verdict="block"),
        line(verdict="challenge", reasons=["a", "b"]),
        line(verdict="block", reasons=["b"]),
    ]
    row = make_row("me", read_entries(log), lambda entry: entry.client.startswith("127.1.2."))
    assert row == Row(name="me", requests=3, first_challenge=2, first_block=3, reasons=("b", "a"))
    assert (row.worst, row.first_stop) == ("block", 2)


def test_attacks_are_those_of_its_requests() -> None:
    """Each type once, in the order of their names; who was part of none is not listed."""
    of = [{"id": "surfing.rapid", "attack_type": "Bot Detected"}, {"id": "agent.bot_useragent"}]
    log = [line(), line(signals=of), line(signals=[*of, {"id": "x.y", "attack_type": "A"}]), line(client="x")]
    row = make_row("me", read_entries(log), lambda entry: entry.client == "127.1.2.1")
    nobody = make_row("x", read_entries(log), lambda entry: entry.client == "x")
    assert row.attacks == ("A", "Bot Detected")
    assert render_attacks([nobody, row]) == "  me  A, Bot Detected"


ROW = Row(name="me", requests=9, first_challenge=3, first_block=None, reasons=("volume:25",))


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        (Expectation(worst="challenge", to_request=3, reasons=("volume:25",)), None),
        (Expectation(worst="challenge", to_request=2), "first stopped at request 3, not 1 to 2"),
        (Expectation(worst="challenge", from_request=4, to_request=9), "first stopped at request 3, not 4 to 9"),
        (Expectation(worst="allow"), "met challenge, not allow"),
        (Expectation(worst="block"), "met challenge, not block"),
        (Expectation(worst="challenge", to_request=3, reasons=("volume:50",)), "was never told volume:50"),
        (Expectation(worst="challenge", to_request=3, attacks=("Bot Detected",)), "was never told Bot Detected"),
    ],
)
def test_an_expectation_says_what_is_not_so(expectation: Expectation, says: str | None) -> None:
    """Verdict, place and reasons are each compared, and the failure names the difference."""
    assert expectation.failure(ROW) == says


def test_a_client_that_is_not_in_the_log_is_a_failure() -> None:
    """Nothing seen is not "let through"."""
    nobody = make_row("nobody", [Entry(event="decision", client="x")], lambda entry: False)
    assert Expectation(worst="allow").failure(nobody) == "the decision log has no request of it"


def test_the_table_is_aligned_and_shortens_reasons() -> None:
    """Every row has every column; more than three reasons are counted."""
    many = Row(name="a scraper", requests=120, first_challenge=21, first_block=112, reasons=("a", "b", "c", "d", "e"))
    lines = render([(ROW, "ok"), (many, "ok")]).splitlines()
    assert len({text.rindex("ok") for text in lines[1:]}) == 1
    assert "21st" in lines[2]
    assert "112th" in lines[2]
    assert "a, b, c and 2 more" in lines[2]
    assert "3rd            -" in lines[1]
