"""Sockets of the HTTP edges: Unix sockets with the right mode and group, TCP ports, and what is said when they cannot be had.

Law of the file: a socket file that a killed service left behind is replaced; one that answers is another service's and is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import stat

from botsieve.config.settings import Address
from botsieve.errors import MachineError
from botsieve.transports.http_wire import Edge, HttpConnection
from botsieve.transports.surplus import Surplus

_BACKLOG = 4_096
_MAX_SOCKET_PATH = 107  # unix(7), sun_path less the closing zero


class EdgeListener:
    """One listening socket of an HTTP edge."""

    def __init__(self, server: asyncio.Server, address: str, connections: set[HttpConnection], path: str = "") -> None:
        """`path`: of the Unix socket, "" for TCP."""
        self._server = server
        self._connections = connections
        self._path = path
        self._file = _identity(path) if path else None
        self.address = address

    def close(self) -> None:
        """Stops accepting, and removes the socket file if it is still our own.  Open connections get one more answer each."""
        self._server.close()
        for connection in self._connections:
            connection.announce_end()
        if self._file is not None and _identity(self._path) == self._file:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        self._file = None

    def finish(self) -> None:
        """Closes the connections that wait for nothing; the others when they have their answer."""
        for connection in list(self._connections):
            connection.finish()

    def abort(self) -> None:
        """Closes the connections that are still open."""
        for connection in list(self._connections):
            connection.abort()

    @property
    def open_connections(self) -> int:
        """How many there are."""
        return len(self._connections)


async def listen(address: Address, group: str | None, edge: Edge, key: str, surplus: Surplus | None = None) -> EdgeListener:
    """Listens.  `key`: the setting, for messages.  `surplus`: of this loop, None: every request is judged.  Errors: MachineError."""
    connections: set[HttpConnection] = set()
    loop = asyncio.get_running_loop()

    def accepted() -> HttpConnection:
        return HttpConnection(edge, connections, is_local=bool(address.path), surplus=surplus)

    if address.path:
        sock = _unix_socket(address.path, group, key)
        server = await loop.create_unix_server(accepted, sock=sock, backlog=_BACKLOG)
        return EdgeListener(server, str(address), connections, address.path)
    try:
        server = await loop.create_server(accepted, address.host, address.port, backlog=_BACKLOG, reuse_address=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MachineError(f"{key}: {address}: {reason}; accepted: a free port on an address of this machine") from error
    host, port = server.sockets[0].getsockname()[:2]
    return EdgeListener(server, str(Address(host=host, port=port)), connections)


def _unix_socket(path: str, group: str | None, key: str) -> socket.socket:
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise MachineError(f"{key}: {path} has more than {_MAX_SOCKET_PATH} bytes; accepted: a shorter path")
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            if not _is_left_over(path):
                raise MachineError(
                    f"{key}: {path}: another service listens there; accepted: a path of its own, or stop that one"
                )
            os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _not_writable(key, path, error) from error
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setblocking(False)
    before = os.umask(0o117)  # 0660 from the first moment on
    try:
        sock.bind(path)
    except OSError as error:
        sock.close()
        raise _not_writable(key, path, error) from error
    finally:
        os.umask(before)
    if group:
        _give_to_group(path, group, key)
    return sock


def _give_to_group(path: str, group: str, key: str) -> None:
    try:
        shutil.chown(path, group=group)
    except (LookupError, PermissionError) as error:
        os.unlink(path)
        raise MachineError(
            f"{key}: the socket cannot be given to the group {group!r} ({error}); accepted: in socket_group a group of this"
            " machine that the service's user belongs to, or null"
        ) from error


def _not_writable(key: str, path: str, error: OSError) -> MachineError:
    return MachineError(f"{key}: {path}: {error.strerror}; accepted: a socket path in a directory that this user may write")


def _is_left_over(path: str) -> bool:
    """Nobody listens on the socket file: a killed service left it.  In doubt somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _identity(path: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
