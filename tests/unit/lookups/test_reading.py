"""lookups/reading.py: lists of files in, packed ranges out; what is refused never takes the old list away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botsieve.lookups.reading import Ask, Report, Said, Wanted, decode_report, encode, read_lists
from botsieve.observation import pack_address
from botsieve.ranges import RangeSet
from hypothesis import given
from hypothesis import strategies as st


class Lists:
    """A folder of lists and one of kept ones."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keep = folder, str(folder / "keep")

    def write(self, name: str, text: str) -> str:
        file = self.folder / name
        file.write_text(text)
        return str(file)

    def read(self, *reputation: Wanted | str, allow: tuple[str, ...] = (), keep: bool = True) -> Report:
        wanted = tuple(one if isinstance(one, Wanted) else Wanted(one) for one in reputation)
        return read_lists(Ask(wanted, tuple(map(Wanted, allow)), self.keep if keep else ""))


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def in_force(report: Report) -> dict[str, Wanted]:
    """What the next Ask says of each file."""
    return {said.file: Wanted(said.file, said.ranges, said.share) for said in report.said}


def test_lists_are_laid_over_each_other_and_allow_is_apart(lists: Lists) -> None:
    """An address in two lists belongs to the first of the Ask; exceptions are one set."""
    strict, mild = lists.write("a", "203.0.113.0/25\n"), lists.write("b", "203.0.113.0/24\n2001:db8::/32\n")
    one, two = lists.write("c", "192.0.2.1\n"), lists.write("d", "192.0.2.2-192.0.2.9\n")
    report = lists.read(strict, mild, allow=(one, two))
    ranges = RangeSet.unpack(report.reputation)
    found = [report.which[ranges.find(pack_address(text))] for text in ("203.0.113.127", "203.0.113.128", "2001:db8::5")]
    assert found == [0, 1, 1]
    assert pack_address("203.0.112.255") not in ranges
    allow = RangeSet.unpack(report.allow)
    assert len(allow) == 1  # they touch
    assert all(pack_address(text) in allow for text in ("192.0.2.1", "192.0.2.9"))
    assert [(said.ranges, said.mistakes, said.lost) for said in report.said] == [
        (1, (), False),
        (2, (), False),
        (1, (), False),
        (1, (), False),
    ]


@pytest.mark.parametrize("text", ["", "# emptied\n", "203.0.113.0/24\n<html>\n", "1.2.3.4/24\n", None, "directory"])
def test_a_broken_empty_or_vanished_file_leaves_the_one_before(lists: Lists, text: str | None) -> None:
    """The kept one is used, and the report says which line of which file is wrong."""
    file = lists.write("a", "203.0.113.0/24\n")
    before = lists.read(file)
    if text is None or text == "directory":
        os.unlink(file)
    if text == "directory":
        os.mkdir(file)
    elif text is not None:
        lists.write("a", text)
    after = lists.read(in_force(before)[file])
    assert after.reputation == before.reputation
    (said,) = after.said
    assert not said.lost
    assert said.ranges == 1
    assert said.mistakes[0].startswith(f"{file}:")
    assert "accepted" in said.mistakes[0]


def test_without_a_kept_one_it_is_lost(lists: Lists) -> None:
    """And the others are there all the same."""
    good = lists.write("b", "198.51.100.1\n")
    report = lists.read(str(lists.folder / "none"), good, keep=False)
    assert [said.lost for said in report.said] == [True, False]
    assert pack_address("198.51.100.1") in RangeSet.unpack(report.reputation)


def test_ten_times_larger_is_a_mistake_while_it_is_in_force(lists: Lists) -> None:
    """1,000 ranges beside 100 in force are refused, 999 are not; with nothing in force (a start) any size is taken."""

    def text(count: int) -> str:
        return "".join(f"10.{n >> 8}.{n & 255}.1\n" for n in range(count))

    file = lists.write("a", text(100))
    wanted = in_force(lists.read(file))[file]
    lists.write("a", text(1_000))
    refused = lists.read(wanted)
    assert "1,000 ranges, where 100 are in force" in refused.said[0].mistakes[0]
    assert len(refused.which) == 100
    lists.write("a", text(999))
    assert lists.read(wanted).said[0].mistakes == ()
    lists.write("a", text(5_000))
    assert lists.read(file).said[0].ranges == 5_000


def test_a_list_that_suddenly_holds_half_of_the_world_is_a_mistake(lists: Lists) -> None:
    """Few ranges, but ten times the addresses."""
    file = lists.write("a", "203.0.113.0/24\n")
    wanted = in_force(lists.read(file))[file]
    lists.write("a", "0.0.0.0/1\n")
    assert "50.0% of all IPv4 addresses" in lists.read(wanted).said[0].mistakes[0]


def test_kept_lists_of_files_that_are_no_longer_named_are_forgotten(lists: Lists) -> None:
    """The folder does not grow."""
    one, two = lists.write("a", "203.0.113.1\n"), lists.write("b", "203.0.113.2\n")
    lists.read(one, two)
    assert len(os.listdir(lists.keep)) == 2
    lists.read(one)
    assert len(os.listdir(lists.keep)) == 1


@pytest.mark.parametrize("raw", [b"", b"x", b"\0" * 31, b"\xff" * 64])
def test_a_damaged_kept_list_is_no_list(lists: Lists, raw: bytes) -> None:
    """Whatever the disk made of it."""
    file = lists.write("a", "203.0.113.1\n")
    lists.read(file)
    (kept,) = Path(lists.keep).iterdir()
    kept.write_bytes(raw)
    os.unlink(file)
    assert isinstance(lists.read(file), Report)


def test_a_folder_that_cannot_be_written_costs_only_the_kept_lists(lists: Lists) -> None:
    """The list is in force."""
    lists.write("keep", "a file where the folder should be")
    assert len(lists.read(lists.write("a", "203.0.113.1\n")).which) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_a_value_error(raw: bytes) -> None:
    """What a dying child leaves behind is recognised."""
    try:
        assert isinstance(decode_report(raw), Report)
    except ValueError:
        return


def test_a_report_survives_the_way_through_the_pipe() -> None:
    """And half of it is none."""
    report = Report(b"a" * 32, b"\0", b"", (Said("/x", 1, 0.5, ("y",), True),))
    raw = encode(report)
    assert decode_report(raw) == report
    for end in range(len(raw)):
        with pytest.raises(ValueError):
            decode_report(raw[:end])
