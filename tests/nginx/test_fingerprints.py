"""The fingerprint that the service hears of is that of the very ClientHello, for real clients through nginx."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lua import hellos
from tests.lua.ja import Prints
from tests.nginx import clients
from tests.nginx.conftest import StandIn
from tests.nginx.tee import Tee
from tests.servers import Site, wait_until

SEEN = ("x-ja3-fingerprint", "x-ja4-fingerprint", "x-botsieve-tls-sig")


class Watch:
    """What the service has heard since the last question, beside what the tee saw."""

    def __init__(self, standin: StandIn, tee: Tee) -> None:
        self.standin, self.tee = standin, tee
        self.mark = len(standin.seen())
        self.url = f"https://localhost:{tee.port}/"

    def heard(self) -> list[tuple[str, ...]]:
        """JA3 hash, JA4 and stable form of each question."""
        questions = [seen for seen in self.standin.seen()[self.mark :] if seen["target"] == "/v1/check/nginx"]
        named = [{name.lower(): value for name, value in seen["headers"]} for seen in questions]
        return [tuple(headers.get(name, "") for name in SEEN) for headers in named]

    def agrees(self, *, connections: int, requests: int) -> list[Prints]:
        """So many connections and questions, each question with the print of its connection."""
        prints = self.tee.prints()
        heard = self.heard()
        assert len(prints) == connections
        assert len(heard) == requests
        assert set(heard) == {(p.ja3_hash, p.ja4, p.stable) for p in prints}
        return prints


def watch(standin: StandIn, port: int) -> Iterator[Watch]:
    with Tee(port) as tee:
        yield Watch(standin, tee)


@pytest.fixture
def seen(site: Site, standin: StandIn) -> Iterator[Watch]:
    """A tee of this test in front of the site."""
    yield from watch(standin, site.https_port)


@pytest.mark.parametrize("name", clients.CLIENTS)
def test_real_client(seen: Watch, name: str) -> None:
    """JA3, JA4 and the stable form equal an independent computation from the bytes on the wire."""
    clients.CLIENTS[name](seen.url)
    seen.agrees(connections=1, requests=1)


def test_keep_alive(seen: Watch) -> None:
    """Each request of a kept connection has its print, on HTTP/1.1 and HTTP/2."""
    clients.by_requests(seen.url, 5)
    seen.agrees(connections=1, requests=5)
    clients.by_httpx(seen.url, http2=True, n=5)
    seen.agrees(connections=2, requests=10)


def test_parallel_streams(seen: Watch) -> None:
    """20 streams at once over one HTTP/2 connection."""
    clients.by_httpx_parallel(seen.url, 20)
    seen.agrees(connections=1, requests=21)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_resumed(seen: Watch, tmp_path: Path, version: str) -> None:
    """A resumed connection has a print too; its stable form is that of the first."""
    clients.openssl_resumed(seen.url, tmp_path, version)
    first, second = seen.agrees(connections=2, requests=2)
    assert first.stable == second.stable
    assert (first.ja4 == second.ja4) is (version == "-tls1_2")


def test_resumed_by_session_id(standin: StandIn, tmp_path: Path) -> None:
    """TLS 1.2 without tickets: resumed from nginx's own cache."""
    server = "ssl_session_tickets off; ssl_session_cache shared:s:1m;"
    with Site(tmp_path, standin.socket, server=server, patient=True) as site:
        for seen in watch(standin, site.https_port):
            clients.openssl_resumed(seen.url, tmp_path, "-tls1_2", "-no_ticket")
            seen.agrees(connections=2, requests=2)


def test_hello_retry_request(standin: StandIn, tmp_path: Path) -> None:
    """Asked to say hello again, the client keeps the print of its first hello."""
    with Site(tmp_path, standin.socket, server="ssl_ecdh_curve secp521r1;", patient=True) as site:
        for seen in watch(standin, site.https_port):
            said = clients.openssl(seen.url, "-tls1_3", "-groups", "X25519:P-521", "-msg")
            assert said.count("ClientHello") == 2
            seen.agrees(connections=1, requests=1)
            clients.curl("--http2")(seen.url)
            seen.agrees(connections=2, requests=2)


def test_chrome_shuffles_but_stays_itself(seen: Watch) -> None:
    """The extension order of Chrome changes with every connection: JA3 differs, JA4 does not."""
    for _ in range(4):
        clients.CLIENTS["curl_cffi chrome131"](seen.url)
    prints = seen.agrees(connections=4, requests=4)
    assert len({p.ja3 for p in prints}) > 1
    assert len({p.ja4 for p in prints}) == 1


def test_internal_redirects_keep_it(standin: StandIn, tmp_path: Path) -> None:
    """nginx asks again after try_files, index and error_page: same request id, same print, also in a named location."""
    (tmp_path / "root" / "d").mkdir(parents=True)
    (tmp_path / "root" / "d" / "index.html").write_text("app index\n")
    (tmp_path / "root" / "oops.html").write_text("app oops\n")
    locations = f"""
        root {tmp_path}/root;
        location / {{ PROTECT try_files $uri $uri/ @named; }}
        location @named {{ PROTECT TO_APP }}
        location /oops {{ PROTECT error_page 404 /oops.html; }}
    """
    with Site(tmp_path, standin.socket, locations=locations, patient=True) as site:
        for path, questions in (("d/", 2), ("nothing", 2), ("oops", 2)):
            for seen in watch(standin, site.https_port):
                clients.curl("--http2")(seen.url + path)
                seen.agrees(connections=1, requests=questions)
                asked = standin.seen()[-questions:]
                ids = {dict(map(tuple, request["headers"]))["X-Botsieve-Request-Id"] for request in asked}
                assert len(ids) == 1


@pytest.mark.parametrize("name", [*hellos.JA3_PUBLISHED, *hellos.JA4_PUBLISHED])
def test_no_hello_breaks_a_worker(site: Site, name: str) -> None:
    """Hand-made hellos, which end in a failed handshake at the latest, leave nginx as it was."""
    body = {**hellos.JA3_PUBLISHED, **hellos.JA4_PUBLISHED}[name][0]
    message = b"\1" + len(body).to_bytes(3, "big") + body
    pids = site.worker_pids()
    for size in (7, 16384):
        with socket.create_connection(("127.0.0.1", site.https_port), timeout=60) as connection:
            for at in range(0, len(message), size):
                part = message[at : at + size]
                connection.sendall(b"\x16\3\1" + len(part).to_bytes(2, "big") + part)
            connection.recv(1)
    assert site.worker_pids() == pids


def test_sslv2_hello(site: Site) -> None:
    """A hello in the format of SSL 2 has no print, and the log says why; the handshake is left to OpenSSL."""
    ciphers = b"".join(b"\0" + code.to_bytes(2, "big") for code in (0xC02B, 0xC02F, 0x00FF))
    message = b"\1\3\3" + len(ciphers).to_bytes(2, "big") + b"\0\0\0\x20" + ciphers + bytes(32)
    with socket.create_connection(("127.0.0.1", site.https_port), timeout=60) as connection:
        connection.sendall((0x8000 | len(message)).to_bytes(2, "big") + message)
        assert connection.recv(1)  # OpenSSL's answer, or its alert: our certificate cannot be used without signature algorithms
    said = "botsieve: no TLS fingerprint: sslv2 hello"
    wait_until(lambda: said in site.error_log.read_text("utf-8", "replace"), what="the line of the log")
