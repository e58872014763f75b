"""Where lines go: standard output, a file or a FIFO, and what happens when that place does not take them.

Law of the file: only the log's own thread writes, and it never hangs for long: a pipe is written only when it has room.
A line is whole or not there, also after a full disk.
"""

from __future__ import annotations

import os
import select
import stat
from collections import deque

from botsieve.errors import MachineError

# POSIX: a pipe that polls writable takes PIPE_BUF bytes without blocking; 4,096 on Linux.
_PIPE_CHUNK = 4096
_FILE_CHUNK = 1 << 18
# Lines of a regular file that are put together without a look at each: what is rendered in one go, and more.
_AT_ONCE = 256


class Sink:
    """An append-only place for lines.  `path` "" is standard output.

    Errors: MachineError when a file cannot be opened at first; later failures are returned by `write` and `reopen`.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.written = 0
        self._fd = -1
        self._is_pipe = False
        self._lines: deque[bytes] = deque()
        self._head_written = 0
        try:
            self._use(_open(path) if path else 1)
        except OSError as error:
            if not _is_fifo(path):
                raise MachineError(
                    f"journal.decisions.to: {path or 'stdout'}: {error.strerror}; accepted: stdout, null, or a file in a "
                    "directory that exists and that this user may write"
                ) from error

    @property
    def waiting(self) -> int:
        """Lines taken and not yet written whole."""
        return len(self._lines)

    def write(self, lines: list[bytes], patience_s: float) -> str:
        """Takes lines (each with its line feed) and writes as much as the place accepts within about `patience_s`.

        Returns "" or why not everything went out; what did not go out is kept and tried again at the next call.
        """
        self._lines.extend(lines)
        try:
            if self._fd < 0:
                self._use(_open(self.path))
            while self._lines:
                if self._is_pipe and not self._has_room(patience_s):
                    return "the reader of the pipe does not read"
                self._write_some()
        except BlockingIOError:
            return "the reader of the pipe does not read"
        except OSError as error:
            if self.path and self._is_pipe:
                self._close()  # the reader of our FIFO left: the next one is found by opening it anew
            return error.strerror or type(error).__name__
        return ""

    def reopen(self) -> str:
        """Opens the file anew (it was moved away).  Returns "" or why the old one is still used."""
        if not self.path:
            return ""
        try:
            fd = _open(self.path)
        except OSError as error:
            return error.strerror or type(error).__name__
        self._close()
        self._use(fd)
        return ""

    def close(self) -> int:
        """Closes; returns how many lines were never written."""
        left = len(self._lines)
        self._lines.clear()
        if self.path:
            self._close()
        return left

    def _use(self, fd: int) -> None:
        self._fd = fd
        self._head_written = 0  # a line that was begun elsewhere is written whole here
        # Terminals and sockets stall like pipes.
        self._is_pipe = not stat.S_ISREG(os.fstat(fd).st_mode)

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _has_room(self, patience_s: float) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(patience_s * 1000))

    def _write_some(self) -> None:
        lines, begun = self._lines, self._head_written
        if not begun and not self._is_pipe and len(lines) <= _AT_ONCE:
            whole = b"".join(lines)
            if len(whole) <= _FILE_CHUNK:
                written = os.write(self._fd, whole)
                if written == len(whole):  # nearly always
                    self.written += len(lines)
                    lines.clear()
                else:
                    self._count([*lines], written)
                return
        limit = _PIPE_CHUNK if self._is_pipe else _FILE_CHUNK
        pieces: list[bytes] = []
        size = -begun
        for line in lines:
            if pieces and size + len(line) > limit:
                break
            pieces.append(line)
            size += len(line)
        self._count(pieces, os.write(self._fd, memoryview(b"".join(pieces))[begun : begun + limit]))

    def _count(self, pieces: list[bytes], written: int) -> None:
        """So many bytes of the first lines went out."""
        lines = self._lines
        for piece in pieces:
            left = len(piece) - self._head_written
            if written < left:
                self._head_written += written
                break
            written -= left
            lines.popleft()
            self._head_written = 0
            self.written += 1


def _open(path: str) -> int:
    # Without O_NONBLOCK a FIFO that nobody reads would hold the thread for good.
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o640)


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
