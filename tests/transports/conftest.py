"""A service and its nginx edge, without a process around them."""

from __future__ import annotations

from pathlib import Path

import pytest
from botsieve.transports.http import NginxEdge

from tests.transports.edge_harness import Service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def edge(service: Service) -> NginxEdge:
    return NginxEdge(service.service, service.settings("nginx"), "/.botsieve/")
