"""The gRPC edge: gateways that are not nginx ask `botsieve.v1.DecisionService` (proto/botsieve/v1, docs/grpc.md).

Law of the file: sockets and life cycle only.  What a call may do stands in grpc_calls.py, what a message means in grpc_map.py.
Ready means ready: `start` returns when the listener answers.  A drain says NOT_SERVING first, then ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import msgspec
from grpc_health.v1 import health_pb2_grpc

from botsieve.config.settings import EdgeSettings
from botsieve.errors import MachineError
from botsieve.transports.grpc_calls import SERVICE_NAME, Calls, Limits, Service
from botsieve.transports.grpc_health import Health

HEALTH_NAME = "grpc.health.v1.Health"
# One Check has at most 16 KiB of uri and 64 KiB of headers; 256 of them at their usual 2 KiB stay far below this too.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
# The kernel's bound (unix(7), sun_path), less the closing zero.
MAX_SOCKET_PATH = 107


class GrpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`edges.grpc` of the configuration.

    `listen`: `unix:/run/botsieve/grpc.sock` or `127.0.0.1:9483`; port 0 takes a free one.  `socket_group`: the socket is 0660
    for this group; "": for the group of the process.  `reflection`: answer tools that ask for the proto (24 MiB more memory).
    """

    listen: str
    limits: Limits = Limits()
    socket_group: str = ""
    reflection: bool = False

    @classmethod
    def of(cls, settings: EdgeSettings) -> GrpcSettings:
        """From `edges.grpc` of a configuration that switches it on."""
        return cls(
            listen=str(settings.listen),
            limits=Limits.of(settings),
            socket_group=settings.socket_group or "",
            reflection=settings.reflection,
        )


class GrpcTransport:
    """One gRPC listener.

    `now_s`: the service's clock.  `on_unjudged(why)` and `tell(event, **keys)` hear of requests that were not judged, and of
    what an operator should know of (docs/names.md, docs/decision-log.md).
    """

    def __init__(
        self,
        service: Service,
        *,
        now_s: Callable[[], float],
        on_unjudged: Callable[[str], None] = lambda why: None,
        tell: Callable[..., None] = lambda event, **keys: None,
    ) -> None:
        self._service = service
        self._now_s = now_s
        self._on_unjudged = on_unjudged
        self._tell = tell
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(self, settings: GrpcSettings) -> None:
        """Listens; the next call is answered.  Errors: MachineError when the address cannot be had."""
        self._calls = Calls(self._service, settings.limits, self._now_s, self._on_unjudged, self._tell)
        self._health = Health((SERVICE_NAME,))
        server = grpc.aio.server(options=_options(settings.limits))
        server.add_generic_rpc_handlers((self._calls.handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if settings.reflection:
            _add_reflection(server)
        self.port = _listen(server, settings)
        await server.start()
        self._server = server

    def apply(self, settings: EdgeSettings) -> None:
        """Puts the limits of a new configuration in force, from the next call on.  The listener stays what it is."""
        self._calls.apply(Limits.of(settings))

    async def drain(self, grace_s: float) -> None:
        """Says NOT_SERVING, refuses new calls, answers those that are here, and ends after `grace_s` seconds at the latest."""
        if self._server is None:
            return
        self._health.end()
        self._calls.drain()
        await self._server.stop(grace_s)
        self._server = None

    @property
    def in_flight(self) -> int:
        """Check calls between arrival and answer, now."""
        return self._calls.in_flight

    @property
    def streams(self) -> int:
        """Open CheckStream calls, now."""
        return self._calls.streams


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        # Its estimates of the bandwidth cost a ping for every burst, and messages here are small.
        ("grpc.http2.bdp_probe", 0),
        # The largest usual batch arrives whole: with grpc's 64 KiB a batch of 32 cost a fifth more for window updates [measured].
        ("grpc.http2.lookahead_bytes", 256 * 1024),
        # A port in use is an error, not half of somebody else's calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # Per connection.  Above max_in_flight, so that the surplus hears of it instead of waiting unseen.
        ("grpc.max_concurrent_streams", 2 * limits.max_in_flight + 128),
        # A gateway that vanished without a word is noticed; gateways may look after us as often as every 10 s.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def _add_reflection(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection

    reflection.enable_server_reflection((SERVICE_NAME, HEALTH_NAME, reflection.SERVICE_NAME), server)


def _listen(server: grpc.aio.Server, settings: GrpcSettings) -> int:
    kind, _, path = settings.listen.partition(":")
    if kind == "unix":
        _listen_unix(server, Path(path), settings.socket_group)
        return 0
    try:
        return server.add_insecure_port(settings.listen)
    except RuntimeError as error:
        raise MachineError(
            f"edges.grpc.listen: cannot listen on {settings.listen}: in use, or no address of this machine; "
            "accepted: a free 127.0.0.1:PORT, or unix:/run/botsieve/grpc.sock"
        ) from error


def _listen_unix(server: grpc.aio.Server, path: Path, group: str) -> None:
    where = f"edges.grpc.listen: {path}"
    if not path.is_absolute() or len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise MachineError(f"{where}: no path of a socket; accepted: an absolute path of at most {MAX_SOCKET_PATH} bytes")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MachineError(f"{where}: the folder is missing or not writable; accepted: a folder that this user may write to")
    if _answers(path):
        raise MachineError(f"{where}: another process answers there; stop it, or name another path")
    try:
        # grpcio replaces what a killed process left behind.  Nobody but us may connect before the group is set.
        with _umask(0o177):
            server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise MachineError(f"{where}: cannot listen there; accepted: the path of a socket, or of nothing yet") from error
    try:
        if group:
            shutil.chown(path, group=group)
        path.chmod(0o660)
    except (LookupError, PermissionError) as error:
        path.unlink()
        raise MachineError(
            f"edges.grpc.socket_group: cannot give {path} to group {group}; accepted: a group that this user is a member of"
        ) from error


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        return path.is_socket() and probe.connect_ex(str(path)) == 0


@contextlib.contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
