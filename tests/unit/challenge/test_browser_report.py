"""The report of the script: shape and bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botsieve.challenge.browser_report import MAX_COPY, MAX_REPORT, BrowserReport, parse_report
from hypothesis import given
from hypothesis import strategies as st


def test_everything_may_be_missing() -> None:
    """An empty object is a report that says nothing."""
    assert parse_report(b"{}") == BrowserReport()


def test_a_whole_one_is_read() -> None:
    """Every field that the script sends."""
    told = {
        "local": "x" * 72, "indexed": "x" * 72, "fingerprint": "0" * 32, "marks": ["webdriver"],
        "agent": "Mozilla/5.0", "languages": ["en-US", "en"], "platform": "Linux x86_64", "extensions": ["Scraper"],
    }  # fmt: skip
    assert parse_report(json.dumps(told).encode()) == BrowserReport(**told)


@pytest.mark.parametrize(
    "wrong",
    [
        {"local": "x" * (MAX_COPY + 1)},
        {"local": None},
        {"fingerprint": "G" * 32},
        {"fingerprint": "0" * 32 + "\n"},
        {"fingerprint": "0" * 31},
        {"marks": ["x"] * 33},
        {"marks": ["x" * 33]},
        {"marks": "webdriver"},
        {"languages": ["x"] * 11},
        {"extensions": ["x"] * 21},
        {"agent": "x" * 1025},
        {"unknown": 1},
    ],
)
def test_anything_else_is_none(wrong: dict[str, Any]) -> None:
    """Longer, of another type, of another name: no report."""
    assert parse_report(json.dumps(wrong).encode()) is None


def test_four_kilobytes_are_the_most() -> None:
    """More is not looked at."""
    assert parse_report(b"{}" + b" " * (MAX_REPORT - 2)) is not None
    assert parse_report(b"{}" + b" " * (MAX_REPORT - 1)) is None


@given(st.binary(max_size=600) | st.recursive(st.none() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_any_bytes_are_a_report_or_none(body: object) -> None:
    """Nothing is raised."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert isinstance(parse_report(raw), BrowserReport | None)
