"""Examples whose neighbours speak more than HTTP requests: WebSocket, gRPC and FastCGI, each to a real server."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

import aiohttp
import grpc
import pytest
from aiohttp import web

from tests.nginx.conftest import StandIn
from tests.nginx.neighbours import Example
from tests.nginx.raw import ask
from tests.nginx.test_examples import PAGE, one_per_verdict
from tests.nginx.test_service import BROWSER
from tests.servers import ServiceProcess, free_port, service_config

# ---- WebSocket, with the real service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a service that challenges everybody below /live/ and blocks where the request says so."""
    folder = tmp_path_factory.mktemp("service")
    policies = """policies:
  - name: site
    mode: enforce
    rules:
      - {name: refused, when: {header: {x-want: "^block$"}}, then: block}
      - {name: guarded, when: {path: /live/}, then: challenge}"""
    with ServiceProcess(service_config(folder, policies, deadline_ms=1000)):
        yield folder


class Echo:
    """An application with a WebSocket at /live/ that sends back what it hears, on a port of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self.opened = 0
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(60)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        app = web.Application()
        app.router.add_get("/live/echo", self._live)
        app.router.add_get("/{path:.*}", self._page)
        runner = web.AppRunner(app)
        self.loop.run_until_complete(runner.setup())
        self.loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", self.port).start())
        started.set()
        self.loop.run_forever()
        self.loop.run_until_complete(runner.cleanup())

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        async for message in socket:
            await socket.send_str(f"echo {message.data}")
        return socket

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=f"app {request.path}\n")

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


def talk(port: int, headers: dict[str, str]) -> list[str]:
    """Opens the WebSocket, says three things, and returns the answers.  aiohttp.WSServerHandshakeError when it is refused."""

    async def conversation() -> list[str]:
        url = f"http://127.0.0.1:{port}/live/echo"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers, timeout=aiohttp.ClientWSTimeout(60)) as socket,
        ):
            heard = []
            for word in ("one", "two", "three"):
                await socket.send_str(word)
                heard.append(await socket.receive_str(timeout=60))
            return heard

    return asyncio.run(conversation())


def test_websocket(service: Path, tmp_path: Path) -> None:
    """A real upgrade.  Without a session it is challenged; with the page's session it passes; a block stays a block."""
    person = dict(line.split(": ", 1) for line in BROWSER if not line.startswith("Sec-Fetch"))
    person["Host"] = "shop.example"  # a session is good for the host that gave it
    app = Echo()
    try:
        with Example(tmp_path, "websocket", service / "check.sock", app_port=app.port) as site:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                talk(site.port, person)
            assert (refused.value.status, app.opened) == (403, 0)
            page = ask(site.port, "/shop", *BROWSER)
            assert (page.status, page.body) == (200, b"app /shop\n")
            (cookie,) = (one.partition(";")[0] for one in page.all("Set-Cookie"))
            assert talk(site.port, person | {"Cookie": cookie}) == ["echo one", "echo two", "echo three"]
            for lines in ({"Cookie": cookie[:-4] + "AAAA"}, {"Cookie": cookie, "X-Want": "block"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    talk(site.port, person | lines)
                assert refused.value.status == 403
            assert app.opened == 1
            assert ask(site.port, "/live/page", *BROWSER).status == 403  # the path is guarded, an upgrade or not
    finally:
        app.stop()


# ---- gRPC


class Shop(grpc.GenericRpcHandler):
    """/shop.v1.Items/Get answers in capitals with trailers; /Talk answers each message before the next one comes."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method == "/shop.v1.Items/Get":
            return grpc.unary_unary_rpc_method_handler(self._get)
        if details.method == "/shop.v1.Items/Talk":
            return grpc.stream_stream_rpc_method_handler(self._talk)
        return None

    def _get(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("shop-trailer", "kept"),))
        if request == b"missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such item")
        return request.upper()

    def _talk(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield request.upper()


def test_grpc(standin: StandIn, tmp_path: Path) -> None:
    """Unary with trailers, its own errors, and a stream that goes to and fro; a refused call is PERMISSION_DENIED."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Shop()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Example(tmp_path, "grpc", standin.socket, app_port=port) as site:
            trust = grpc.ssl_channel_credentials(site.pem.read_bytes())
            with grpc.secure_channel(f"localhost:{site.port}", trust) as channel:
                get = channel.unary_unary("/shop.v1.Items/Get")
                said, call = get.with_call(b"a lamp" * 20_000, timeout=60)
                assert said == b"A LAMP" * 20_000
                assert ("shop-trailer", "kept") in call.trailing_metadata()
                with pytest.raises(grpc.RpcError) as error:
                    get(b"missing", timeout=60)
                assert (error.value.code(), error.value.details()) == (grpc.StatusCode.NOT_FOUND, "no such item")
                for verdict in ("challenge", "block"):
                    for call_of in (lambda more: get(b"x", **more), lambda more: list(talk_on(channel, **more))):
                        with pytest.raises(grpc.RpcError) as error:
                            call_of({"timeout": 60, "metadata": [("x-want", verdict)]})
                        assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED
                assert in_turns(channel) == [b"ONE", b"TWO", b"THREE"]
            assert standin.last()["x-botsieve-uri"] == ["/shop.v1.Items/Talk"]
    finally:
        server.stop(None).wait(60)


def talk_on(channel: grpc.Channel, **more: object) -> Iterator[bytes]:
    """A stream of one message."""
    answers: Iterator[bytes] = channel.stream_stream("/shop.v1.Items/Talk")(iter([b"x"]), **more)
    return answers


def in_turns(channel: grpc.Channel) -> list[bytes]:
    """A stream whose next message is sent only when the last one was answered: nobody on the way may wait for its end."""
    turn = threading.Semaphore(1)
    heard: list[bytes] = []

    def words() -> Iterator[bytes]:
        for word in (b"one", b"two", b"three"):
            assert turn.acquire(timeout=60)
            yield word

    for answer in channel.stream_stream("/shop.v1.Items/Talk")(words(), timeout=120):
        heard.append(answer)
        turn.release()
    return heard


# ---- FastCGI


class Php(StreamRequestHandler):
    """Speaks FastCGI as PHP-FPM does, one request a connection, and answers with the script and what it heard of ours."""

    def handle(self) -> None:
        params, body = b"", b""
        while True:
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", self.rfile.read(8))
            content = self.rfile.read(length)
            self.rfile.read(padding)
            params += content if kind == 4 else b""
            body += content if kind == 5 else b""
            if kind == 5 and not length:
                break
        told = _pairs(params)
        text = f"php {told['SCRIPT_FILENAME'].rpartition('/')[2]} {told['REQUEST_URI']} {told['QUERY_STRING']} {len(body)}\n"
        out = f"Status: 200\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        with suppress(OSError):
            self.wfile.write(struct.pack("!BBHHBB", 1, 6, 1, len(out), 0, 0) + out)
            self.wfile.write(struct.pack("!BBHHBB", 1, 3, 1, 8, 0, 0) + bytes(8))


def _pairs(data: bytes) -> dict[str, str]:
    found, at = {}, 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            wide = data[at] & 0x80
            sizes.append(struct.unpack("!I", data[at : at + 4])[0] & 0x7FFFFFFF if wide else data[at])
            at += 4 if wide else 1
        name, value = data[at : at + sizes[0]], data[at + sizes[0] : at + sum(sizes)]
        found[name.decode()] = value.decode("latin-1")
        at += sum(sizes)
    return found


@contextmanager
def php_at(socket: Path) -> Iterator[None]:
    """Php listens there."""
    with ThreadingUnixStreamServer(str(socket), Php) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(10)


def test_wordpress(standin: StandIn, tmp_path: Path) -> None:
    """Pretty links reach index.php with their query, scripts are run, files are served, and each is judged, counted once."""
    with php_at(tmp_path / "php.sock"), Example(tmp_path, "wordpress", standin.socket) as site:
        for name in ("index.php", "wp-login.php", "style.css"):
            (site.srv / name).write_text("a file\n")
        one_per_verdict(site, "/2026/a-post/?page=2", "php index.php /2026/a-post/?page=2 page=2 0\n")
        one_per_verdict(site, "/", "php index.php /  0\n")
        one_per_verdict(site, "/wp-login.php", "php wp-login.php /wp-login.php  0\n")
        one_per_verdict(site, "/style.css", "a file\n")
        assert ask(site.port, "/missing.php").status == 404
        answer = ask(site.port, "/wp-login.php", method="POST", body=b"x" * 100_000)
        assert answer.body == b"php wp-login.php /wp-login.php  100000\n"
        assert ask(site.port, "/xmlrpc.php", "X-Want: block").body.decode() == PAGE.format("block")
        asked = [dict(seen["headers"]) for seen in standin.seen() if seen["target"] == "/v1/check/nginx"]
        deep = [told["X-Botsieve-Request-Id"] for told in asked if told["X-Botsieve-Uri"] == "/2026/a-post/?page=2"]
        assert len(set(deep)) == 3
