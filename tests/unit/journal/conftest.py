"""A journal that listens, for the tests that talk to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.journal import Journal, JournalOptions

from tests.unit.journal.samples import NOW_S


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Journal, str]]:
    """A journal that listens, served by a loop in a thread; and the address of its pages."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    journal = Journal(JournalOptions(state_dir=str(tmp_path / "state"), to=None, web_listen="127.0.0.1:0"), lambda: NOW_S)
    _, address = asyncio.run_coroutine_threadsafe(journal.listen(), loop).result(10)
    yield journal, address
    loop.call_soon_threadsafe(journal.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
