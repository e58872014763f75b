"""nginx enforces what the service says: one request per verdict, on http and https, and nothing of ours leaks."""

from __future__ import annotations

import json

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.servers import Site, wait_until

TLS = pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])


@TLS
def test_allow(site: Site, tls: bool) -> None:
    """An allowed request reaches the application, whose answer comes back whole and without a header of ours."""
    answer = ask(site.https_port if tls else site.http_port, "/items/1?a=b", tls=tls)
    assert (answer.status, answer.body) == (200, b"app GET /items/1?a=b\n")
    assert answer.all("X-App") == ["app"]
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-botsieve")]


@TLS
@pytest.mark.parametrize("verdict", ["challenge", "block"])
def test_refused(site: Site, standin: StandIn, verdict: str, tls: bool) -> None:
    """A refused request gets the page of the second hop, in place, and never reaches the application."""
    answer = ask(site.https_port if tls else site.http_port, "/items/1", f"X-Want: {verdict}", tls=tls)
    assert (answer.status, answer.body) == (403, f"page {verdict} 7k3m-9x2q-f4d1-p8wz\n".encode())
    assert not answer.all("Location")
    told = standin.last("/v1/page")
    assert told["x-botsieve-verdict"] == [verdict]
    assert told["x-botsieve-uri"] == ["/items/1"]
    assert told["x-botsieve-score"] == ["75"]


@TLS
def test_post_with_body(site: Site, standin: StandIn, tls: bool) -> None:
    """The question is a GET without body, whatever was asked; a refused POST gets its page too."""
    port = site.https_port if tls else site.http_port
    body = b"x" * 200_000
    assert ask(port, "/form", method="POST", body=body, tls=tls).body == b"app POST /form\n"
    told = [seen for seen in standin.seen() if seen["target"] == "/v1/check/nginx"][-1]
    assert told["line"] == "GET /v1/check/nginx HTTP/1.1"
    assert told["body"] == ""
    assert standin.last()["x-botsieve-method"] == ["POST"]
    assert "content-length" not in standin.last()
    assert ask(port, "/form", "X-Want: block", method="POST", body=body, tls=tls).status == 403


def test_first_table_of_headers(site: Site, standin: StandIn) -> None:
    """What docs/headers.md says nginx tells, once each, with the values of this request."""
    ask(site.https_port, "/a%20b?c=%2F", "User-Agent: test/1", "Authorization: Basic eA==", tls=True)
    told = standin.last()
    expected = {
        "x-botsieve-client-addr": "127.0.0.1",
        "x-botsieve-peer-addr": "127.0.0.1",
        "x-botsieve-method": "GET",
        "x-botsieve-uri": "/a%20b?c=%2F",
        "x-botsieve-host": "shop.example",
        "x-botsieve-scheme": "https",
        "x-botsieve-http": "HTTP/1.1",
        "x-botsieve-edge": "1 order tls",
        "user-agent": "test/1",
        "host": "botsieve",
    }
    assert {name: told[name] for name in expected} == {name: [value] for name, value in expected.items()}
    assert len(told["x-botsieve-request-id"][0]) == 32
    assert float(told["x-botsieve-time"][0]) > 1.7e9
    assert len(told["x-botsieve-header-order"][0]) == 12
    assert told["x-ja4-fingerprint"][0].startswith("t13")
    assert len(told["x-ja3-fingerprint"][0]) == 32
    assert told["x-botsieve-tls-sig"][0].startswith("t13")
    assert told["x-botsieve-unjudged"][0].isdigit()
    assert "authorization" not in told
    assert "x-botsieve-tls-error" not in told


def test_plain_http_says_that_it_sees_no_tls(site: Site, standin: StandIn) -> None:
    """Without TLS there is no fingerprint, and the edge does not claim to see one."""
    ask(site.http_port)
    told = standin.last()
    assert told["x-botsieve-edge"] == ["1 order"]
    assert not {"x-ja3-fingerprint", "x-ja4-fingerprint", "x-botsieve-tls-sig"} & set(told)


def test_websocket_is_known(site: Site, standin: StandIn) -> None:
    """The service sees an Upgrade; without one there is none."""
    ask(site.http_port, "/ws", "Upgrade: websocket")
    assert standin.last()["upgrade"] == ["websocket"]
    ask(site.http_port, "/ws")
    assert "upgrade" not in standin.last()


def test_own_paths(site: Site, standin: StandIn) -> None:
    """The question cannot be asked from outside; what the pages post goes to the service with the facts about the client."""
    assert ask(site.http_port, "/_botsieve/check").status == 404
    answer = ask(site.https_port, "/.botsieve/solve", "X-JA4-Fingerprint: forged", method="POST", body=b"{}", tls=True)
    assert answer.status == 204
    assert answer.all("Set-Cookie") == ["botsieve_c=1"]
    told = standin.last("/.botsieve/solve")
    assert told["x-ja4-fingerprint"][0].startswith("t13")
    assert told["x-botsieve-client-addr"] == ["127.0.0.1"]
    assert [seen["body"] for seen in standin.seen() if seen["target"] == "/.botsieve/solve"] == ["{}"]


def test_access_log(site: Site) -> None:
    """The line of docs/access-log.md, with verdict and fingerprint."""
    ask(site.https_port, "/logged", "X-Want: challenge", 'User-Agent: "quoted"', tls=True)
    wait_until(lambda: '"uri":"/logged"' in site.access_log.read_text(), what="the line of the log")
    line = json.loads(next(line for line in site.access_log.read_text().splitlines() if '"/logged"' in line))
    assert (line["uri"], line["status"], line["verdict"], line["score"]) == ("/logged", 403, "challenge", "75")
    assert line["ja4"].startswith("t13")
    assert line["user_agent"] == '"quoted"'
    assert line["edge"] == "1 order tls"


def test_large_answer_fits(site: Site) -> None:
    """2 KB of headers are taken as an answer."""
    assert ask(site.http_port, "/", "X-Want: big").status == 200
