"""service/botsieve/transports/grpc.py: where it listens, and who may connect."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from botsieve.config.settings import Address, EdgeSettings
from botsieve.errors import MachineError
from botsieve.ranges import RangeSet
from botsieve.transports.grpc import GrpcSettings, GrpcTransport
from botsieve.transports.grpc_calls import Limits, is_edge
from botsieve.v1 import decision_pb2

from tests.transports.grpc_harness import Edge, Judge, check, observation, on_socket, serving

Code = grpc.StatusCode


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    """The edge on a Unix socket."""
    with on_socket(tmp_path) as running:
        yield running


def test_the_socket_is_for_its_group_only(edge: Edge, tmp_path: Path) -> None:
    """0660: who may write to the socket is an edge."""
    mode = (tmp_path / "grpc.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    """A socket that nobody answers is no obstacle."""
    path = tmp_path / "grpc.sock"
    leave = f"import socket; socket.socket(socket.AF_UNIX).bind({str(path)!r})"
    subprocess.run([sys.executable, "-c", leave], check=True)
    assert path.is_socket()
    with on_socket(tmp_path) as edge, edge.channel() as connected:
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


def start_error(**settings: Any) -> str:
    async def begin() -> None:
        await GrpcTransport(Judge(), now_s=time.time).start(GrpcSettings(**settings))

    with pytest.raises(MachineError) as caught:
        asyncio.run(begin())
    return str(caught.value)


def test_a_socket_in_use_is_not_stolen(edge: Edge, tmp_path: Path) -> None:
    """A second process on the same path fails, and the first goes on."""
    assert "another service listens there" in start_error(listen=f"unix:{tmp_path}/grpc.sock")
    with edge.channel() as connected:
        assert check(connected, observation()).verdict == decision_pb2.VERDICT_ALLOW


def test_the_configuration_arrives_whole() -> None:
    """Every key of `edges.grpc` that the listener obeys is handed on."""
    trusted = RangeSet.parse(["203.0.113.0/24"])
    own = EdgeSettings(
        name="grpc",
        listen=Address(host="127.0.0.1", port=9483),
        trusted=trusted,
        sight=1,
        deadline_ms=7,
        max_in_flight=3,
        reflection=True,
    )
    limits = Limits(trusted=trusted, max_in_flight=3, deadline_ms=7, sees=1)
    expected = GrpcSettings(listen="127.0.0.1:9483", limits=limits, reflection=True)
    assert GrpcSettings.of(own) == expected


def test_a_port_in_use_is_an_error() -> None:
    """Two services do not share a port unawares."""
    with serving(Judge(), "127.0.0.1:0") as edge:
        message = start_error(listen=edge.target)
    assert "in use" in message
    assert "accepted" in message


@pytest.mark.parametrize("listen", ["unix:relative.sock", "unix:/missing-folder/too/grpc.sock", "unix:/" + "x" * 107])
def test_a_path_that_cannot_be_a_socket_is_an_error(listen: str) -> None:
    """The message names the key and what would be accepted."""
    message = start_error(listen=listen)
    assert message.startswith("edges.grpc.listen: ")
    assert "accepted" in message


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("unix:", True),
        ("unix:/run/botsieve/grpc.sock", True),
        ("unix-abstract:x", True),
        ("ipv4:127.0.0.1:5000", True),
        ("ipv4:128.0.0.1:5000", False),
        ("ipv6:%5B2001:db8::7%5D:443", True),
        ("ipv6:[2001:db8::7]:443", True),
        ("ipv6:%5B::1%5D:443", False),
        ("ipv6:%5Bfe80::1%25eth0%5D:443", False),
        ("", False),
        ("vsock:3:4", False),
    ],
)
def test_peers_as_grpc_names_them(peer: str, trusted: bool) -> None:
    """A socket is trusted by its permissions, an address by the list, anything else not at all."""
    assert is_edge(peer, RangeSet.parse(["127.0.0.0/8", "2001:db8::/32"])) is trusted
