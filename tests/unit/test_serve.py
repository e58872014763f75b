"""botsieve.serve: the parts of it that need no process; the process itself is tests/service."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import socket
from pathlib import Path

import msgspec
import pytest
from botsieve import serve
from botsieve.attacks.visits import SharedSession
from botsieve.config.loader import loads
from botsieve.config.watch import Reload
from botsieve.errors import MachineError
from botsieve.serve import Server

from tests.transports.edge_harness import CURL, check

CONFIG = """
policies: [{{name: shop, mode: {mode}, audience: browser}}]
edges: {{nginx: {{listen: "unix:{at}/s", socket_group: null, on_late: {on_late}}}}}
challenge: {{keys_file: {at}/keys, prefix: {prefix}}}
state: {{dir: {at}}}
journal: {{decisions: {{to: {at}/log}}}}
privacy: {{addresses: {addresses}}}
web: {{listen: null}}
"""


def text(at: Path, **changed: str) -> bytes:
    facts = {"mode": "enforce", "on_late": "allow", "prefix": "/.botsieve/", "addresses": "full"} | changed
    return CONFIG.format(at=at, **facts).encode()


def server_of(at: Path, **changed: str) -> Server:
    return Server(loads(text(at, **changed)), None)


def test_a_reload_reaches_every_part(tmp_path: Path) -> None:
    """Policies, on_late and the prefix of our own paths are swapped at once; the state stays."""
    server = server_of(tmp_path)
    edge, world = server._nginx, server.engine.world
    assert b" 403 " in edge.handle(check("/", CURL))
    server._applied(Reload(loads(text(tmp_path, mode="monitor", on_late="block", prefix="/.other/"))))
    assert b" 200 " in edge.handle(check("/a", CURL))
    assert edge.settings.on_late == "block"
    assert edge.prefix == b"/.other/"
    assert server.engine.world is world
    server.journal.close()


def test_a_reload_that_the_journal_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key for addresses that cannot be made: said; the policies are applied all the same, and later reloads too."""
    server = server_of(tmp_path)
    state = msgspec.structs.replace(server.loaded.service.state, dir=str(tmp_path / "log" / "x"))
    wanted = loads(text(tmp_path, mode="monitor", addresses="hmac"))
    wanted = msgspec.structs.replace(wanted, service=msgspec.structs.replace(wanted.service, state=state))
    server._applied(Reload(wanted))
    assert "the journal goes on as it was" in capsys.readouterr().err
    assert b" 200 " in server._nginx.handle(check("/", CURL))
    server.journal.close()


def test_what_needs_a_restart_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each key, and one for each warning."""
    server = server_of(tmp_path)
    server._applied(Reload(server.loaded, ("state.dir",), ("a note",)))
    said = capsys.readouterr().err
    assert "botsieve: state.dir takes effect at the next start\n" in said
    assert "botsieve: a note\n" in said
    server.journal.close()


def test_a_refused_start_leaves_nothing(tmp_path: Path) -> None:
    """When one listener cannot be had, those that were open already are closed again, and their files removed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        loaded = loads(text(tmp_path).replace(b"web: {listen: null}", b"web: {listen: '127.0.0.1:%d'}" % port))
        with pytest.raises(MachineError, match=f"web.listen: 127.0.0.1:{port}"):
            asyncio.run(_start(loaded))
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "control.sock").exists()


async def _start(loaded: object) -> None:
    server = Server(loaded, None)  # type: ignore[arg-type]
    await server.run(0.0, [])


def test_ready_comes_when_it_answers_and_the_pause_is_known_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At `ready` every listener is there; a pause of before the start is in force before the first of them opens."""
    (tmp_path / "paused").touch()

    async def life() -> None:
        server = Server(loads(text(tmp_path)), None)
        listening = server._listen

        async def watched() -> list[str]:
            assert server.engine.rulebook.paused
            return await listening()

        server._listen = watched  # type: ignore[method-assign]
        task = asyncio.create_task(server.run(0.0, ["a note"]))
        while not server.journal.is_ready:
            await asyncio.sleep(0)
        assert (tmp_path / "s").exists()
        os.kill(os.getpid(), signal.SIGTERM)
        await task

    try:
        asyncio.run(life())
    finally:
        gc.enable()
        gc.unfreeze()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "botsieve: a note"
    assert lines[-1].startswith("ready nginx=unix:")
    assert "shop=paused" in lines[-1]
    assert not (tmp_path / "s").exists()


def test_open_files() -> None:
    """The usual limit of 1,024 open files is raised as far as the machine allows, at most to what is needed."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        serve._allow_files()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert hard == before[1]
        assert soft == min(before[1], serve._MAX_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_drain_fits_into_5_s() -> None:
    """What is in flight, then what the log still has to write (2 s)."""
    assert serve.DRAIN_S + 2.0 <= 4.75


def test_a_session_that_a_cache_gave_away_is_told(tmp_path: Path) -> None:
    """Once each; the log names the policy, how many networks, when the answer left us, and where to look."""
    server = server_of(tmp_path)
    server.engine.attacks.openings.visits.news.append(SharedSession("shop", 1_800_000_000, 9))
    server._tell_shared()
    server._tell_shared()
    server.journal.close()
    (line,) = [line for line in (tmp_path / "log").read_text().splitlines() if "session_shared" in line]
    told = json.loads(line)
    assert {key: told[key] for key in ("level", "policy", "networks", "opened", "see")} == {
        "level": "warning",
        "policy": "shop",
        "networks": 9,
        "opened": "2027-01-15T08:00:00.000Z",
        "see": "botsieve nginx check",
    }
