"""A person: the machine's own pointer and keys, in a browser that nobody drives."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.browser.human.conftest import Human
from tests.browser.human.desk import Desk


@pytest.mark.realtime
def test_a_mouse_is_a_person_and_stays_safe(human: Human, tmp_path: Path) -> None:
    """Moves, presses and a wheel: regular; thirty pages later, far beyond the grace, nothing is refused."""
    before = human.told()
    with Desk(tmp_path, human.url("/person")) as desk:
        time.sleep(1.0)
        desk.move(300, 400)
        desk.press()
        desk.turn(4)
        desk.move(500, 600)
        assert human.hear(before) == {"regular"}
        for number in range(30):
            desk.go_to(human.url(f"/person-{number}"))
            time.sleep(0.35)
        shown = human.shown("/person-")
        assert len(shown) >= 20
        assert set(shown.values()) == {"allow"}


@pytest.mark.realtime
def test_keys_alone_are_a_person(human: Human, tmp_path: Path) -> None:
    """Tab, arrows and letters; the pointer never moves."""
    before = human.told()
    with Desk(tmp_path, human.url("/typist")) as desk:
        time.sleep(1.0)
        for name in ("Tab", "Tab", "h", "e", "l", "l", "o", "Tab", "Down", "Down"):
            desk.key(name)
        assert human.hear(before) == {"regular"}
