"""The forward-auth edge: Traefik, Caddy, APISIX and whatever else asks with `X-Forwarded-*` (docs/headers.md, "Other gateways").

Law of the file: nothing is believed but what a trusted peer says, and of `X-Forwarded-For` only the last address that no
trusted peer stands for.  The answer is whole: 200 and empty, or the page itself; never 5xx.
"""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar

from botsieve.config.settings import EdgeSettings
from botsieve.decision import ALLOW
from botsieve.errors import InvalidObservation
from botsieve.observation import (
    DELIVERS_COOKIE,
    MAX_HOST,
    MAX_METHOD,
    SEES_ACCEPT_ENCODING,
    SEES_ALL_HEADERS,
    Observation,
    make_observation,
    pack_address,
)
from botsieve.service import DecisionService
from botsieve.transports.gateway_headers import SHOWN
from botsieve.transports.http import NginxEdge, rendered
from botsieve.transports.http_readers import Request
from botsieve.transports.http_wire import render

CHECK = b"/v1/check/forward"
_MAX_HOPS = 32

# Traefik names the scheme of a WebSocket.
_SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}


class ForwardEdge(NginxEdge):
    """Answers one forward-auth listener."""

    __slots__ = ()

    check_line: ClassVar[bytes] = b"GET " + CHECK + b" HTTP/1.1\r\n"

    def __init__(self, service: DecisionService, settings: EdgeSettings, prefix: str) -> None:
        super().__init__(service, settings, prefix)

    def known(self, data: bytes, peer: bytes) -> Observation | None:
        """Gateways differ: each call is read by its lines."""
        return None

    def is_check(self, target: bytes) -> bool:
        """Whether this target asks for a verdict."""
        return target.partition(b"?")[0] == CHECK

    def route(self, request: Request) -> bytes:
        """The verdict with its page, or one of our own paths."""
        if self.is_check(request.target):
            return self._verdict(request)
        if request.target.startswith(self.prefix):
            return self.own(request)
        return render(404, [("Cache-Control", "no-store")])

    def _verdict(self, request: Request) -> bytes:
        started = perf_counter()
        o = self._asked(request)
        decision = self.service.judge_in_time(o, started + self.settings.deadline_ms * 1e-3)
        if decision is None:
            return self._unjudged("deadline")
        if decision.verdict == ALLOW:
            headers = [("X-Botsieve-Verdict", decision.verdict), ("X-Botsieve-Id", decision.id)]
            return render(200, [*headers, ("Set-Cookie", decision.set_cookie)] if decision.set_cookie else headers)
        return rendered(self.service.answer(o, decision))

    def observe(self, request: Request) -> Observation:
        """The observation of a request to one of our own paths, which the gateway routes here."""
        return self._observation(request, request.method.encode(), request.target, request.headers.get(b"host", b""))

    def _asked(self, request: Request) -> Observation:
        headers = request.headers
        method, uri = headers.get(b"x-forwarded-method", b""), headers.get(b"x-forwarded-uri", b"")
        return self._observation(request, method, uri, headers.get(b"x-forwarded-host", b""))

    def _observation(self, request: Request, method: bytes, uri: bytes, host: bytes) -> Observation:
        self.believe(request)
        settings, headers = self.settings, request.headers
        sight = settings.sight or 0
        client, peer = self._client(request)
        shown = SHOWN | {b"accept-encoding"} if sight & SEES_ACCEPT_ENCODING else SHOWN
        ja3 = headers.get(settings.ja3_header, b"")[:64] if settings.ja3_header else b""
        ja4 = headers.get(settings.ja4_header, b"")[:64] if settings.ja4_header else b""
        return make_observation(
            client=client,
            peer=client if ja4 else peer,  # a header that the operator names holds the client's own fingerprint
            method=method[:MAX_METHOD],  # the client's word: what is too long is cut, never a fault of the gateway
            uri=uri,
            headers=headers,
            headers_seen=shown,
            edge_time_s=self.service.now_s(),
            edge=settings.name,
            host=_name_of(host)[:MAX_HOST],
            scheme=_SCHEMES.get(headers.get(b"x-forwarded-proto", b"").lower(), b""),
            sight=sight & ~SEES_ALL_HEADERS | DELIVERS_COOKIE,
            ja3=ja3,
            ja4=ja4,
            tls_sig=ja4,
        )

    def _client(self, request: Request) -> tuple[bytes, bytes]:
        """The client and who stands before it.  An element that is no address ends the walk: what is left of it is hearsay."""
        peer, nearest = request.peer, b""
        for text in reversed(request.headers.get(b"x-forwarded-for", b"").rsplit(b",", _MAX_HOPS)[-_MAX_HOPS:]):
            try:
                found = pack_address(text.strip().decode("latin-1"))
            except InvalidObservation:
                break
            peer, nearest = nearest or peer, found
            if nearest not in self.settings.trusted:
                break
        if not nearest:
            raise InvalidObservation(
                "ADDRESS_MALFORMED", "X-Forwarded-For", "X-Forwarded-For holds no address; accepted: the client's address, last"
            )
        return nearest, peer or nearest


def _name_of(host: bytes) -> bytes:
    """A host without its port, lower case: `shop.example:8443` and `[2001:db8::7]:8443`."""
    name, colon, port = host.rpartition(b":")
    return (name if colon and (not port or port.isdigit()) and (b":" not in name or name.endswith(b"]")) else host).lower()
