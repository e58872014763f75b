"""Every item of the second mission document has cases on both sides: where something is found, and where nothing is."""

from __future__ import annotations

import re

import pytest

from tests.cases.form import HERE, Expected, read_cases
from tests.conftest import ROOT

# What no decision on a request can show, and what shows it.
ELSEWHERE = {
    "S2-10": "tests/nginx/test_examples.py::test_proxy_cache",
    "S2-62": "tests/store/test_incident_commands.py",
    "S2-63": "tests/store/test_incident_commands.py",
    "S2-64": "tests/store/test_serving.py",
    "S2-72": "tests/store/test_statistics_command.py",
    "S2-73": "tests/store/test_incident_commands.py",
}
ITEMS = [f"S2-{number:02d}" for number in range(1, 75)]


def _expectations() -> dict[str, list[Expected]]:
    """By item: what the cases that name it expect."""
    found: dict[str, list[Expected]] = {}
    for path in sorted(HERE.glob("*.yaml")):
        for case in read_cases(path):
            for item in re.findall(r"S2-\d\d", case.name):
                found.setdefault(item, []).extend(case.expect.values())
    return found


EXPECTED = _expectations()


@pytest.mark.parametrize("item", [item for item in ITEMS if item not in ELSEWHERE])
def test_both_sides(item: str) -> None:
    """A case in which something is found or refused, and one in which nothing is."""
    sides = {one.verdict != "allow" or bool(one.reasons) or bool(one.attacks) for one in EXPECTED.get(item, [])}
    assert sides == {True, False}


def test_what_is_shown_elsewhere_is_shown_there() -> None:
    """Its tests exist, and no case claims it."""
    assert not ELSEWHERE.keys() & EXPECTED.keys()
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}" in (ROOT / file).read_text()


def test_no_case_names_an_item_that_there_is_not() -> None:
    """A number with a slip would count for nothing."""
    assert EXPECTED.keys() <= set(ITEMS)
