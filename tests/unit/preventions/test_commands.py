"""botsieve.preventions.commands, against a control socket"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.journal.control import SOCKET_NAME
from botsieve.journal.http_server import listen_unix

from tests.unit.preventions.test_pages import Desk


@contextlib.contextmanager
def answering(desk: Desk, folder: Path) -> Iterator[None]:
    """The pages of a desk on a control socket."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(listen_unix(str(folder / SOCKET_NAME), desk.routes), loop).result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(listener.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(["preventions", *words, "--state-dir", str(folder)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_list_and_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in force, as text and JSON; then none of it is."""
    with answering(Desk(), tmp_path):
        code, out, _ = run(capsys, tmp_path, "list")
        assert code == 0
        first, second, last = out.splitlines()
        assert "203.0.113.7  client  shop  block  Bot Detected (surfing.rapid)  since 2027" in first
        assert first.endswith("refreshes 0 of 120  pages 31 of 30")
        assert "198.51.100.7" in second
        assert last == "2 in force"
        rows = json.loads(run(capsys, tmp_path, "list", "--json", "--client", "198.51.100.7")[1])["preventions"]
        assert [row["client"] for row in rows] == ["198.51.100.7"]
        assert run(capsys, tmp_path, "release", rows[0]["key"])[:2] == (0, "released: 1\n")
        assert run(capsys, tmp_path, "release", rows[0]["key"])[:2] == (1, "released: 0\n")
        assert run(capsys, tmp_path, "release", "--all")[:2] == (0, "released: 1\n")
        assert run(capsys, tmp_path, "list")[1] == "0 in force\n"


def test_wrong_usage_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing named, two things named, no address, no service."""
    assert run(capsys, tmp_path, "release")[0] == 2
    assert run(capsys, tmp_path, "release", "00", "--all")[0] == 2
    with answering(Desk(), tmp_path):
        code, _, err = run(capsys, tmp_path, "list", "--client", "here")
        assert code == 2
        assert "no IPv4 or IPv6 address" in err
    code, _, err = run(capsys, tmp_path, "list")
    assert code == 4
    assert "no service runs" in err
