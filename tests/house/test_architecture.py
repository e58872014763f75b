"""docs/architecture.md: what it names is there, and what counts over time is named."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.house.test_layout import tracked

PAGE = (ROOT / "docs" / "architecture.md").read_text()
PACKAGE = ROOT / "service" / "botsieve"


def named() -> set[str]:
    """Files of the table `File by file`, from the package's folder on; a name alone lies in the folder of the one before."""
    table = PAGE.partition("## File by file")[2].partition("\n## ")[0]
    found, folder = set(), ""
    for cell in re.findall(r"^\| ([^|]*`[^|]*) \|", table, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", cell):
            folder = name.rpartition("/")[0] if "/" in name else folder if "/" in cell else ""
            found.add(name if "/" in name or not folder else f"{folder}/{name}")
    return found


def test_every_file_that_it_names_is_there() -> None:
    """A file that was renamed or taken away is not left on the page."""
    assert len(named()) > 60
    assert sorted(name for name in named() if not (PACKAGE / name).exists()) == []


def test_every_file_that_counts_over_time_is_named() -> None:
    """Of attacks, preventions and store each file has its word."""
    there = {
        f"{folder}/{path.name}"
        for folder in ("attacks", "preventions", "store")
        for path in (PACKAGE / folder).glob("*.py")
        if path.name != "__init__.py"
    }
    assert sorted(there - named()) == []


def test_every_module_of_the_top_and_every_folder_is_named() -> None:
    """What a new file beside them is for stands on the page."""
    inside = [name.removeprefix("service/botsieve/") for name in tracked(".py") if name.startswith("service/botsieve/")]
    modules = [name for name in inside if "/" not in name and not name.startswith("__")]
    folders = sorted({name.partition("/")[0] for name in inside if "/" in name})
    assert [name for name in modules if f"`{name}`" not in PAGE and f"/{name}`" not in PAGE] == []
    assert [name for name in folders if f"/botsieve/{name}/" not in PAGE] == []
