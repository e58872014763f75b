"""nginx is the circuit breaker: whatever the service does, no visitor sees a 5xx, and it is asked again soon."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.conftest import StandIn
from tests.nginx.raw import ask
from tests.pace import in_time
from tests.servers import Site, in_threads, wait_until

# nginx counts whole seconds: fail_timeout=1s lasts until the second tick.  The rest is a service that is late while it starts.
AGAIN_S = 3.0


@pytest.fixture
def edge(folder: Path, service: StandIn) -> Iterator[Site]:
    """A site that lets pass what nobody judged."""
    (folder / "site").mkdir()
    with Site(folder / "site", service.socket) as nginx:
        yield nginx


@pytest.fixture
def patient(folder: Path, service: StandIn) -> Iterator[Site]:
    """The same where time is not the subject."""
    (folder / "patient").mkdir()
    with Site(folder / "patient", service.socket, patient=True) as nginx:
        yield nginx


def verdict(edge: Site, *lines: str) -> str:
    """Asks once and returns what the log says of the verdict; the answer must be the application's."""
    path = f"/v{time.monotonic_ns()}"
    answer = ask(edge.http_port, path, *lines)
    assert answer.status == 200, answer
    wait_until(lambda: path in edge.access_log.read_text(), what="the line of the log")
    line = next(line for line in edge.access_log.read_text().splitlines() if path in line)
    return line.split('"verdict":"')[1].split('"')[0]


def unjudged(edge: Site, service: StandIn) -> int:
    """What nginx tells of the requests that it let pass so far."""
    assert verdict(edge) == "allow"
    return told(service)


def told(service: StandIn) -> int:
    """The highest count that the service heard: one that it was too late for may be written down after a newer one."""
    counts = [value for seen in service.seen() for name, value in seen["headers"] if name.lower() == "x-botsieve-unjudged"]
    return max(int(count or 0) for count in counts)


@pytest.mark.realtime
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_service_away(edge: Site, service: StandIn, folder: Path, how: str) -> None:
    """SIGSTOP or SIGKILL under requests: each gets the application's answer; judged again within 3 s; all are counted."""
    passed = 0
    while verdict(edge) != "allow":
        passed += 1
        assert passed < 100
    os.kill(service.pid, signal.SIGSTOP if how == "stopped" else signal.SIGKILL)
    taken = []
    for _ in range(50):
        began = time.monotonic()
        assert verdict(edge) == "unjudged"
        taken.append(time.monotonic() - began)
        passed += 1
    # The budget is 50 ms, the rest is this machine, which may pause; without a breaker all would wait 60 s.
    assert in_time(sorted(taken)[len(taken) * 9 // 10], 0.5)
    assert in_time(max(taken), AGAIN_S)
    back: StandIn | None = None
    if how == "stopped":
        os.kill(service.pid, signal.SIGCONT)
    else:
        service.stop()
        back = StandIn(service.folder)
    try:
        began = time.monotonic()
        while verdict(edge) != "allow":
            passed += 1
            assert time.monotonic() - began < 60.0
            time.sleep(0.05)
        assert in_time(time.monotonic() - began, AGAIN_S)
        # Where nginx itself is later than its own 50 ms it asks its backup twice, and counts twice: never less than what passed.
        assert passed <= told(service) <= passed * 1.25
    finally:
        if back:
            back.stop()


@pytest.mark.parametrize("want", ["redirect", "login", "error", "empty", "garbage", "half", "huge", "close"])
def test_answers_that_are_none(patient: Site, service: StandIn, want: str) -> None:
    """Whatever the service says but a verdict: the visitor gets the application, and the request is counted as unjudged."""
    before = unjudged(patient, service)
    assert verdict(patient, f"X-Want: {want}") in ("unjudged", "")
    assert unjudged(patient, service) == before + 1


@pytest.mark.parametrize("want", ["redirect", "error", "half", "huge", "hang", "close"])
def test_closed(folder: Path, service: StandIn, want: str) -> None:
    """--closed: what nobody judged is refused with a small page, never with a 5xx."""
    (folder / "closed").mkdir()
    # Only who hangs needs the 50 ms to run out; a busy machine may miss them at the first question too.
    with Site(folder / "closed", service.socket, arguments=("--closed",), patient=want != "hang") as closed:
        wait_until(lambda: ask(closed.http_port).status == 200, what="a verdict")
        answer = ask(closed.http_port, "/", f"X-Want: {want}")
        assert answer.status == 403
        assert b"Please retry" in answer.body


def test_no_service_at_all(folder: Path) -> None:
    """nginx starts and serves without the service ever having been there; closed, it refuses."""
    for name, arguments, status in (("open", (), 200), ("closed", ("--closed",), 403), ("nolua", ("--no-lua",), 200)):
        (folder / name).mkdir()
        with Site(folder / name, folder / "none.sock", arguments=arguments) as site:
            for tls in (False, True):
                answer = ask(site.https_port if tls else site.http_port, tls=tls)
                assert answer.status == status
            assert ask(site.http_port, "/.botsieve/c.js").status == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_gone_between_the_hops(patient: Site, method: str) -> None:
    """403 from the service, which then dies: the small page of the breaker."""
    answer = ask(patient.http_port, "/", "X-Want: gone", method=method, body=b"x" if method == "POST" else b"")
    assert answer.status == 403
    assert b"Please retry" in answer.body


def test_socket_of_a_killed_nginx(folder: Path, service: StandIn) -> None:
    """After SIGKILL of nginx another one starts with the same files."""
    (folder / "again").mkdir()
    with Site(folder / "again", service.socket) as first:
        workers = first.worker_pids()
        os.kill(first.pid, signal.SIGKILL)
        first.stop()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
    with Site(folder / "again", service.socket) as second:
        assert ask(second.http_port).status == 200


@pytest.mark.realtime
def test_machine_out_of_breath(edge: Site, service: StandIn) -> None:
    """nginx gets the processor for moments only, so that its own backup is late too: unjudged at worst, never a 5xx."""
    (worker,) = edge.worker_pids()
    done = threading.Event()
    statuses: list[int] = []

    def ask_on(_: int) -> None:
        while not done.is_set():
            statuses.append(ask(edge.http_port, "/", "X-Want: allow").status)

    def gasp() -> None:
        for _ in range(25):
            os.kill(worker, signal.SIGSTOP)
            time.sleep(0.07)
            os.kill(worker, signal.SIGCONT)
            time.sleep(0.003)
        done.set()

    os.kill(service.pid, signal.SIGSTOP)
    gasping = threading.Thread(target=gasp)
    gasping.start()
    in_threads(ask_on, 12)
    gasping.join()
    os.kill(service.pid, signal.SIGCONT)
    assert len(statuses) > 12
    assert [status for status in statuses if status != 200] == []
    assert service.popen.poll() is None
