"""botsieve.journal.control"""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.journal import Journal
from botsieve.journal.control import SOCKET_NAME, ask


def test_a_running_service_answers(running: tuple[Journal, str]) -> None:
    """Status and object."""
    journal, _ = running
    asked = ask(journal.options.state_dir, "GET", "/v1/status")
    assert asked is not None
    assert (asked[0], asked[1]["paused"]) == (200, False)


def test_a_socket_left_by_a_killed_service_is_no_service(tmp_path: Path) -> None:
    """The file alone does not make a service."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET_NAME))
    assert ask(tmp_path, "GET", "/v1/status") is None


def test_no_service_is_an_answer(tmp_path: Path) -> None:
    """No directory, no socket, a socket that nobody listens on: None."""
    assert ask(tmp_path / "missing", "GET", "/v1/status") is None
    assert ask(tmp_path, "GET", "/v1/status") is None


def test_somebody_else_on_the_socket_is_a_clear_error(tmp_path: Path) -> None:
    """A server that speaks something else is told from a Botsieve."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / SOCKET_NAME))
        server.listen()

        def speak() -> None:
            peer, _ = server.accept()
            peer.recv(1000)
            peer.sendall(b"SSH-2.0-whatever\r\n")
            peer.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(MachineError, match=r"control\.sock: no answer .*; accepted: a running botsieve"):
            ask(tmp_path, "GET", "/v1/status")
        thread.join(10)
