"""The gRPC edge: gateways that are not nginx ask `botsieve.v1.DecisionService` (proto/botsieve/v1, docs/grpc.md).

Law of the file: sockets and life cycle only.  What a call may do stands in grpc_calls.py, what a message means in grpc_map.py.
Ready means ready: `start` returns when the listener answers.  A drain says NOT_SERVING first, then ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import grpc
import msgspec
from grpc_health.v1 import health_pb2_grpc

from botsieve.config.settings import EdgeSettings
from botsieve.errors import MachineError
from botsieve.transports.grpc_batch import Service
from botsieve.transports.grpc_calls import SERVICE_NAME, Calls, Limits
from botsieve.transports.grpc_health import Health
from botsieve.unix_socket import WRITABLE, created_with, make_free

HEALTH_NAME = "grpc.health.v1.Health"
# One Check has at most 16 KiB of uri and 64 KiB of headers; 256 of them at their usual 2 KiB stay far below this too.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


class GrpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`edges.grpc` of the configuration.

    `listen`: `unix:/run/botsieve/grpc.sock` or `127.0.0.1:9483`; port 0 takes a free one.  A socket is 0660: for
    the group of this process.  `reflection`: answer tools that ask for the proto (24 MiB more memory).
    """

    listen: str
    limits: Limits = Limits()
    reflection: bool = False

    @classmethod
    def of(cls, settings: EdgeSettings) -> GrpcSettings:
        """From `edges.grpc` of a configuration that switches it on."""
        return cls(
            listen=str(settings.listen),
            limits=Limits.of(settings),
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
        _listen_unix(server, path)
        return 0
    try:
        return server.add_insecure_port(settings.listen)
    except RuntimeError as error:
        raise MachineError(
            f"edges.grpc.listen: cannot listen on {settings.listen}: in use, or no address of this machine; "
            "accepted: a free 127.0.0.1:PORT, or unix:/run/botsieve/grpc.sock"
        ) from error


def _listen_unix(server: grpc.aio.Server, path: str) -> None:
    key = "edges.grpc.listen"
    if not os.path.isabs(path):
        raise MachineError(f"{key}: {path}: no path of a socket; accepted: an absolute path")
    make_free(path, key)
    if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        raise MachineError(f"{key}: {path}: the folder is missing or not writable; accepted: {WRITABLE}")
    try:
        with created_with(0o660):
            server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise MachineError(f"{key}: {path}: cannot listen there; accepted: the path of a socket, or of nothing yet") from error
