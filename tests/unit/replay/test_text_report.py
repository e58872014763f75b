"""The report as a person reads it."""

from __future__ import annotations

from pathlib import Path

from botsieve.policy import Rulebook
from botsieve.replay.clock import ClockVerdict
from botsieve.replay.labels import read_labels
from botsieve.replay.run import replay
from botsieve.replay.text_report import clock_note, text_report

from tests.replay.samples import botsieve, combined, write


def lines_of(tmp_path: Path, lines: list[bytes], limit: int = 20, labels: str = "") -> list[str]:
    """The text report on a log of these lines."""
    known = None
    if labels:
        (tmp_path / "labels.csv").write_text(labels)
        known = read_labels(str(tmp_path / "labels.csv"))
    return list(text_report(replay([write(tmp_path / "a.log", lines)], Rulebook(), labels=known), limit))


def scraper(client: str, count: int = 20) -> list[bytes]:
    """curl takes item after item, within 20 s, without a rhythm."""
    times = [at + (at * 7919 % 401) / 1000 for at in range(count)]
    return [
        botsieve(client, time, f"/items/{at}", "curl/8.5", accept="*/*", accept_language="", sec_fetch="  ")
        for at, time in enumerate(times)
    ]


def test_first_screen(tmp_path: Path) -> None:
    """The form of the first screen of the README: totals, what cannot be shown, verdicts, clients, what next."""
    report = lines_of(tmp_path, [*scraper("198.51.100.9"), botsieve("203.0.113.7", 20.5)])
    assert report == [
        "21 requests, 2 clients, 20 seconds. This log cannot show: TLS.",
        "",
        "  would be allowed          1 client        6 requests",
        "  would be challenged       1 client       15 requests",
        "  would be blocked          0 clients       0 requests",
        "",
        "  client            requests  first challenge  first block  why",
        "  198.51.100.9            20        6th             -       bot_useragent:curl, url_pattern:30",
        f"One client in full:  botsieve replay {tmp_path}/a.log --client 198.51.100.9",
    ]


def test_scrambled_clock_stands_in_the_first_line(tmp_path: Path) -> None:
    """Nobody reads a report without reading what was not judged."""
    report = lines_of(tmp_path, [combined(at_s=7200.0 * (at * 7 % 11)) for at in range(22)])
    assert "scrambled" in report[0]
    assert "timing, windows and rates are not judged" in report[0]
    assert report[1] == "This log cannot show: TLS, header order, Accept-Language, Accept-Encoding, Sec-Fetch."


def test_coarse_clock_stands_in_the_first_line(tmp_path: Path) -> None:
    """Whole seconds are said."""
    assert "coarse (1 s): regular timing is not judged" in lines_of(tmp_path, [combined(at_s=at) for at in range(22)])[0]
    assert clock_note(ClockVerdict("ordered", 0.001, 0, 1.0, 2.0)) == ""
    assert clock_note(ClockVerdict("ordered", 1.0, 0, None, None)) == ""


def test_limit(tmp_path: Path) -> None:
    """What is left out is counted, with the words to see it."""
    report = lines_of(tmp_path, [line for host in range(5) for line in scraper(f"198.51.100.{host}")], limit=2)
    assert sum(line.startswith("  198.51.100.") for line in report) == 2
    assert "  ... and 3 clients more (--limit 5)" in report


def test_nobody_is_stopped(tmp_path: Path) -> None:
    """Then the report says who came nearest."""
    report = lines_of(tmp_path, [*scraper("198.51.100.9", 2), botsieve("203.0.113.7", 5.5)])
    assert "Nobody would be challenged or blocked.  Who came nearest:" in report
    assert any("198.51.100.9" in line and "40 of 100" in line and "bot_useragent:curl" in line for line in report)
    assert not any("203.0.113.7" in line for line in report[6:])
    quiet = lines_of(tmp_path, [botsieve()])
    assert "Nobody would be challenged or blocked, and no request had a finding." in quiet


def test_labels(tmp_path: Path) -> None:
    """Who is caught and who is hurt, in one line."""
    labels = "ip,label\n198.51.100.9,bot\n203.0.113.7,human\n"
    report = lines_of(tmp_path, [*scraper("198.51.100.9"), botsieve("203.0.113.7", 20.5)], labels=labels)
    assert "  caught 1 of 1 bot (recall 100.0 %), stopped 0 of 1 human (0.0 %; 0 blocked); precision 100.0 %" in report


def test_unreadable_lines_are_told(tmp_path: Path) -> None:
    """What did not count is said."""
    assert lines_of(tmp_path, [botsieve(), b"x", b"y"])[1] == "2 lines of 3 could not be read as a request and did not count."


def test_empty_log(tmp_path: Path) -> None:
    """Nothing, said plainly."""
    assert lines_of(tmp_path, [])[0] == "0 requests, 0 clients."


def test_terminal_is_safe(tmp_path: Path) -> None:
    """No byte of a log reaches the terminal as it came, from no field and no label."""
    evil = b"curl \x1b]0;owned\x07 \xff\xc2\x9b"
    lines = [combined("198.51.100.9", at, f"/items/{at}", "@").replace(b"@", evil) for at in range(20)]
    for line in lines_of(tmp_path, lines, labels="ip,label\n198.51.100.9,bot\n"):
        assert line.isprintable(), line
