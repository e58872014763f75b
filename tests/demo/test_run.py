"""`make run`: it starts three servers, says so once, and leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import msgspec
from botsieve.demo.nginx_conf import Ports
from botsieve.demo.run import greeting

from tests.conftest import ROOT, Start, free_port, stop


class Demo(msgspec.Struct):
    """A running demo."""

    process: subprocess.Popen[bytes]
    http: int
    https: int
    said: str


def start_demo(start: Start, folder: Path) -> Demo:
    """Starts the demo in `folder` and returns when it said `ready`."""
    http_port, https_port = free_port(), free_port()
    environment = {
        **os.environ,
        "BOTSIEVE_HTTP_PORT": str(http_port),
        "BOTSIEVE_HTTPS_PORT": str(https_port),
        "PYTHONPATH": str(ROOT / "service"),
    }
    process = start(
        [sys.executable, "-m", "botsieve.demo.run"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    while b"statistics" not in said:
        line = process.stdout.readline()
        assert line, f"the demo ended: {said.decode()}"
        said += line
    return Demo(process, http_port, https_port, said.decode())


def ask(port: int, path: str, *, tls: bool = False, **headers: str) -> tuple[int, str]:
    """One GET; status and the id that it was given."""
    connection: http.client.HTTPConnection
    if tls:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("X-Botsieve-Id") or ""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_protects_the_shop_and_ends_whole(start: Start, tmp_path: Path) -> None:
    """One `ready`; curl is refused the catalogue and may read pages; SIGINT ends all three servers, exit code 0."""
    demo = start_demo(start, tmp_path)
    assert demo.said.count("ready") == 1
    assert f"https://127.0.0.1:{demo.https}/" in demo.said
    assert ask(demo.http, "/", User_Agent="curl/8.5.0")[0] == 200
    assert ask(demo.https, "/api/items/17", tls=True, User_Agent="curl/8.5.0")[0] == 403
    pids = [int((tmp_path / ".run" / f"{name}.pid").read_text()) for name in ("shop", "service", "nginx")]
    assert stop(demo.process, signal.SIGINT) == 0
    assert not listens(demo.http)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_the_service_talks_to_nobody_but_its_edges(start: Start, tmp_path: Path) -> None:
    """It phones home: never.  After real requests, every socket of the service is Unix or on loopback."""
    demo = start_demo(start, tmp_path)
    for number in range(5):
        ask(demo.https, f"/api/items/{number + 1}", tls=True, User_Agent="Mozilla/5.0 (compatible; Googlebot/2.1)")
    pid = int((tmp_path / ".run" / "service.pid").read_text())
    own = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    ends = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in own:
                ends += [fields[1].partition(":")[0], fields[2].partition(":")[0]]
    # 127.0.0.1 as the kernel prints it, and "nobody yet" of a listening socket.
    assert ends
    assert set(ends) <= {"0100007F", "00000000"}


def test_the_shop_stays_open_when_the_service_is_gone(start: Start, tmp_path: Path) -> None:
    """The service killed: the demo goes on, and a visitor sees the shop."""
    demo = start_demo(start, tmp_path)
    os.kill(int((tmp_path / ".run" / "service.pid").read_text()), signal.SIGKILL)
    assert demo.process.stdout is not None
    while b"The service ended" not in demo.process.stdout.readline():
        assert demo.process.poll() is None
    assert ask(demo.http, "/api/items/17", User_Agent="curl/8.5.0")[0] == 200


def test_a_port_in_use_ends_with_code_4(tmp_path: Path) -> None:
    """The machine's fault is code 4, one clear line, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "botsieve.demo.run"],
            cwd=tmp_path,
            env={**os.environ, "BOTSIEVE_HTTP_PORT": str(taken.getsockname()[1]), "PYTHONPATH": str(ROOT / "service")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 4
    assert "BOTSIEVE_HTTP_PORT=PORT make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_pages_carry_the_script_that_looks_for_a_hand(start: Start, tmp_path: Path) -> None:
    """A page of the shop has the line, the line's script is there, and the service hears of hands."""
    demo = start_demo(start, tmp_path)
    page = urllib.request.urlopen(f"http://127.0.0.1:{demo.http}/", timeout=60).read().decode()
    assert '<script src="/.botsieve/b.js" defer></script>' in page
    script = urllib.request.urlopen(f"http://127.0.0.1:{demo.http}/.botsieve/b.js", timeout=60).read()
    assert b"pointermove" in script
    (metrics,) = re.findall(r"http://\S+/metrics", demo.said)
    assert b"botsieve_human_reports_total" in urllib.request.urlopen(metrics, timeout=60).read()


def test_each_printed_command_of_botsieve_works(start: Start, tmp_path: Path) -> None:
    """Incidents, preventions, statistics and replay end with 0 also before anything has happened, in a clone of whatever name."""
    folder = tmp_path / "Jörg's clone"
    folder.mkdir()
    demo = start_demo(start, folder)
    ask(demo.http, "/")
    printed = [line.split() for line in demo.said.splitlines() if line.lstrip().startswith(".venv/bin/botsieve")]
    assert [words[1] for words in printed] == ["explain", "replay", "incidents", "preventions", "statistics"]
    for words in printed[1:]:
        command = [sys.executable, "-m", "botsieve", *words[1:]]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_the_greeting_has_seven_things_to_try() -> None:
    """curl, Python, explain, a hand, replay, attack, incidents, with the ports of this run; without Lua it says what is missing."""
    ports = Ports(http=1, https=4443, shop=3, backup=4, web=5)
    text = greeting(ports, lua=True)
    assert [f"{number}. " in text for number in range(1, 9)] == [True] * 7 + [False]
    for words in (
        "curl -k https://127.0.0.1:4443/api/items/17",
        "python3 -c",
        "botsieve explain ID",
        "http://127.0.0.1:5/metrics",
        "botsieve replay",
        "botsieve incidents list",
        "botsieve preventions list",
        "botsieve statistics",
        "make attack",
    ):
        assert words in text
    assert "no Lua module" in greeting(ports, lua=False)
