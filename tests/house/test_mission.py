"""docs/mission.md: what it names exists."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "mission.md").read_text()


def test_every_test_that_the_mission_names_exists() -> None:
    """An item is shown by a test that is there, file and function or class."""
    for name in re.findall(r"`((?:tests|docs)/[^`]+)`", PAGE):
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), name
        text = (ROOT / path).read_text()
        assert not function or f"def {function}(" in text or f"class {function}:" in text, name


def test_every_row_names_what_shows_it() -> None:
    """No item without evidence: a row names a test or a page, or says that it is for later, or not shown yet."""
    rows = re.findall(r"^\| ([SU]\d?-[^|]+)\|[^|]+\|([^|]+)\|$", PAGE, re.MULTILINE)
    assert len(rows) > 15
    assert [item for item, shown in rows if "`" not in shown and shown.strip() not in ("later", "not shown yet")] == []


def items_of(cell: str) -> set[str]:
    """The items of a row: numbers and ranges, with commas."""
    named: set[str] = set()
    for part in cell.split(","):
        first, _, last = part.strip().partition("..")
        family, _, number = first.partition("-")
        named |= {f"{family}-{one:02d}" for one in range(int(number), int(last or number) + 1)}
    return named


def test_a_case_file_carries_the_item_that_it_shows() -> None:
    """In the second document's table: each item by a case of one of the files, each file by a case for one of the items."""
    for cell, shown in re.findall(r"^\| (S2-[^|]+)\|[^|]+\|([^|]+)\|$", PAGE, re.MULTILINE):
        files = re.findall(r"`(tests/cases/[^`]+)`", shown)
        carried = [set(re.findall(r"S2-\d\d", _told((ROOT / name).read_text()))) for name in files]
        items = {item for item in items_of(cell) if item.startswith("S2")}
        assert not files or items <= set().union(*carried), cell
        assert all(items & one for one in carried), (cell, files)


def _told(text: str) -> str:
    """Names and reasons of the cases of a file."""
    return "\n".join(re.findall(r"^(?:- name|  why): .*$", text, re.MULTILINE))


def test_no_item_is_forgotten() -> None:
    """U-01 to U-05, S1-01 to S1-35 and S2-01 to S2-74 each stand in the table, alone or in a range."""
    cells = re.findall(r"^\| ([SU]\d?-[^|]+)\|", PAGE, re.MULTILINE)
    named = set().union(*(items_of(cell) for cell in cells))
    wanted = {f"S1-{n:02d}" for n in range(1, 36)} | {f"S2-{n:02d}" for n in range(1, 75)} | {f"U-{n:02d}" for n in range(1, 6)}
    assert sorted(wanted - named) == []
