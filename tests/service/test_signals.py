"""Signals of a running service: it drains, it reopens, it leaves nothing behind."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.pace import in_time
from tests.servers import wait_until
from tests.service.running import CURL, Load, Place, question
from tests.transports.wire import only_reply


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(at: Place, number: signal.Signals) -> None:
    """Exit 0 within 5 s, no traceback, socket files gone, the last line of the log says so."""
    with at.start() as service:
        at.ask()
        began = time.monotonic()
        service.popen.send_signal(number)
        assert service.popen.wait(60) == 0
        assert in_time(time.monotonic() - began, 5.0)
        assert "Traceback" not in service.output
    assert not at.socket.exists()
    assert not (at.state / "control.sock").exists()
    assert '"service_stopped"' in at.log.read_text().splitlines()[-1]


def test_nothing_in_flight_is_dropped(at: Place) -> None:
    """TERM while requests are half sent: each gets its verdict and is told that it was the last on its connection."""
    whole = question("/half", CURL)
    with at.start() as service:
        connections = [at.connect() for _ in range(20)]
        idle = [at.connect() for _ in range(5)]
        for number, connection in enumerate(connections):
            connection.send(whole[: 10 + number * 5])
        for connection in idle:
            connection.send(question("/idle", CURL)).reply()
        service.popen.send_signal(signal.SIGTERM)
        wait_until(lambda: not at.socket.exists(), what="the end of listening")
        for number, connection in enumerate(connections):
            reply = only_reply(connection.send(whole[10 + number * 5 :]).rest())
            assert reply.verdict in ("challenge", "block")
            assert reply.one("Connection") == "close"
        for connection in idle:
            assert connection.rest() == b""
        assert service.popen.wait(60) == 0
        for connection in connections + idle:
            connection.close()


@pytest.mark.realtime
def test_a_connection_that_hangs_does_not_hold_it(at: Place) -> None:
    """A request that never ends and a client that never reads: gone within 5 s all the same."""
    with at.start() as service:
        with at.connect() as hanging, at.connect() as deaf:
            hanging.send(question()[:40])
            deaf._socket.settimeout(0.3)
            try:
                deaf.send(*[question() * 50] * 200)
            except TimeoutError:
                pass
            else:
                raise AssertionError("it took everything")
            began = time.monotonic()
            service.popen.send_signal(signal.SIGTERM)
            assert service.popen.wait(60) == 0
        assert in_time(time.monotonic() - began, 5.0)


@pytest.mark.realtime
def test_term_under_load(at: Place) -> None:
    """Under load every answer until the end is a verdict, whole; the end is announced or between two requests."""
    with at.start() as service, Load(at, 8) as load:
        wait_until(lambda: load.total > 200, what="some load")
        service.popen.send_signal(signal.SIGTERM)
        assert service.popen.wait(60) == 0
    assert "unjudged" not in load.verdicts
    for error in load.errors:
        assert "told to close" in error or "closed after b''" in error or "Broken pipe" in error or "reset" in error, error


def test_usr1_reopens_the_log(at: Place) -> None:
    """The file is moved away, USR1: new lines go to a new file, none is lost."""
    with at.start() as service:
        at.ask("/before", CURL)
        wait_until(lambda: "/before" in at.log.read_text(), what="the line")
        moved = at.log.rename(at.folder / "old.log")
        service.popen.send_signal(signal.SIGUSR1)
        wait_until(at.log.exists, what="the new file")
        at.ask("/after", CURL)
        wait_until(lambda: "/after" in at.log.read_text(), what="the line")
        assert "/after" not in moved.read_text()


def test_signals_one_after_another(at: Place) -> None:
    """HUP and USR1 in any number do no harm, nor does a second TERM."""
    with at.start() as service:
        for _ in range(10):
            service.popen.send_signal(signal.SIGHUP)
            service.popen.send_signal(signal.SIGUSR1)
        assert at.ask().verdict == "allow"
        service.popen.send_signal(signal.SIGTERM)
        service.popen.send_signal(signal.SIGTERM)
        assert service.popen.wait(60) == 0


def test_its_end_removes_only_its_own_socket(at: Place) -> None:
    """Somebody who took the place of the socket file keeps it."""
    with at.start() as service:
        at.socket.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(at.socket))
            assert service.stop() == 0
            assert at.socket.exists()
