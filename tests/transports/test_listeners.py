"""botsieve.transports.listeners"""

from __future__ import annotations

import grp
import os
import socket
import stat
from pathlib import Path

import pytest
from botsieve.config.settings import Address
from botsieve.errors import MachineError
from botsieve.transports.listeners import listen

from tests.transports.wire import Echo, Listening, Loop, get, listening

KEY = "edges.nginx.listen"


def refusal(loop: Loop, address: Address, group: str | None = None) -> str:
    """The message with which it does not listen."""
    with pytest.raises(MachineError) as error:
        loop.run(listen(address, group, Echo(), KEY))
    return str(error.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def test_unix_socket(path: Path) -> None:
    """0660, named as configured, and gone after `close`."""
    with listening(Echo(), path) as edge:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert edge.listener.address == f"unix:{path}"
        assert edge.ask(get()).status == 200
        edge.call("close")
        assert not path.exists()


def test_a_group_of_ours(path: Path) -> None:
    """The socket belongs to the group that is named."""
    own = grp.getgrgid(os.getgid()).gr_name
    loop = Loop()
    try:
        listener = loop.run(listen(Address(path=str(path)), own, Echo(), KEY))
        assert path.stat().st_gid == os.getgid()
        loop.loop.call_soon_threadsafe(listener.close)
    finally:
        loop.close()


def test_a_group_that_is_none(path: Path) -> None:
    """Said with what would be accepted; no socket file is left."""
    loop = Loop()
    try:
        said = refusal(loop, Address(path=str(path)), "no-such-group")
        assert said.startswith(KEY)
        assert "'no-such-group'" in said
        assert "accepted: " in said
        assert not path.exists()
    finally:
        loop.close()


def test_a_stale_socket_is_replaced(path: Path) -> None:
    """The file that a killed service left does not keep the next one from starting."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with listening(Echo(), path) as edge:
        assert edge.ask(get()).status == 200


def test_a_socket_in_use_is_left_alone(path: Path) -> None:
    """Another service's socket is neither taken nor removed."""
    with listening(Echo(), path) as edge:
        said = refusal(edge.loop, Address(path=str(path)))
        assert said.startswith(f"{KEY}: {path}: another service listens there; accepted: ")
        assert edge.ask(get()).status == 200


def test_closing_removes_only_ones_own(path: Path) -> None:
    """A successor's socket file outlives the end of its predecessor."""
    with listening(Echo(), path) as old:
        path.unlink()
        with listening(Echo(), path) as new:
            old.call("close")
            assert new.ask(get()).status == 200


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    """No such folder, a folder, a file, a long path: what, where, what would be accepted."""
    file = tmp_path / "file"
    file.write_text("precious")
    loop = Loop()
    try:
        for path in (file / "s", tmp_path, file, tmp_path / ("x" * 120)):
            said = refusal(loop, Address(path=str(path)))
            assert said.startswith(f"{KEY}: {path}"), said
            assert "accepted: " in said
        assert file.read_text() == "precious"
    finally:
        loop.close()


def test_tcp(port: int) -> None:
    """A port, and what is said when it is taken or the address is nobody's."""
    with listening(Echo()) as edge:
        assert edge.ask(get()).status == 200
        taken = int(edge.listener.address.rpartition(":")[2])
        said = refusal(edge.loop, Address(host="127.0.0.1", port=taken))
        assert said == f"{KEY}: 127.0.0.1:{taken}: Address already in use; accepted: a free port on an address of this machine"
        assert "accepted: " in refusal(edge.loop, Address(host="192.0.2.1", port=port))


def test_ipv6_is_written_so_that_it_can_be_copied() -> None:
    """[::1]:port."""
    loop = Loop()
    try:
        listener = loop.run(listen(Address(host="::1", port=0), None, Echo(), KEY))
        assert listener.address.startswith("[::1]:")
        loop.loop.call_soon_threadsafe(listener.close)
    finally:
        loop.close()


def test_the_peer_of_tcp_is_known(path: Path) -> None:
    """Over TCP the handler hears who asks; on a Unix socket there is nobody else."""
    echo = Echo()
    with listening(echo) as tcp, listening(echo, path) as unix:
        tcp.ask(get())
        unix.ask(get())
    assert [request.peer for request in echo.seen] == [bytes(10) + b"\xff\xff\x7f\0\0\1", b""]


def test_open_connections_are_counted(path: Path) -> None:
    """What a drain waits for."""
    with listening(Echo(), path) as edge, edge.connect() as one:
        one.send(get()).reply()
        assert edge.listener.open_connections == 1
        edge.call("abort")
        assert one.rest() == b""
    assert isinstance(edge, Listening)
