"""botsieve.journal.http_server"""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.journal.http_server import MAX_CONNECTIONS, MAX_HEAD, Answer, Routes, answer, as_json, listen_tcp, listen_unix
from hypothesis import given
from hypothesis import strategies as st

ROUTES: Routes = {
    ("GET", "/plain"): lambda rest: as_json({"rest": rest}),
    ("GET", "/things/"): lambda rest: as_json({"rest": rest}),
    ("POST", "/things/"): lambda rest: Answer(b"posted " + rest.encode(), content_type="text/plain"),
}


@pytest.mark.parametrize(
    ("method", "path", "status", "part"),
    [
        ("GET", "/plain", 200, b'"rest":""'),
        ("HEAD", "/plain", 200, b'"rest":""'),
        ("GET", "/things/a/b", 200, b'"rest":"a/b"'),
        ("POST", "/things/a", 200, b"posted a"),
        ("POST", "/plain", 405, b"accepted: GET"),
        ("GET", "/plainer", 404, b"accepted: GET /plain"),
        ("GET", "/things/", 404, b"accepted"),
        ("GET", "/", 404, b"accepted"),
    ],
)
def test_paths_and_methods(method: str, path: str, status: int, part: bytes) -> None:
    """An unknown path and a wrong method say what would be accepted."""
    found = answer(ROUTES, method, path)
    assert found.status == status
    assert part in found.body


def run(talk: Callable[[str], Awaitable[None]]) -> None:
    """Starts a server on a free port and talks to it."""

    async def main() -> None:
        listener = await listen_tcp("127.0.0.1:0", ROUTES)
        try:
            await talk(listener.address)
        finally:
            listener.close()

    asyncio.run(main())


async def say(address: str, data: bytes) -> bytes:
    """Sends bytes and the end of the stream, returns the whole answer."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    writer.write_eof()
    got = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return got


def test_a_request_gets_one_whole_answer() -> None:
    """Status line, length, body, closed; the query is not looked at."""

    async def talk(address: str) -> None:
        got = await say(address, b"GET /plain?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n")
        assert body == b'{"rest":""}\n'
        assert (await say(address, b"HEAD /plain HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n")

    run(talk)


def test_a_request_may_come_in_pieces() -> None:
    """Byte by byte is as good as at once."""

    async def talk(address: str) -> None:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for byte in b"GET /plain HTTP/1.1\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()

    run(talk)


@given(
    st.lists(
        st.binary(min_size=1, max_size=300) | st.just(b"\r\n\r\n") | st.just(b"GET /plain HTTP/1.1\r\n"), min_size=1, max_size=4
    )
)
def test_any_bytes_give_an_answer_or_a_closed_connection(parts: list[bytes]) -> None:
    """And the server goes on: the next well-formed request is answered."""

    async def talk(address: str) -> None:
        got = await say(address, b"".join(parts))
        assert got == b"" or got.startswith(
            (b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 431")
        )
        assert (await say(address, b"GET /plain HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")

    run(talk)


def test_a_head_without_end_is_refused() -> None:
    """At 8 KiB, not at the end of the memory."""

    async def talk(address: str) -> None:
        assert b"431" in (await say(address, b"GET /plain HTTP/1.1\r\nA: " + b"a" * MAX_HEAD)).splitlines()[0]

    run(talk)


def test_the_number_of_connections_is_bounded() -> None:
    """One more than allowed is told so; when the others are gone there is room again."""

    async def talk(address: str) -> None:
        host, _, port = address.rpartition(":")
        held = [await asyncio.open_connection(host, int(port)) for _ in range(MAX_CONNECTIONS)]
        assert b"503" in (await say(address, b"")).splitlines()[0]
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        assert b"200" in (await say(address, b"GET /plain HTTP/1.1\r\n\r\n")).splitlines()[0]

    run(talk)


def test_the_control_socket_is_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600 from its first moment, and gone after `close`."""

    async def main() -> None:
        path = tmp_path / "control.sock"
        listener = await listen_unix(str(path), ROUTES)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        listener.close()
        assert not path.exists()

    asyncio.run(main())


def test_a_socket_left_by_a_killed_service_is_replaced(tmp_path: Path) -> None:
    """Nobody answers on it: it is removed and made anew."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def main() -> None:
        (await listen_unix(str(path), ROUTES)).close()

    asyncio.run(main())


def test_two_services_do_not_share_a_directory(tmp_path: Path) -> None:
    """Somebody answers on it: the second service says so and leaves the first alone."""

    async def main() -> None:
        path = tmp_path / "control.sock"
        first = await listen_unix(str(path), ROUTES)
        with pytest.raises(MachineError, match=r"another botsieve uses this state\.dir"):
            await listen_unix(str(path), ROUTES)
        assert path.exists()
        first.close()

    asyncio.run(main())


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:", "127.0.0.1:x", ":80", "127.0.0.1:65536"])
def test_a_wrong_address_is_a_clear_error(listen: str) -> None:
    """The error names the key and what would be accepted."""
    with pytest.raises(MachineError, match=r"^web\.listen: .*; accepted: 127\.0\.0\.1:9482"):
        asyncio.run(listen_tcp(listen, ROUTES))


def test_a_port_in_use_is_a_clear_error() -> None:
    """The error names the key and the address."""

    async def talk(address: str) -> None:
        with pytest.raises(MachineError, match=rf"^web\.listen: {address}: Address already in use; accepted: a free port"):
            await listen_tcp(address, ROUTES)

    run(talk)


@pytest.mark.parametrize("name", ["no/control.sock", "a" * 120])
def test_a_directory_that_cannot_hold_the_socket_is_a_clear_error(tmp_path: Path, name: str) -> None:
    """A file in its place, or too long a path for the kernel.  One that is missing is made."""
    (tmp_path / "no").write_text("")
    with pytest.raises(MachineError, match="accepted: a"):
        asyncio.run(listen_unix(str(tmp_path / name), ROUTES))
