"""Pieces of configuration on our pages: whoever copies one gets a configuration that loads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from botsieve.config.loader import loads
from botsieve.config.models import Configuration

from tests.conftest import ROOT
from tests.house.test_commands import pages

SECTIONS = "|".join(Configuration.model_fields)
# A rule by country needs a database, which the page names further up.
BESIDE = {"docs/addresses.md": "\ngeo: {asn_mmdb: /a.mmdb, country_mmdb: /c.mmdb}\n"}
# A policy's key and a line of output, which begin like a section.
OTHERS = re.compile("challenge: (none|score)")


def blocks(text: str) -> Iterator[str]:
    """Fenced and indented blocks without their indent, and code in a line."""
    yield from re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", text, re.MULTILINE):
        yield re.sub(r"^    ", "", block, flags=re.MULTILINE)
    yield from re.findall(rf"`((?:{SECTIONS}): [^`\n]+)`", text)


def examples() -> list[tuple[str, str]]:
    """Page and text of each piece that begins with a section of the file (comments before it do not count)."""
    found = [(page, block) for page in pages() for block in blocks((ROOT / page).read_text())]
    begun = [(page, block) for page, block in found if re.match(rf"(?:#.*\n)*(?:{SECTIONS}):", block)]
    return [(page, block) for page, block in begun if not OTHERS.match(block)]


@pytest.mark.parametrize(("page", "text"), [pytest.param(*one, id=f"{at}, {one[0]}") for at, one in enumerate(examples())])
def test_a_piece_of_configuration_loads(page: str, text: str) -> None:
    """As it stands; what it leaves out has its default."""
    beside = BESIDE.get(page, "") if "geo:" not in text else ""
    assert loads((text + beside).encode()).config


def test_there_are_some() -> None:
    """The pages are read at all."""
    assert len(examples()) > 20
