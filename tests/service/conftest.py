"""A service for a file's tests, and a place to start one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.running import Place, place


@pytest.fixture
def at() -> Iterator[Place]:
    """A place without a service."""
    with place() as found:
        yield found
