"""The standard health service: is this process ready to judge?

Source: the gRPC health checking protocol, `grpc.health.v1`.  Law of the file: SERVING until the drain begins, NOT_SERVING from
then on; every watcher hears of it before the server stops, and is let go, so that an idle watch does not hold the drain up.
"""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# A watch lasts as long as its caller likes: a gateway and a probe need a few, a leak of theirs must not become ours.
MAX_WATCHERS = 64

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

Context = grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Answers for "" (the process) and each service in `names`."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(("", *names))
        self._ending = asyncio.Event()
        self._watchers = 0

    def end(self) -> None:
        """NOT_SERVING from now on, for good."""
        self._ending.set()

    async def Check(  # noqa: N802 (the name is the protocol's)
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """The state now; NOT_FOUND for a service that is not ours."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here; known: the empty name and the service names")
        return health_pb2.HealthCheckResponse(status=_NOT_SERVING if self._ending.is_set() else _SERVING)

    async def Watch(  # noqa: N802 (the name is the protocol's)
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> None:
        """The state now, and once more when the drain begins; then the call ends."""
        if self._watchers >= MAX_WATCHERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"too many watches; accepted: {MAX_WATCHERS} at a time")
        self._watchers += 1
        try:
            known = request.service in self._names
            if not self._ending.is_set():
                await context.write(health_pb2.HealthCheckResponse(status=_SERVING if known else _SERVICE_UNKNOWN))
                await self._ending.wait()
            await context.write(health_pb2.HealthCheckResponse(status=_NOT_SERVING if known else _SERVICE_UNKNOWN))
        finally:
            self._watchers -= 1
