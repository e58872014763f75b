"""docs/threats.md: every threat has its row, and every test that a row names exists."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "threats.md").read_text()
ROWS = re.findall(r"^\| ([A-F]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_every_threat_has_a_row() -> None:
    """A1 to A16, B1 to B10, C1 to C8, D1 to D14, E1 to E4, and the faults of others (20), each once and in order."""
    wanted = [f"{part}{n}" for part, last in zip("ABCDEF", (16, 10, 8, 14, 4, 20), strict=True) for n in range(1, last + 1)]
    assert [row[0] for row in ROWS] == wanted


def test_every_row_names_a_test_or_says_later() -> None:
    """No claim without something that shows it."""
    assert [name for name, _, _, shown in ROWS if "`tests/" not in shown and not shown.startswith("later")] == []


def test_every_test_that_is_named_exists() -> None:
    """File and function."""
    named = re.findall(r"`(tests/[^`]+\.py)::(\w+)`", PAGE)
    assert len(named) > 80
    texts = {path: (ROOT / path).read_text() for path in {path for path, _ in named} if (ROOT / path).is_file()}
    assert [f"{path}::{name}" for path, name in named if f"def {name}(" not in texts.get(path, "")] == []
