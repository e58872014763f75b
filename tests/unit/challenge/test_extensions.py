"""The operator's list of extensions."""

from __future__ import annotations

import pytest
from botsieve.challenge.extensions import FILE, GLOBAL, MAX_LINE, SELECTOR, Probe, parse_probe
from hypothesis import given
from hypothesis import strategies as st

ID = "abcdefghijklmnopabcdefghijklmnop"


@pytest.mark.parametrize(
    ("line", "probe"),
    [
        (f"Scraper = chrome-extension://{ID}/icon.png", Probe("Scraper", FILE, f"chrome-extension://{ID}/icon.png")),
        (f"A b-c.d_e=edge-extension://{ID}/a/b.js", Probe("A b-c.d_e", FILE, f"edge-extension://{ID}/a/b.js")),
        ("Web Scraper = selector #web-scraper > a[href]", Probe("Web Scraper", SELECTOR, "#web-scraper > a[href]")),
        ("Miner = global dataMiner$", Probe("Miner", GLOBAL, "dataMiner$")),
    ],
)
def test_three_ways(line: str, probe: Probe) -> None:
    """A file that the extension shows, an element that it adds, a word that it defines."""
    assert parse_probe(line) == probe


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Scraper",
        "= global x",
        "x" * 41 + " = global y",
        f"Scraper = https://{ID}/icon.png",
        "Scraper = chrome-extension://abc/icon.png",
        f"Scraper = chrome-extension://{ID}/",
        f"Scraper = chrome-extension://{ID}/a?b",
        "Scraper = global a.b",
        "Scraper = selector ",
        "Scraper = selector ü",
        "Scraper = selector " + "x" * MAX_LINE,
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    """The message says what is accepted."""
    with pytest.raises(ValueError, match=r"accepted: NAME = chrome-extension://ID/FILE"):
        parse_probe(line)


@given(st.text(max_size=400))
def test_any_text_is_a_probe_or_a_value_error(line: str) -> None:
    """What is accepted has a printable name of at most 40 characters."""
    try:
        probe = parse_probe(line)
    except ValueError:
        return
    assert probe.name.isascii()
    assert probe.name.isprintable()
    assert 0 < len(probe.name) <= 40
