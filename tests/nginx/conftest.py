"""A site of nginx with our includes in front of a stand-in of the service, one for all tests of a file."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.servers import Process, Site, wait_until


class StandIn(Process):
    """The stand-in of standin.py in its own process."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "check.sock"
        self.record = folder / "record.jsonl"
        self.record.touch()
        self.folder = folder
        command = [sys.executable, "-m", "tests.nginx.standin", str(self.socket), str(self.record)]
        super().__init__(command, cwd=ROOT, log=folder / "standin.out")
        wait_until(self.answers, what="the stand-in's start")

    def answers(self) -> bool:
        """Somebody accepts connections on the socket."""
        assert self.popen.poll() is None, self.output
        with socket.socket(socket.AF_UNIX) as probe:
            return self.socket.exists() and probe.connect_ex(str(self.socket)) == 0

    def seen(self) -> list[dict[str, Any]]:
        """Every request so far."""
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def last(self, target: str = "/v1/check/nginx") -> dict[str, list[str]]:
        """The headers of the last request for `target`: lower-case name -> all values."""
        headers: dict[str, list[str]] = {}
        for name, value in [seen for seen in self.seen() if seen["target"] == target][-1]["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        return headers


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in of the service for the tests of one file."""
    with StandIn(tmp_path_factory.mktemp("standin")) as process:
        yield process


@pytest.fixture(scope="module")
def site(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx as a user would set it up, asking the stand-in."""
    with Site(tmp_path_factory.mktemp("site"), standin.socket, patient=True) as nginx:
        yield nginx


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: a socket's path has at most 107 bytes."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture
def service(folder: Path) -> Iterator[StandIn]:
    """A stand-in of its own, to be hurt or killed."""
    (folder / "service").mkdir()
    with StandIn(folder / "service") as process:
        yield process
