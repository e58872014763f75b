"""Starting `botsieve serve`: what it says when it can, and what when it cannot; exit codes of docs/names.md."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time

import pytest
from botsieve.config.loader import LAST_GOOD

from tests.conftest import free_port, stop
from tests.pace import in_time
from tests.service.running import Place, environment


def test_ready_is_the_last_line_and_true(at: Place) -> None:
    """One line, last, with listeners, policies and modes; at that moment every listener answers; at most 2 s after the start."""
    port = free_port()
    at.write(
        edges=f"  forward: {{listen: '127.0.0.1:{port}', trusted: [127.0.0.0/8]}}\n  grpc: {{listen: 'unix:{at.folder}/grpc'}}\n"
    )
    with at.start() as service:
        (line,) = service.output.splitlines()
        listeners = f"nginx=unix:{at.socket} forward=127.0.0.1:{port} grpc=unix:{at.folder}/grpc web=127.0.0.1:{at.web_port}"
        assert line.startswith(f"ready {listeners} policies: shop=enforce config=")
        assert re.search(r" config=[0-9a-f]{12} in [0-9.]+ s$", line)
        assert at.ask().verdict == "allow"
        assert at.web("/readyz")[0] == 200
        with socket.create_connection(("127.0.0.1", port), timeout=30):
            pass


def test_a_key_that_everybody_can_read_is_told_at_the_start(at: Place) -> None:
    """Before `ready`, with the file and what to do; it starts."""
    at.write()
    with at.start() as service:
        assert "keys_file" not in service.output
    (at.state / "keys").chmod(0o644)
    with at.start() as service:
        note, ready = service.output.splitlines()
        assert note.startswith(
            f"botsieve: challenge.keys_file: {at.state}/keys: every user of this machine may read it (mode 0644)"
        )
        assert ready.startswith("ready ")


@pytest.mark.realtime
def test_ready_within_2_s(at: Place) -> None:
    """From exec to `ready`: the best of three starts, since the machine may be busy."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        with at.start():
            took.append(time.monotonic() - began)
    print(f"ready after {min(took):.2f} s (best of {[round(one, 2) for one in took]})")
    assert in_time(min(took), 2.0)


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("policies: [\n", r"botsieve\.yaml:\d+: .*accepted"),
        ("policies: [{name: a}]\npolicys: []\n", r"botsieve\.yaml:2: policys: .*accepted.*policies"),
        ("policies: [{name: a, modus: enforce}]\n", r"botsieve\.yaml:1: policies\[0\]\.modus: .*accepted"),
        ("policies: []\n", r"botsieve\.yaml:1: policies: .*accepted"),
        ("policies: [{name: a}]\nsessions: {idle_s: 30m}\n", r"botsieve\.yaml:2: sessions\.idle_s: .*accepted"),
        ("policies: [{name: a}]\npolicies: [{name: b}]\n", r"botsieve\.yaml:\d+: .*policies.*accepted"),
    ],
    ids=["broken", "unknown", "unknown below", "empty", "unit", "twice"],
)
def test_configurations_that_are_refused(at: Place, policies: str, said: str) -> None:
    """Exit 3, file and line, key path, what is wrong and what would be accepted; no traceback, no socket."""
    at.write(policies)
    code, output = at.refused()
    assert code == 3, output
    assert re.search(said, output), output
    assert "Traceback" not in output
    assert not at.socket.exists()


def test_no_such_file(at: Place) -> None:
    """Exit 5: there is nothing to read."""
    at.config.unlink()
    code, output = at.refused()
    assert code == 5
    assert "there is no such file" in output


