"""docs/from-f5-asm.md: the numbers beside F5's are the ones that we have."""

from __future__ import annotations

import re

import msgspec
import pytest
from botsieve.attacks.types import ATTACK_TYPES
from botsieve.detectors.settings import THRESHOLDS

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "from-f5-asm.md").read_text()


@pytest.mark.parametrize("name", THRESHOLDS)
def test_every_number_of_a_threshold_stands_there(name: str) -> None:
    """Each numeric default of each threshold, as its key is written; what F5 has no word for may be missing."""
    ours_alone = {"history_s", "sessions_at_least"}
    settings = msgspec.structs.asdict(THRESHOLDS[name])
    numbers = {key: value for key, value in settings.items() if type(value) in (int, float) and key not in ours_alone}
    assert numbers
    assert f"`{name}`" in PAGE
    assert [f"{key}: {value:g}" for key, value in numbers.items() if f"{key}: {value:g}" not in PAGE] == []


def test_every_attack_type_has_its_row() -> None:
    """All six of F5's, by their names."""
    rows = re.findall(r"^\| ([^|]+?) \|", PAGE, re.MULTILINE)
    assert set(ATTACK_TYPES) <= set(rows)


def test_every_page_that_it_names_is_there() -> None:
    """No dead link."""
    for name in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / name).is_file(), name
