"""Reports of device and browser through the edges: `b.js`, the library, POST `d` (docs/headers.md, "Paths that belong to us")."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botsieve.challenge.device_script import LIBRARY_NAME, Wanted, wanted_by
from botsieve.transports.forward import ForwardEdge
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transports.edge_harness import CONFIG, PERSON, Service, ask, at, check
from tests.transports.test_forward import forwarded
from tests.transports.wire import Reply

POSTED = PERSON | {
    "Content-Type": "application/json",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Referer": "https://shop.example/items/1",
}
THRESHOLDS = "detectors: {browser.suspicious: {action: block, extensions: ['Scraper = global scraper']}}\n"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Ids are on, and a list of one extension."""
    made = Service(tmp_path, CONFIG + THRESHOLDS + "device: {enabled: true}\n")
    wanted = wanted_by(made.loaded.rulebook.policies, "/.botsieve/", copies=True, fingerprint=True)
    made.desk.device.apply(wanted, made.desk.clearances.keys, 7200)
    made.engine.devices = made.desk.device.devices
    return made


@pytest.fixture
def edge(service: Service) -> NginxEdge:
    return NginxEdge(service.service, service.settings("nginx"), "/.botsieve/")


def posted(edge: NginxEdge, body: bytes, cookie: str = "", **headers: str) -> Reply:
    sent = POSTED | ({"Cookie": cookie} if cookie else {}) | headers
    return ask(edge, at("/.botsieve/d", check("/.botsieve/d", sent), method="POST", body=body))


def test_nginx_is_given_an_id(edge: NginxEdge) -> None:
    """200 with the text to store and the cookie; the next report keeps the device."""
    reply = posted(edge, b"{}")
    assert (reply.status, reply.one("Content-Type"), reply.one("Cache-Control")) == (200, "application/json", "no-store")
    text = json.loads(reply.body)["id"]
    assert reply.one("Set-Cookie").startswith(f"__Host-botsieve_d={text}; Max-Age=7200; Path=/; HttpOnly; SameSite=Lax")
    again = posted(edge, json.dumps({"local": text}).encode(), f"__Host-botsieve_d={text}")
    assert again.status == 200


def test_a_forward_edge_is_given_one_too(service: Service) -> None:
    """A gateway that routes our paths here."""
    edge = ForwardEdge(service.service, service.settings("forward"), "/.botsieve/")
    request = forwarded(POSTED | {"Host": "shop.example"}, target="/.botsieve/d", method="POST", body=b"{}")
    reply = ask(edge, request)
    assert (reply.status, reply.one("Set-Cookie").startswith("__Host-botsieve_d=")) == (200, True)


def test_a_listed_extension_is_refused_from_then_on(edge: NginxEdge, service: Service) -> None:
    """Report, then a page with the id: 403; a page without it passes."""
    cookie = posted(edge, b'{"extensions":["Scraper"]}').one("Set-Cookie").partition(";")[0]
    reply = ask(edge, check("/items/2", PERSON | {"Cookie": cookie}))
    assert (reply.status, reply.one("X-Botsieve-Verdict")) == (403, "block")
    assert "suspicious:Scraper" in reply.one("X-Botsieve-Reasons")
    assert ask(edge, check("/items/2", PERSON)).status == 200
    assert service.decisions() == 2, "a report is no request"


def test_what_reports_show_is_counted(edge: NginxEdge, service: Service) -> None:
    """A first id, an unchanged one, a cookie that is gone, an extension, and what is no report; nothing else of them is kept."""
    first = posted(edge, b"{}")
    text, cookie = json.loads(first.body)["id"], first.one("Set-Cookie").partition(";")[0]
    service.now += 10.0
    copies = json.dumps({"local": text, "indexed": text}).encode()
    assert posted(edge, copies, cookie).status == 200
    service.now += 10.0
    assert posted(edge, copies, "botsieve_t=1").status == 200
    posted(edge, b'{"extensions":["Scraper"]}')
    assert posted(edge, b"[]").status == 400
    counted = {finding: count for finding, count in service.journal.metrics.device_reports.items() if count}
    assert counted == {"new": 2, "none": 1, "cookie_deleted": 1, "suspicious": 1, "refused": 1}


def test_the_script_and_the_library(edge: NginxEdge, service: Service) -> None:
    """`b.js` holds what is on; the library is there under its own name; with everything off neither is."""
    page = check("/")
    assert b"readCopies" in ask(edge, at("/.botsieve/b.js", page)).body
    assert ask(edge, at(f"/.botsieve/{LIBRARY_NAME}", page)).status == 200
    service.desk.device.apply(Wanted(), service.desk.clearances.keys, 7200)
    assert b"readCopies" not in ask(edge, at("/.botsieve/b.js", page)).body
    assert ask(edge, at(f"/.botsieve/{LIBRARY_NAME}", page)).status == 404
    assert posted(edge, b"{}").status == 404


def test_what_is_no_report(edge: NginxEdge) -> None:
    """Cross-site, too large, of another type, malformed; GET is not for reports."""
    assert posted(edge, b"{}", **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert posted(edge, b"{}" + b" " * 5000).status == 413
    assert posted(edge, b"{}", **{"Content-Type": "text/plain"}).status == 415
    assert posted(edge, b"{").status == 400
    assert ask(edge, at("/.botsieve/d", check("/"))).status == 404


_FOR_ALL: list[NginxEdge] = []


@settings(max_examples=80)
@given(body=st.binary(max_size=5000), cookie=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=200))
def test_any_bytes_get_an_answer(tmp_path_factory: pytest.TempPathFactory, body: bytes, cookie: str) -> None:
    """One whole answer of 200 to 499, whatever is posted."""
    if not _FOR_ALL:
        made = Service(tmp_path_factory.mktemp("reports"))
        made.desk.device.apply(Wanted(copies=True, marks=True, fingerprint=True), made.desk.clearances.keys, 7200)
        _FOR_ALL.append(NginxEdge(made.service, made.settings("nginx"), "/.botsieve/"))
    request: Request = at(
        "/.botsieve/d", check("/", POSTED | {"Cookie": f"__Host-botsieve_d={cookie}"}), method="POST", body=body
    )
    assert 200 <= ask(_FOR_ALL[0], request).status < 500
