"""service/botsieve/unix_socket.py: whose a socket file is, its mode and group, and what is said."""

from __future__ import annotations

import contextlib
import grp
import os
import socket
import stat
from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.unix_socket import MAX_PATH, bound, give_to_group, make_free

KEY = "edges.nginx.listen"


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_the_file_has_its_mode(tmp_path: Path, mode: int) -> None:
    """From bind on, whatever the umask of the process is, which stays as it was."""
    before = os.umask(0o002)
    try:
        with contextlib.closing(bound(f"{tmp_path}/s", mode, KEY)):
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == mode
        assert os.umask(0o002) == 0o002
    finally:
        os.umask(before)


def test_what_a_killed_service_left_is_replaced(tmp_path: Path) -> None:
    """A file that nobody answers on is no obstacle."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/s")
    with contextlib.closing(bound(f"{tmp_path}/s", 0o660, KEY)) as sock:
        sock.listen()
        assert (tmp_path / "s").is_socket()
        with pytest.raises(MachineError, match="another service listens there; accepted: "):
            make_free(f"{tmp_path}/s", KEY)


def test_messages_are_the_callers(tmp_path: Path) -> None:
    """Key, path, and the caller's own words for what is taken."""
    with contextlib.closing(bound(f"{tmp_path}/s", 0o600, "state.dir")) as sock:
        sock.listen()
        with pytest.raises(MachineError) as caught:
            bound(f"{tmp_path}/s", 0o600, "state.dir", taken="one service a directory")
    assert str(caught.value) == f"state.dir: {tmp_path}/s: one service a directory"


def test_a_folder_that_a_boot_emptied_is_made(tmp_path: Path) -> None:
    """`botsieve serve` by the README, on a machine whose /run has no botsieve/ yet: nginx's user can pass the folder."""
    before = os.umask(0o077)
    try:
        with contextlib.closing(bound(f"{tmp_path}/run/check.sock", 0o660, KEY)):
            assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o755
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", ["none/none/s", "file/s", "x" * MAX_PATH])
def test_paths_that_cannot_be(tmp_path: Path, name: str) -> None:
    """What, where, what would be accepted; nothing is harmed."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(MachineError) as caught:
        bound(f"{tmp_path}/{name}", 0o660, KEY)
    assert str(caught.value).startswith(f"{KEY}: {tmp_path}/{name}")
    assert "accepted: " in str(caught.value)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """Only sockets are ever removed, and the message says what stands there: not that an address is in use."""
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        with pytest.raises(MachineError, match=f"{KEY}: {tmp_path}/{name} is there and is no socket; accepted: "):
            bound(f"{tmp_path}/{name}", 0o660, KEY)
    assert (tmp_path / "file").read_text() == "precious"


def test_groups(tmp_path: Path) -> None:
    """Ours is given; one that is none removes the file and says what would do."""
    own = grp.getgrgid(os.getgid()).gr_name
    with contextlib.closing(bound(f"{tmp_path}/s", 0o660, KEY)):
        give_to_group(f"{tmp_path}/s", own, KEY)
        assert (tmp_path / "s").stat().st_gid == os.getgid()
        with pytest.raises(MachineError, match=r"'no-such-group'.*accepted: in socket_group a group"):
            give_to_group(f"{tmp_path}/s", "no-such-group", KEY)
        assert not (tmp_path / "s").exists()
