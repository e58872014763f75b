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


def test_no_item_is_forgotten() -> None:
    """U-01 to U-05, S1-01 to S1-35 and S2-01 to S2-74 each stand in the table, alone or in a range."""
    named: set[str] = set()
    for item in re.findall(r"^\| ([SU]\d?-[^|]+)\|", PAGE, re.MULTILINE):
        for part in item.split(","):
            first, _, last = part.strip().partition("..")
            family, _, number = first.partition("-")
            named |= {f"{family}-{one:02d}" for one in range(int(number), int(last or number) + 1)}
    wanted = {f"S1-{n:02d}" for n in range(1, 36)} | {f"S2-{n:02d}" for n in range(1, 75)} | {f"U-{n:02d}" for n in range(1, 6)}
    assert sorted(wanted - named) == []
