"""The person of `make attack`."""

from __future__ import annotations

import pytest
from botsieve.demo.person import browse, find_chromium
from botsieve.errors import MachineError


def test_chromium_is_found_where_it_is_installed() -> None:
    """What the test packages installed is found by name."""
    assert find_chromium()


def test_without_chromium_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser is an error of the machine, with the package's name."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(MachineError, match="apt-get install chromium"):
        browse("http://127.0.0.1:1", 1)