def test_wrong_usage(at: Place) -> None:
    """Exit 2."""
    done = subprocess.run(
        [sys.executable, "-m", "botsieve", "serve", "--nonsense"],
        capture_output=True,
        check=False,
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 2


def test_a_bad_file_starts_with_the_last_good_one(at: Place) -> None:
    """A restart is no worse than a reload: the last good text serves, and the mistakes are said before `ready`."""
    with at.start() as service:
        assert service.stop() == 0
    at.write("policies: []\n")
    with at.start() as service:
        assert "botsieve.yaml:1: policies:" in service.output
        assert service.output.splitlines()[-1].startswith("ready ")
        assert at.ask().verdict == "allow"


# ---- the machine


def lines_of(output: str) -> list[str]:
    assert "Traceback" not in output, output
    return [line for line in output.splitlines() if line.startswith("botsieve: ")]


def refused_by_the_machine(at: Place, key: str, *, powerless: bool = False) -> str:
    """Exit 4 and one clear message about a key."""
    code, output = at.refused(powerless=powerless)
    assert code == 4, output
    (line,) = lines_of(output)
    assert line.startswith(f"botsieve: {key}: "), line
    assert "; accepted: " in line
    return line


def test_socket_path_not_writable(at: Place) -> None:
    """A folder where this user may not write."""
    locked = at.folder / "locked"
    locked.mkdir(mode=0o500)
    at.socket = locked / "s"
    at.write()
    assert "Permission denied" in refused_by_the_machine(at, "edges.nginx.listen", powerless=True)


def test_socket_folder_missing(at: Place) -> None:
    """A folder that is not there is made, as /run/botsieve after a boot; a whole path of them is a mistake, and nothing stopped
    that never ran."""
    at.socket = at.folder / "none" / "none" / "s"
    at.write()
    assert "No such file or directory" in refused_by_the_machine(at, "edges.nginx.listen")
    assert "service_stopped" not in at.log.read_text()
    at.socket = at.folder / "run" / "s"
    at.write()
    with at.start():
        assert at.ask().verdict == "allow"


def test_socket_in_use_by_another_service(at: Place) -> None:
    """The second one is refused, and the first one goes on: its socket file stays."""
    with at.start():
        at.state = at.folder / "other"
        at.web_port = free_port()
        at.write()
        assert "another service listens there" in refused_by_the_machine(at, "edges.nginx.listen")
        assert at.ask().verdict == "allow"


def test_state_dir_in_use_by_another_service(at: Place) -> None:
    """Two services with one state.dir: the second is refused, the first keeps socket and control socket."""
    with at.start():
        first = at.socket
        at.socket = at.folder / "second.sock"
        at.web_port = free_port()
        at.write()
        code, output = at.refused()
        assert code == 4
        assert "another botsieve uses this state.dir" in output
        assert not at.socket.exists()
        at.socket = first
        assert at.ask().verdict == "allow"
        assert (at.state / "control.sock").exists()


def test_stale_socket(at: Place) -> None:
    """After SIGKILL the next start replaces the socket files."""
    with at.start() as service:
        service.popen.kill()
        service.popen.wait()
    assert at.socket.exists()
    with at.start():
        assert at.ask().verdict == "allow"


@pytest.mark.parametrize("which", ["web.listen", "edges.nginx.listen", "edges.forward.listen"])
def test_port_in_use(at: Place, which: str) -> None:
    """The message names the key, the address and what would do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if which == "web.listen":
            at.web_port = port
            at.write()
        elif which == "edges.forward.listen":
            at.write(edges=f"  forward: {{listen: '127.0.0.1:{port}'}}\n")
        else:
            at.write()
            text = at.config.read_text().replace(f"unix:{at.socket}", f"127.0.0.1:{port}")
            at.config.write_text(text)
        line = refused_by_the_machine(at, which)
        assert f"127.0.0.1:{port}: Address already in use" in line
        assert not (at.state / LAST_GOOD).exists()  # a mistake in the next file would have led back here


def test_keys_file_unreadable(at: Place) -> None:
    """A keys file of somebody else."""
    at.keys = at.folder / "keys"
    at.keys.write_text("00" * 32)
    at.keys.chmod(0)
    at.write()
    line = refused_by_the_machine(at, "challenge.keys_file", powerless=True)
    assert "Permission denied" in line


@pytest.mark.parametrize("text", ["", "secretsecret\n", f"{'ab' * 32}\n{'ab' * 32}\n", "ab" * 31 + "\n"])
def test_keys_file_malformed(at: Place, text: str) -> None:
    """Exit 3 with file and line; a key is never said."""
    at.keys = at.folder / "keys"
    at.keys.write_text(text)
    at.write()
    code, output = at.refused()
    assert code == 3, output
    assert re.search(rf"{re.escape(str(at.keys))}:\d+: .*accepted", output)
    assert "secretsecret" not in output
    assert "abab" not in output


def test_keys_file_of_bytes(at: Place) -> None:
    """What is no text is said to be none."""
    at.keys = at.folder / "keys"
    at.keys.write_bytes(b"\xff\xfe\x00")
    at.write()
    assert "not text" in refused_by_the_machine(at, "challenge.keys_file")


def test_state_dir_not_writable(at: Place) -> None:
    """A state.dir where this user may not write, or below which nothing can be made."""
    at.keys = at.folder / "keys"
    at.state.mkdir(mode=0o500)
    at.write()
    refused_by_the_machine(at, "state.dir", powerless=True)
    at.state = at.folder / "file" / "state"
    (at.folder / "file").write_text("")
    at.write()
    refused_by_the_machine(at, "state.dir")


def test_log_not_writable(at: Place) -> None:
    """The decision log where this user may not write."""
    at.log = at.folder / "none" / "log"
    at.write()
    code, output = at.refused()
    assert code == 4, output
    assert str(at.log) in output
    assert "accepted" in output


def test_first_start_makes_keys_for_us_alone(at: Place) -> None:
    """0600, in a folder 0700, with nothing else left beside it."""
    with at.start():
        assert at.keys.stat().st_mode & 0o777 == 0o600
        assert at.state.stat().st_mode & 0o777 == 0o700
    found = sorted(
        one.name for one in at.state.iterdir() if not one.name.startswith("state.sqlite")
    )  # its writer may not be there yet
    assert found == ["config.last-good", "keys"]


@pytest.mark.realtime
def test_a_term_while_it_starts(at: Place) -> None:
    """TERM at any moment of the start ends it, and leaves no socket that keeps the next one from starting."""
    command = [sys.executable, "-m", "botsieve", "serve", "--config", str(at.config)]
    for wait_s in (0.05, 0.3, 0.6):
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait_s)
        assert stop(process) in (0, -15)
    with at.start():
        assert at.ask().verdict == "allow"
