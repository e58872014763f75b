"""The house rules that a machine can check: a test beside each source, sizes, names, what must not be in a tracked file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAX_LINES = 400
MAX_SAMPLE_BYTES, MAX_FILE_BYTES = 3_000_000, 300_000
GENERATED = ("service/botsieve/v1/", "service/botsieve/data/")


def tracked(*suffixes: str) -> list[str]:
    """Tracked files that exist, by ending; all without one."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file() and (not suffixes or name.endswith(suffixes))]


def own_sources() -> list[str]:
    """Source files that somebody wrote."""
    places = ("service/", "lua/", "scripts/")
    return [name for name in tracked(".py", ".lua") if name.startswith(places) and not name.startswith(GENERATED)]


def lines_of(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def test_every_source_file_has_its_test_file() -> None:
    """`a/b_c.py` is tested by a file test_b_c, test_a_b_c or test_b somewhere under tests/; scripts/build_* by one together."""
    tests = {Path(name).stem for name in tracked(".py") if name.startswith("tests/") and Path(name).name.startswith("test_")}
    lonely = []
    for name in own_sources():
        path = Path(name)
        code = [
            line for line in lines_of(name) if line.strip() and not line.lstrip().startswith(("#", '"""', "from", "import"))
        ]
        if path.stem in ("__init__", "__main__") and len(code) < 15:
            continue
        wanted = {f"test_{path.stem}", f"test_{path.parent.name}_{path.stem}", f"test_{path.stem.partition('_')[0]}"}
        if name.startswith("scripts/build_"):
            wanted.add("test_build_scripts")
        if path.stem == "__init__":
            wanted = {f"test_{path.parent.name}", "test_init"}
        if not wanted & tests:
            lonely.append(name)
    assert lonely == []


def test_no_file_is_too_long() -> None:
    """A file is one idea: at most 400 lines, tests included."""
    long = {name: len(lines_of(name)) for name in tracked(".py", ".lua", ".sh") if not name.startswith(GENERATED)}
    assert {name: count for name, count in long.items() if count > MAX_LINES} == {}


@pytest.mark.parametrize("suffix", [".py", ".lua"])
def test_every_source_says_what_it_is(suffix: str) -> None:
    """A source file opens with a docstring or a comment."""
    for name in own_sources():
        if name.endswith(suffix):
            first = next((line for line in lines_of(name) if line.strip() and not line.startswith("#!")), '"""')
            assert first.startswith(('"""', "--")), name


# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a host of a package registry": r"\b(py"
    + r"pi\.(org|python)|files\.python"
    + r"hosted|registry\.npm"
    + r"js|deb\.deb"
    + r"ian\.org)",
    "a path of somebody's machine": r"(?<![\w./])/(wo"
    + r"rk/(main|shared|\.)|tmp/"
    + r"w/|opt/py"
    + r"pi|opt/wh"
    + r"eels|root/\.)",
    "a credential": r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bghp_[A-Za-z0-9]{20}|\bAKIA[0-9A-Z]{16}\b",
    "a mark of an unfinished merge": r"^(<{7}|>{7})( |$)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    """Registries, machines, keys and half merges are nobody's business."""
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("latin-1")
        found += [f"{name}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_samples_stay_small() -> None:
    """All of tests/data together is at most 3 MB, and no tracked file is larger than 300 KB: what is written by hand is small."""
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}
    assert sum(size for name, size in sizes.items() if name.startswith("tests/data/")) <= MAX_SAMPLE_BYTES
    assert [name for name, size in sizes.items() if size > MAX_FILE_BYTES] == []


def test_samples_say_where_they_come_from() -> None:
    """Every folder of tests/data has a SOURCE file with origin and licence."""
    folders = {str(Path(name).parent) for name in tracked() if name.startswith("tests/data/")}
    without = [folder for folder in folders if not _has_source(ROOT / folder)]
    assert without == []


def _has_source(folder: Path) -> bool:
    places = [folder, *folder.parents]
    return any(list(place.glob("SOURCE*")) for place in places[: places.index(ROOT / "tests" / "data") + 1])


def test_no_test_is_skipped() -> None:
    """A test that does not run promises nothing."""
    words = re.compile(r"pytest\.(mark\.)?" + r"(skip|xfail|importor" + r"skip)\b|@unittest\.skip")
    assert [name for name in tracked(".py") if name.startswith("tests/") and words.search((ROOT / name).read_text())] == []


def test_every_guess_is_listed() -> None:
    """A constant without a source is marked `guess:` where it stands, and its file is named in docs/guesses.md."""
    page = (ROOT / "docs" / "guesses.md").read_text()
    unlisted = [
        name
        for name in own_sources()
        if "guess:" in (ROOT / name).read_text() and f"`{name.removeprefix('service/botsieve/')}`" not in page
    ]
    assert unlisted == []
    stale = [name for name in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE) if "guess:" not in _source(name)]
    assert stale == []


def _source(name: str) -> str:
    place = ROOT / "service" / "botsieve" / name
    return (place if place.exists() else ROOT / name).read_text()


def test_every_folder_of_tests_is_named() -> None:
    """CONTRIBUTING.md says what each folder below tests/ shows, and names no other."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| below `tests/` |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)/`", row.split("|")[1])}
    assert named == {name.split("/")[1] for name in tracked() if name.startswith("tests/") and name.count("/") > 1}
