"""Unix sockets that we listen on: their file, its mode and group, and what is said when they cannot be had.

Law of the file: a socket file that a killed service left behind is replaced; one that answers is another service's and is not.
Nobody but us can connect before mode and group are set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
from collections.abc import Iterator

from botsieve.errors import MachineError

MAX_PATH = 107  # bytes; unix(7), sun_path less the closing zero
_ANSWER_S = 0.5
TAKEN = "another service listens there; accepted: a path of its own, or stop that one"
WRITABLE = "a socket path in a directory that this user may write"


def bound(path: str, mode: int, key: str, *, taken: str = TAKEN, accepted: str = WRITABLE) -> socket.socket:
    """A socket bound to `path`, not blocking, its file of `mode` from the first moment on.

    `key`: the setting, for messages; `taken`, `accepted`: what they say.  Errors: MachineError.
    """
    make_free(path, key, taken=taken, accepted=accepted)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setblocking(False)
    try:
        with created_with(mode):
            sock.bind(path)
    except OSError as error:
        sock.close()
        raise MachineError(f"{key}: {path}: {error.strerror}; accepted: {accepted}") from error
    return sock


@contextlib.contextmanager
def created_with(mode: int) -> Iterator[None]:
    """Files that are made meanwhile have no more than `mode`; the process's umask is as before afterwards."""
    before = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(before)


def make_free(path: str, key: str, *, taken: str = TAKEN, accepted: str = WRITABLE) -> None:
    """Removes a socket file that nobody answers on, and makes its folder if that alone is missing: /run is empty after a boot.

    Errors: MachineError for a path that cannot be bound, as `bound`.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        raise MachineError(f"{key}: {path} has more than {MAX_PATH} bytes; accepted: a shorter path")
    with contextlib.suppress(OSError), created_with(0o755):
        os.mkdir(os.path.dirname(path))
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise MachineError(f"{key}: {path} is there and is no socket; accepted: a path where nothing else is")
        if not _is_left_over(path):
            raise MachineError(f"{key}: {path}: {taken}")
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise MachineError(f"{key}: {path}: {error.strerror}; accepted: {accepted}") from error


def give_to_group(path: str, group: str, key: str) -> None:
    """Hands a socket file to a group.  Errors: MachineError, the file is removed then."""
    try:
        shutil.chown(path, group=group)
    except (LookupError, PermissionError) as error:
        os.unlink(path)
        raise MachineError(
            f"{key}: the socket cannot be given to the group {group!r} ({error}); accepted: in socket_group a group of this"
            " machine that the service's user belongs to, or null"
        ) from error


def _is_left_over(path: str) -> bool:
    """Nobody listens on the socket file: a killed service left it.  In doubt somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
