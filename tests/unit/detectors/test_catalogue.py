"""detectors/catalogue.py: whose hello is this?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botsieve.detectors.catalogue import Catalogue, parse_catalogue, render_catalogue, stable_form
from botsieve.detectors.catalogue_row import BROWSER, TOOL, Row
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import hello_facts, read_lines

CATALOGUE = Catalogue.builtin()
SAMPLES = list(read_lines(Path(__file__).parents[2] / "data/tls/browsers.jsonl.gz"))
ENGINE = {"chrome": "chromium", "edge": "chromium", "firefox": "gecko", "tor": "gecko", "safari": "webkit"}


def test_every_row_says_when_and_where() -> None:
    """Each row names its source; what was measured by us names its day."""
    assert len(CATALOGUE.rows) > 200
    assert all(row.source for row in CATALOGUE.rows)
    assert all(row.date for row in CATALOGUE.rows if "measured" in row.source)


@pytest.mark.parametrize("name", ["chromium-156", "curl-7.88", "python-requests-2.34", "okhttp-5", "go-1.19"])
def test_rows_that_case_files_name(name: str) -> None:
    """The names of the case files exist, with JA4 and stable form."""
    row = CATALOGUE.row(name)
    assert row.ja4
    assert row.tls_sig
    assert row.http


def test_tools_are_found_by_each_of_their_marks() -> None:
    """By stable form, by JA4 or by JA3 alone; and each recorded tool is its own family or the library below it."""
    row = CATALOGUE.row("python-requests-2.34")
    ja3, ja4, sig = row.ja3.encode(), row.ja4.encode(), row.tls_sig.encode()
    for marks in ((ja3, ja4, sig), (ja3, b"", b""), (b"", ja4, b""), (b"", b"", sig)):
        assert CATALOGUE.tool_of(*marks) == "python"
    for row in CATALOGUE.rows:
        if row.kind == TOOL and row.ja4:
            assert CATALOGUE.tool_of(b"", row.ja4.encode(), row.tls_sig.encode()) in (row.family, "openssl", "gnutls")


def test_sni_alpn_and_resumption_do_not_hide_a_tool() -> None:
    """curl without SNI, over HTTP/1.1 or with another extension in the hello is still curl."""
    assert CATALOGUE.tool_of(b"", b"t13i3111h1_e8f1e7e78f70_b26ce05bbdd6", b"") == "curl"
    assert CATALOGUE.tool_of(b"", b"t13d3113h2_e8f1e7e78f70_ffffffffffff", b"") == "curl"


@pytest.mark.parametrize("row", SAMPLES, ids=lambda row: f"{row['client']}-{row['ja4'][-4:]}")
def test_real_browsers(row: dict[str, str]) -> None:
    """A real browser's hello is no tool's and belongs to its engine."""
    facts = hello_facts(row)
    assert CATALOGUE.tool_of(facts["ja3"], facts["ja4"], facts["tls_sig"]) == ""
    assert ENGINE[row["client"].split("-")[0]] in CATALOGUE.browser_families(facts["ja4"], facts["tls_sig"])


def test_ciphers_that_everybody_has_name_nobody() -> None:
    """The three ciphers of TLS 1.3 (all of HTTP/3) tell nothing, whoever was recorded with them."""
    assert CATALOGUE.browser_families(b"q13d0311h3_55b375c5d22e_000000000000") == frozenset()
    row = Row(TOOL, "x", "x", ja4="t13d0310h2_55b375c5d22e_aaaaaaaaaaaa")
    assert Catalogue([row]).tool_of(b"", b"t13d0310h2_55b375c5d22e_bbbbbbbbbbbb", b"") == ""


def test_a_browser_s_mark_is_never_a_tool_s() -> None:
    """Where a tool has exactly a browser's hello, or its ciphers, the browser wins."""
    browser = Row(BROWSER, "chromium", "b", ja3="b" * 32, ja4="t13d1516h2_8daaf6152771_aaaaaaaaaaaa")
    tool = Row(TOOL, "t", "t", ja3="b" * 32, ja4="t13d1516h2_8daaf6152771_aaaaaaaaaaaa")
    other = Row(TOOL, "t", "t2", ja4="t13d1516h2_8daaf6152771_cccccccccccc")
    catalogue = Catalogue([browser, tool, other])
    assert catalogue.tool_of(b"b" * 32, browser.ja4.encode(), b"") == ""
    assert catalogue.tool_of(b"", b"t13d1516h2_8daaf6152771_dddddddddddd", b"") == ""
    assert catalogue.tool_of(b"", other.ja4.encode(), b"") == "t"
    assert catalogue.browser_families(b"t13d1516h2_8daaf6152771_dddddddddddd") == frozenset()


def test_tools_that_share_a_library_are_the_library() -> None:
    """Ciphers that two tools have name neither of them."""
    rows = [
        Row(TOOL, "curl", "a", ja4="t12d2807h1_d943125447b4_aaaaaaaaaaaa"),
        Row(TOOL, "ruby", "b", ja4="t12d2807h1_d943125447b4_bbbbbbbbbbbb"),
    ]
    catalogue = Catalogue(rows)
    assert catalogue.tool_of(b"", b"t12d2807h1_d943125447b4_cccccccccccc", b"") == "openssl"
    assert catalogue.tool_of(b"", b"t12d2807h1_d943125447b4_bbbbbbbbbbbb", b"") == "ruby"


@pytest.mark.parametrize(
    ("raw", "stable"),
    [
        (  # JA4.md's own example: its stable form loses 0015 and 0023
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
            "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601",
            "t13d1514h2_8daaf6152771_59204b37da4c",
        ),
        ("t13d0302h2_1301,1302,1303_", "t13d0302h2_55b375c5d22e_000000000000"),
    ],
)
def test_stable_form(raw: str, stable: str) -> None:
    """Our stable form is JA4 less what comes and goes; the first value was measured at an edge."""
    assert stable_form(raw) == stable


@pytest.mark.parametrize("raw", ["", "t13d1516h2", "a_b", "t13dxxyyh2_1301_0005_0403"])
def test_stable_form_refuses_other_shapes(raw: str) -> None:
    """What is no raw JA4 is a ValueError."""
    with pytest.raises(ValueError):
        stable_form(raw)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_unknown(ja3: bytes, ja4: bytes, sig: bytes) -> None:
    """Fingerprints are whatever an edge says: an answer, never an error."""
    assert CATALOGUE.tool_of(ja3, ja4, sig) == ""
    assert CATALOGUE.browser_families(ja4, sig) == frozenset()


def test_what_is_written_can_be_read() -> None:
    """Rendering and parsing a catalogue gives the same rows."""
    assert parse_catalogue(json.loads(render_catalogue(CATALOGUE.rows))).rows == CATALOGUE.rows
