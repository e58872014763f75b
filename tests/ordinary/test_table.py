"""docs/ordinary-clients.md: what becomes of ordinary clients, computed; nobody is blocked by `balanced`"""

from __future__ import annotations

import pytest
from botsieve.decision import AUDIENCES, BLOCK, CHALLENGE

from tests.ordinary.table import PAGE, Client, clients, meet, page

NAMED = {client.name: client for client in clients()}
# A program that says so, where the operator has said that only browsers are expected.
UNEXPECTED = {("an okhttp app", "browser")}
EVERY = [pytest.param(client, audience, id=f"{name}, {audience}") for name, client in NAMED.items() for audience in AUDIENCES]


@pytest.mark.parametrize(("client", "audience"), EVERY)
def test_balanced_blocks_nobody(client: Client, audience: str) -> None:
    """Programs are challenged at most where only browsers are expected, but for those that name a tool there; else allowed."""
    met = meet(client, "balanced", audience)
    assert (met.verdicts[BLOCK] > 0) == ((client.name, audience) in UNEXPECTED)
    if audience != "browser":
        assert client.solves or met.text == "allow"


@pytest.mark.parametrize("preset", ["relaxed", "balanced", "strict"])
def test_no_browser_is_ever_blocked(preset: str) -> None:
    """Whoever can solve a challenge is given one first, and passes with it."""
    for client in NAMED.values():
        if client.solves:
            assert meet(client, preset, "mixed").verdicts[BLOCK] == 0, client.name


def test_api_lets_programs_work() -> None:
    """Under every preset, where programs are expected."""
    for preset in ("relaxed", "balanced", "strict"):
        assert [
            client.name for client in NAMED.values() if not client.solves and meet(client, preset, "api").text != "allow"
        ] == []


def test_the_page_is_current() -> None:
    """Who changes what is decided, or a client, writes the page anew: python -m tests.ordinary.table."""
    assert PAGE.read_text() == page()


def test_the_table_can_tell_a_scraper() -> None:
    """The same sums on a client that nobody wants: it is not all allowed here."""
    okhttp = NAMED["an okhttp app"]
    assert meet(okhttp, "balanced", "browser").verdicts == {BLOCK: 139}
    assert meet(okhttp, "strict", "mixed").verdicts == {CHALLENGE: 139}
