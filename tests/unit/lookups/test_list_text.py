"""lookups/list_text.py: any text of addresses gives ranges, or mistakes that name their lines."""

from __future__ import annotations

import ipaddress

import pytest
from botsieve.lookups import list_text
from botsieve.lookups.list_text import MAX_MISTAKES, parse_list
from hypothesis import given
from hypothesis import strategies as st

V4 = 0xFFFF << 32


def v4(text: str) -> int:
    return V4 | int(ipaddress.IPv4Address(text))


def span(first: str, last: str = "") -> tuple[int, int]:
    low = ipaddress.ip_address(first)
    high = ipaddress.ip_address(last or first)
    base = V4 if low.version == 4 else 0
    return base | int(low), base | int(high)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("203.0.113.7", [span("203.0.113.7")]),
        ("203.0.113.0/24\n", [span("203.0.113.0", "203.0.113.255")]),
        ("203.0.113.5-203.0.113.9", [span("203.0.113.5", "203.0.113.9")]),
        ("203.0.113.5 - 203.0.113.9 # range", [span("203.0.113.5", "203.0.113.9")]),
        ("2001:db8::/32\n::1", [span("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), span("::1")]),
        ("2001:db8::1-2001:db8::f", [span("2001:db8::1", "2001:db8::f")]),
        ("# a netset\n#\n\n1.10.16.0/20 ; SBL256894\r\n1.2.3.4\r\n", [span("1.10.16.0", "1.10.31.255"), span("1.2.3.4")]),
        ("\ufeff203.0.113.7\n", [span("203.0.113.7")]),
        ("77.90.185.20\t8\n77.239.124.102\t7\n", [span("77.90.185.20"), span("77.239.124.102")]),
        (
            "network,category\n203.0.113.0/24,spam\n198.51.100.1,scan\n",
            [span("203.0.113.0", "203.0.113.255"), span("198.51.100.1")],
        ),
        ('"first_seen","dst_ip","port"\n"2026-01-01 10:00","203.0.113.7","443"\n', [span("203.0.113.7")]),
        ("::ffff:203.0.113.0/120", [span("203.0.113.0", "203.0.113.255")]),
        ("203.0.113.7 # caf\u00e9", [span("203.0.113.7")]),
    ],
)
def test_what_lists_look_like(text: str, wanted: list[tuple[int, int]]) -> None:
    """txt, netset, CSV with and without heading, ranges, both families, comments, any line end."""
    parsed = parse_list(text.encode())
    assert (parsed.spans, parsed.mistakes) == (wanted, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("203.0.113.7\nshop.example\n", "2: 'shop.example' is no network; accepted: 203.0.113.7, "),
        ("203.0.113.7/24", "1: '203.0.113.7/24' is no network (host bits are set)"),
        ("203.0.113.0/33", "1: '203.0.113.0/33' is no network (the prefix is none from /1 to /32)"),
        ("0.0.0.0/0", "(the prefix is none from /1 to /32)"),
        ("::/0", "(the prefix is none from /1 to /128)"),
        ("203.0.113.9-203.0.113.5", "(the range ends before it begins)"),
        ("203.0.113.9-2001:db8::1", "(the range is of two families)"),
        ("203.0.113.07", "1: '203.0.113.07' is no network"),
        ("a,203.0.113.7\nb\n", "2: 'b' is no network (it has fewer columns than the lines above)"),
        ("", "1: no network stands in the file"),
        ("# only comments\n", "1: no network stands in the file"),
        ("<html><body>404</body></html>", "is no network"),
        ("203.0.113.7\n\x1b[31mred\u202e", "2: '\\x1b[31mred"),
    ],
)
def test_mistakes_name_their_line(text: str, said: str) -> None:
    """Printable, with the reason where it is known and what is accepted; never a network in between."""
    mistakes = parse_list(text.encode()).mistakes
    assert len(mistakes) == 1
    assert said in mistakes[0]
    assert mistakes[0].isascii()
    assert mistakes[0].isprintable()


def test_mistakes_and_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many wrong lines, one endless line, too many lines, too large a file."""
    many = parse_list(b"203.0.113.7\n" + b"x\n" * 5_000)
    assert len(many.mistakes) == MAX_MISTAKES + 1
    assert many.mistakes[-1] == "5001: and 4990 more lines are wrong"
    endless = parse_list(b"203.0.113.7\n" + b"y" * 5_000_000)
    assert len(endless.mistakes[0]) < 300
    monkeypatch.setattr(list_text, "MAX_RANGES", 3)
    assert parse_list(b"203.0.113.7\n" * 9).mistakes == ["4: the file has more than 3 lines; accepted: at most that"]
    monkeypatch.setattr(list_text, "MAX_BYTES", 20)
    assert "MiB" in parse_list(b"203.0.113.7\n" * 9).mistakes[0]


@given(st.binary(max_size=300))
def test_any_bytes_are_ranges_or_mistakes(raw: bytes) -> None:
    """Never an exception, never nothing; ranges are in order and within 128 bits."""
    parsed = parse_list(raw)
    assert bool(parsed.spans) or bool(parsed.mistakes)
    assert all(0 <= first <= last < 2**128 for first, last in parsed.spans)


@given(st.lists(st.ip_addresses(), min_size=1, max_size=20))
def test_addresses_come_back(addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
    """As the standard library writes them."""
    parsed = parse_list("\n".join(map(str, addresses)).encode())
    assert parsed.spans == [span(str(address)) for address in addresses]
