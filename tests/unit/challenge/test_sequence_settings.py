"""challenge/sequence_settings.py: each limit stands in docs/human-interaction.md as it is."""

from __future__ import annotations

import re

import pytest
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import BY_DRIVER, BY_SCRIPT

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "human-interaction.md").read_text()
EVIDENCE = {
    "moves_at_least": "5 moves",
    "keys_at_least": "2\nkeys",
    "touch_moves_at_least": "3 touch moves",
    "wheels_at_least": "3 turns of a wheel",
}


@pytest.mark.parametrize(
    "name", [name for name in SequenceRules.__struct_fields__ if name not in EVIDENCE and name != "strict"]
)
def test_every_rule_stands_with_its_default(name: str) -> None:
    """`press_dwell_ms: 8`."""
    assert f"`{name}: {getattr(SequenceRules(), name):g}`" in PAGE


@pytest.mark.parametrize("name", EVIDENCE)
def test_the_evidence_stands_with_its_default(name: str) -> None:
    """How much of one modality shows a person."""
    assert EVIDENCE[name] in PAGE
    assert EVIDENCE[name].startswith(str(getattr(SequenceRules(), name)))


def test_the_page_names_every_rule_and_no_other() -> None:
    """The names that a finding gives."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)?) \| [^|]* \| [^|]* \|$", PAGE[PAGE.index("## Event sequences") :], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {name for name, _ in (*BY_DRIVER, *BY_SCRIPT)} | {"time"}
