"""Sockets of the HTTP edges: what they listen on, and how they end.

Law of the file: whoever is connected when the end comes gets an answer first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import cast

from botsieve.config.settings import Address
from botsieve.errors import MachineError
from botsieve.transports.http_wire import Edge, HttpConnection
from botsieve.transports.surplus import Surplus
from botsieve.unix_socket import bound, give_to_group

_BACKLOG = 4_096


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

    def accepted() -> asyncio.Protocol:
        return cast(asyncio.Protocol, HttpConnection(edge, connections, is_local=bool(address.path), surplus=surplus))

    if address.path:
        sock = bound(address.path, 0o660, key)
        if group:
            give_to_group(address.path, group, key)
        server = await loop.create_unix_server(accepted, sock=sock, backlog=_BACKLOG)
        return EdgeListener(server, str(address), connections, address.path)
    try:
        server = await loop.create_server(accepted, address.host, address.port, backlog=_BACKLOG, reuse_address=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MachineError(f"{key}: {address}: {reason}; accepted: a free port on an address of this machine") from error
    host, port = server.sockets[0].getsockname()[:2]
    return EdgeListener(server, str(Address(host=host, port=port)), connections)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
