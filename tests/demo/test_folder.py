"""What the demo writes before it starts."""

from __future__ import annotations

import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from botsieve.cli import main as botsieve
from botsieve.demo.folder import choose_ports, plainly_named, service_config, write_folder
from botsieve.demo.nginx_conf import Ports
from botsieve.errors import MachineError

from tests.conftest import free_port

PORTS = Ports(http=1, https=2, shop=3, backup=4, web=5)


def test_ports_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """BOTSIEVE_HTTP_PORT and BOTSIEVE_HTTPS_PORT override; the other ports are free ones."""
    http, https = free_port(), free_port()
    monkeypatch.setenv("BOTSIEVE_HTTP_PORT", str(http))
    monkeypatch.setenv("BOTSIEVE_HTTPS_PORT", str(https))
    ports = choose_ports()
    assert (ports.http, ports.https) == (http, https)
    assert len({ports.http, ports.https, ports.shop, ports.backup, ports.web}) == 5


def test_a_port_in_use_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the port and the variable that chooses another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("BOTSIEVE_HTTP_PORT", str(port))
        with pytest.raises(MachineError, match=rf"port {port} .*BOTSIEVE_HTTP_PORT=PORT make run"):
            choose_ports()


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "8080 ", "٨"])
def test_what_is_no_port_is_said(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted is 1 to 65535."""
    monkeypatch.setenv("BOTSIEVE_HTTPS_PORT", text)
    with pytest.raises(MachineError, match="accepted: 1 to 65535"):
        choose_ports()


def test_one_port_for_both_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """http and https need a port each."""
    port = str(free_port())
    monkeypatch.setenv("BOTSIEVE_HTTP_PORT", port)
    monkeypatch.setenv("BOTSIEVE_HTTPS_PORT", port)
    with pytest.raises(MachineError, match="apart"):
        choose_ports()


@pytest.mark.parametrize("name", ["a" * 120, "My Projects", "jörg", "50%"])
def test_a_clone_may_have_any_name(tmp_path: Path, name: str) -> None:
    """A socket address holds 107 bytes, an nginx file no blank: such a folder is used under another name, and that goes afterwards."""
    short = Path(tempfile.mkdtemp(prefix="bs-"))
    with plainly_named(short / ".run") as plain:
        assert plain == short / ".run"
    run = tmp_path / name / ".run"
    with plainly_named(run) as plain:
        assert plain != run
        write_folder(plain, PORTS)
        assert (run / "nginx/botsieve/http.conf").is_file()
    assert run.is_dir()
    assert not plain.parent.exists()
    shutil.rmtree(short)


@pytest.mark.parametrize("lua", [True, False])
def test_the_configuration_is_accepted(lua: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`botsieve check-config` finds no mistake in what the demo writes."""
    file = tmp_path / "botsieve.yaml"
    file.write_text(service_config(tmp_path, PORTS, tmp_path / "check.sock", lua=lua))
    code = botsieve(["check-config", str(file)])
    assert code == 0, capsys.readouterr()


def test_everything_lies_in_the_folder(tmp_path: Path) -> None:
    """Configuration, includes, nginx.conf and a key that only the owner reads."""
    run = tmp_path / ".run"
    check_socket = write_folder(run, PORTS)
    for name in (
        "botsieve.yaml",
        "nginx/nginx.conf",
        "nginx/botsieve/http.conf",
        "nginx/botsieve/protect.conf",
        "certificate.pem",
    ):
        assert (run / name).is_file(), name
    assert stat.S_IMODE((run / "key.pem").stat().st_mode) == 0o600
    assert str(check_socket) in (run / "nginx/botsieve/http.conf").read_text()
    assert [path.name for path in tmp_path.iterdir()] == [".run"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file where the folder should be is named."""
    (tmp_path / ".run").write_text("")
    with pytest.raises(MachineError, match="cannot write the demo's folder"), plainly_named(tmp_path / ".run"):
        pass
    with pytest.raises(MachineError, match="cannot write the demo's folder"):
        write_folder(tmp_path / ".run", PORTS)
