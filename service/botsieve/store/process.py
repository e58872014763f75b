"""The writer's process as the service sees it: started, spoken to without ever waiting, ended.

Law of the file: no call but `start` and `finish` can take longer than a system call that does not block.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess

from botsieve.interpreter import command, environment
from botsieve.store.messages import PACKET_BYTES

_DEAD_S = 0.5
_CODE = "from botsieve.store.writer import main; main()"


class Gone(Exception):
    """The process is not there (any more)."""


class WriterProcess:
    """One writer.  Errors of `start`: OSError when no process can be had."""

    def __init__(self, state_dir: str) -> None:
        self._state_dir = state_dir
        self._link: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it: some milliseconds, so in a thread."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.setblocking(False)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                command(_CODE, str(theirs.fileno()), self._state_dir),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment(),
            )
            self._link = ours
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its process id, 0 before the start."""
        return self._process.pid if self._process is not None else 0

    def send(self, packet: bytes) -> bool:
        """Hands over one packet; False: it takes nothing now.  Errors: Gone."""
        if self._link is None:
            raise Gone
        try:
            self._link.send(packet)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno == errno.ENOBUFS:  # the kernel is short of memory
                return False
            raise Gone from error
        return True

    def receive(self) -> bytes | None:
        """One packet, None if there is none now.  Errors: Gone."""
        if self._link is None:
            raise Gone
        try:
            packet = self._link.recv(PACKET_BYTES + 1)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise Gone from error
        if not packet:
            raise Gone
        return packet

    def hang_up(self) -> None:
        """No more comes: it writes what it has and ends."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_WR)

    def finish(self, patience_s: float) -> None:
        """Hangs up and waits; it is killed when its end takes longer (SQLite takes no harm)."""
        self.hang_up()
        if self._process is not None:
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):  # a disk that hangs holds even the dead
                    self._process.wait(_DEAD_S)
        if self._link is not None:
            self._link.close()
            self._link = None
