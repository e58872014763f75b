"""What our nginx sends of an ordinary visitor is what the service knows at a glance (transports/known_checks.py)."""

from __future__ import annotations

import time

import pytest
from botsieve.transports.http import NginxEdge
from botsieve.transports.known_checks import KnownChecks

from tests.bench.load import HEADERS
from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site


def as_sent(standin: StandIn) -> bytes:
    """The last check that nginx asked for."""
    last = [seen for seen in standin.seen() if seen["target"] == "/v1/check/nginx"][-1]
    lines = [last["line"], *[f"{name}: {value}" for name, value in last["headers"]]]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


LINES = [f"{name}: {value}" for name, value in HEADERS.items() if name not in ("cookie", "referer")]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_another_page_of_a_browser_is_known(site: Site, standin: StandIn, tls: bool) -> None:
    """Cookie, page before, page, request id and clock differ; the third request of a browser needs no parser."""
    port = site.https_port if tls else site.http_port
    asked = []
    for number in range(3):
        own = [f"Referer: https://shop.example/{number}", f"Cookie: a={number}", "cookie: b=1"]
        assert ask(port, f"/items/{number}?page=1", *LINES, *own, tls=tls).status == 200
        asked.append(as_sent(standin))
    checks = KnownChecks(NginxEdge.check_line)
    first, second, third = [checks.read(raw, time.time(), "nginx", None) for raw in asked]
    assert (first, second) == (None, None)
    assert third is not None
    assert (third.uri, third.header(b"referer"), third.header(b"cookie")) == (
        b"/items/2?page=1",
        b"https://shop.example/2",
        b"a=2; b=1",
    )


def test_another_page_behind_a_cdn_is_known(site: Site, standin: StandIn) -> None:
    """What a proxy before nginx adds to each request, another each time, is no reason to read all the rest again."""
    asked = []
    for number in range(4):
        own = [f"X-Forwarded-For: 192.0.2.{number}", f"CF-Ray: {number}8f-FRA", f"traceparent: 00-{number}", "CF-IPCountry: DE"]
        assert ask(site.http_port, f"/items/{number}", *own[:1], *LINES, *own[1:]).status == 200
        asked.append(as_sent(standin))
    checks = KnownChecks(NginxEdge.check_line)
    found = [checks.read(raw, time.time(), "nginx", None) for raw in asked]
    assert found[:3] == [None, None, None]
    assert found[3] is not None
    assert found[3].headers[b"cf-ray"] == b"38f-FRA"
