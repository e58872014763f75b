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

LINES = [f"{name}: {value}" for name, value in HEADERS.items() if name not in ("cookie", "referer")]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_another_page_of_a_browser_is_known(site: Site, standin: StandIn, tls: bool) -> None:
    """Cookie, page before, page, request id and clock differ; the third request of a browser needs no parser."""
    port = site.https_port if tls else site.http_port
    asked = []
    for number in range(3):
        own = [f"Referer: https://shop.example/{number}", f"Cookie: a={number}", "cookie: b=1"]
        assert ask(port, f"/items/{number}?page=1", *LINES, *own, tls=tls).status == 200
        last = [seen for seen in standin.seen() if seen["target"] == "/v1/check/nginx"][-1]
        lines = [last["line"], *[f"{name}: {value}" for name, value in last["headers"]]]
        asked.append("\r\n".join([*lines, "", ""]).encode("latin-1"))
    checks = KnownChecks(NginxEdge.check_line)
    first, second, third = [checks.read(raw, time.time(), "nginx", None) for raw in asked]
    assert (first, second) == (None, None)
    assert third is not None
    assert (third.uri, third.header(b"referer"), third.header(b"cookie")) == (
        b"/items/2?page=1",
        b"https://shop.example/2",
        b"a=2; b=1",
    )
