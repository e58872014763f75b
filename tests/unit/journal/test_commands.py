"""botsieve.journal.commands, through the command line"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.cli import main
from botsieve.config import load, loads
from botsieve.config.loader import keep_last_good
from botsieve.journal import Journal, JournalOptions
from botsieve.journal.pause import FILE_NAME

from tests.unit.journal.samples import NOW_S


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Journal]:
    """What of a running service these commands talk to."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    journal = Journal(JournalOptions(state_dir=str(tmp_path), to=None, web_listen=None), lambda: NOW_S)
    journal.config_applied(loads(b"policies: [{name: shop, mode: enforce}, {name: rest}]").rulebook)
    asyncio.run_coroutine_threadsafe(journal.listen(), loop).result(10)
    yield journal
    loop.call_soon_threadsafe(journal.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_pause_and_resume_a_running_service(service: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, with the mode of every policy; doing it twice is no error."""
    for word, said, paused in [
        ("pause", "paused: shop monitor, rest monitor\n", True),
        ("pause", "was paused already: shop monitor, rest monitor\n", True),
        ("resume", "resumed: shop enforce, rest monitor\n", False),
        ("resume", "was not paused: shop enforce, rest monitor\n", False),
    ]:
        assert main([word, "--state-dir", str(tmp_path)]) == 0
        assert capsys.readouterr().out == said
        assert service.paused is paused


def test_without_a_service_the_next_start_obeys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is written and removed, and the command says that nobody runs."""
    assert main(["pause", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no service runs in {tmp_path}: it will start paused\n"
    assert (tmp_path / FILE_NAME).exists()
    assert main(["resume", "--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no service runs in {tmp_path}: the pause is over\n"
    assert not (tmp_path / FILE_NAME).exists()


def test_the_configuration_names_the_directory(tmp_path: Path) -> None:
    """`--config FILE` is enough."""
    config = tmp_path / "botsieve.yaml"
    config.write_text(f"state: {{dir: {tmp_path}}}\n")
    assert main(["pause", "--config", str(config)]) == 0
    assert (tmp_path / FILE_NAME).exists()


def test_a_directory_that_is_missing_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error must not look like a pause: exit code 4, nothing is made."""
    assert main(["pause", "--state-dir", str(tmp_path / "typo")]) == 4
    assert "no such directory; accepted: the state.dir of a service" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_a_broken_configuration_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3 with the mistake, 5 when there is no such file."""
    config = tmp_path / "botsieve.yaml"
    config.write_text(f"stat: {{}}\nstate: {{dir: {tmp_path}}}\n")
    assert main(["pause", "--config", str(config)]) == 3
    assert "stat" in capsys.readouterr().err
    assert main(["resume", "--config", str(tmp_path / "missing.yaml")]) == 5


def test_a_mistake_in_the_file_does_not_keep_from_pausing(
    service: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The moment one wants to pause is the one after a bad edit: the service runs with the last good file, and is found by it."""
    config = tmp_path / "botsieve.yaml"
    config.write_text(f"state: {{dir: {tmp_path}}}\n")
    keep_last_good(load(config))
    config.write_text(f"state: {{dir: {tmp_path}}}\npolicies: [{{name: shop, mode: enforced}}]\n")
    assert main(["pause", "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert said.out == "paused: shop monitor, rest monitor\n"
    assert "policies[0].mode" in said.err
    assert "the last good one says where the service is" in said.err
    assert service.paused


def test_a_service_that_hangs_is_paused_when_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot answer, and it need not: the file is there when it looks."""
    monkeypatch.setattr("botsieve.journal.control._TIMEOUT_S", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/control.sock")
        silent.listen()
        assert main(["pause", "--state-dir", str(tmp_path)]) == 0
        assert "it will be paused as soon as it goes on" in capsys.readouterr().out
        assert (tmp_path / FILE_NAME).exists()
        assert main(["resume", "--state-dir", str(tmp_path)]) == 0
        assert not (tmp_path / FILE_NAME).exists()
        assert main(["preventions", "list", "--state-dir", str(tmp_path)]) == 4
        assert "no answer within 0.1 s" in capsys.readouterr().err
