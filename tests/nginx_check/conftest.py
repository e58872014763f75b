"""A stand-in of the service for the confs that are started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nginx.conftest import StandIn


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One for the tests of a file."""
    with StandIn(tmp_path_factory.mktemp("standin")) as process:
        yield process
