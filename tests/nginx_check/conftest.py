"""A stand-in of the service for the confs that are started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nginx.conftest import StandIn


@pytest.fixture(scope="package")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One for all tests of this folder."""
    with StandIn(tmp_path_factory.mktemp("standin")) as process:
        yield process
