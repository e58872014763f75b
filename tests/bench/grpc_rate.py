"""gRPC: how much a batch gains over single calls, and what a gRPC edge under full load does to the HTTP socket beside it.

The whole service with its engine and log in one process on core 1; load generator and prober on core 0.  The generator is
Python too and may be the slower side: the processor time that the service spent on each observation stands beside each rate.

All are judged twice.  With a session: browsers, which send back the cookie that they were given.  Without: page loads that never
do, so each is given a session anew, is found to have none, belongs to an incident and is written to the log whole.
What HTTP waits for is the service, not the prober: the generator is in its background, and beside the same generator a process on core 1
that answers at once had answered it within 0.1 ms in the middle and 0.14 to 0.5 ms at the 99th percentile.  All that belongs to the
service is on core 1, the writer of its store too.  Whatever else the machine does is in the figures, quiet or not.

Law of the file: the ratios are of medians of runs that took turns; all of it ends within two minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import uvloop
from botsieve.client import BotsieveClient, describe
from botsieve.decision import ALLOW, ENFORCE, Decision
from botsieve.observation import Observation
from botsieve.transports.grpc import GrpcSettings, GrpcTransport
from botsieve.transports.grpc_calls import Limits
from botsieve.transports.grpc_told import Answer
from botsieve.v1 import decision_pb2
from botsieve.v1 import decision_service_pb2 as pb

from tests.bench.figures import Figure, show
from tests.bench.load import HEADERS, cpu_s, free_port, pinned, running, service_command

# Observations a message; 0 is Check, one call each.
SIZES = (0, 1, 32, 256)
_NAMES = {0: "one call each", 1: "1 a message", 32: "32 a message", 256: "256 a message"}
GOALS = {1: 1.5, 32: 10.0}
GOAL_P99 = 5.0
# Requests under way at once, whatever the form: as many callers, or as many messages in two streams.
WINDOW, STREAMS = 16, 2
CLIENTS = 8_000
PROBES_PER_S = 250
_PATH = "/botsieve.v1.DecisionService/"
_SIGHT = [decision_pb2.SIGHT_TLS, decision_pb2.SIGHT_ACCEPT_ENCODING, decision_pb2.SIGHT_HTTP_VERSION]
_TLS = decision_pb2.TlsFingerprint(
    ja3_md5=b"cd08e31494f9531f560d64c695473da9",
    ja4=b"t13d1516h2_8daaf6152771_d8a2da3f94cd",
    tls_sig=b"t13d1515h2_8daaf6152771_31ec0a762479",
)


# ------------------------------------------------------------------------------------------------------ the load generator


def request_of(number: int) -> decision_pb2.Observation:
    """A browser's page view: an item for each client."""
    return describe(
        client=f"11.{number % 200}.{number // 200}.{number % 250 + 1}",
        method="GET",
        uri=f"/items/{number * 7919 % 100_000}",
        host="shop.example",
        scheme="https",
        http="HTTP/2.0",
        headers=list(HEADERS.items()),
        sight=_SIGHT,
        tls=_TLS,
    )


def write_sessions(target: str, file: Path) -> None:
    """Asks once for each client, and writes down the cookies that they are given.  Errors: AssertionError when one got none."""
    with BotsieveClient(target, timeout_s=10) as client:
        outcomes = client.check_many([request_of(number) for number in range(CLIENTS)])
    cookies = [outcome.decision.set_cookie.partition(";")[0] for outcome in outcomes if outcome.decision]
    assert len(cookies) == CLIENTS
    assert all(cookies)
    file.write_text(json.dumps(cookies))


def with_session(request: decision_pb2.Observation, cookie: str) -> decision_pb2.Observation:
    """The request of a browser that sends back what it was given."""
    for header in request.headers:
        if header.name == b"cookie":
            header.value += b"; " + cookie.encode()
    return request


def messages_of(size: int, sessions: Path | None) -> list[bytes]:
    """Messages of `size` observations each (0: of Check).  The clients come at random: in turn, each would be a metronome."""
    pick = random.Random(7)
    everybody = [request_of(number) for number in range(CLIENTS)]
    if sessions is not None:
        everybody = [*map(with_session, everybody, json.loads(sessions.read_text()))]
    if not size:
        return [pb.CheckRequest(observation=one).SerializeToString() for one in everybody]
    return [
        pb.CheckStreamRequest(observations=pick.choices(everybody, k=size)).SerializeToString()
        for _ in range(max(64, CLIENTS // size))
    ]


class Load:
    """Asks `target` for `seconds` seconds, `size` observations a message (0: with Check); counts what was judged."""

    def __init__(self, size: int, seconds: float, sessions: Path | None) -> None:
        self.judged = 0
        self._size = size
        self._messages = messages_of(size, sessions)
        self._until_s = time.monotonic() + seconds

    async def run(self, target: str) -> None:
        """Errors: AssertionError when an observation was not judged; grpc.RpcError."""
        async with grpc.aio.insecure_channel(target) as channel:
            one, count = (self._unary, WINDOW) if not self._size else (self._stream, STREAMS)
            await asyncio.gather(*[one(channel) for _ in range(count)])

    def _next(self) -> bytes:
        return random.choice(self._messages)

    async def _unary(self, channel: grpc.aio.Channel) -> None:
        check = channel.unary_unary(_PATH + "Check")
        while time.monotonic() < self._until_s:
            answer = await check(self._next())
            self.judged += 1
        assert pb.CheckResponse.FromString(answer).decision.verdict

    async def _stream(self, channel: grpc.aio.Channel) -> None:
        call = channel.stream_stream(_PATH + "CheckStream")()
        room = asyncio.Semaphore(WINDOW // STREAMS)

        async def write() -> None:
            while time.monotonic() < self._until_s:
                await room.acquire()
                await call.write(self._next())
            await call.done_writing()

        writing = asyncio.ensure_future(write())
        answer = b""
        while (raw := await call.read()) is not grpc.aio.EOF:
            answer = raw
            self.judged += self._size
            room.release()
        await writing
        assert all(result.HasField("decision") for result in pb.CheckStreamResponse.FromString(answer).results)


def generate(target: str, size: int, seconds: float, sessions: Path | None) -> None:
    """The generator's own process: prints observations and seconds."""
    load = Load(size, seconds, sessions)
    print("begun", flush=True)
    uvloop.run(load.run(target))
    print(load.judged, load.judged / seconds)


def generator(target: str, size: int, seconds: float, sessions: Path | None) -> list[str]:
    """The command of a load generator on core 0, in the background of the prober there."""
    here = [sys.executable, "-m", "tests.bench.grpc_rate", "--load", target, str(size), str(seconds)]
    if sessions is not None:
        here.append(str(sessions))
    return ["nice", "-n", "10", *pinned(here, 0)]


# ------------------------------------------------------------------------------------------------------------ the measurement


class Under(NamedTuple):
    """A service to measure: its process and its two sockets."""

    pid: int
    http: Path
    grpc: str


class Run(NamedTuple):
    """One run of the load generator: what it got, what the service spent on it, and what HTTP felt meanwhile (ms)."""

    per_s: float
    cpu_us: float
    waits_ms: list[float]


@contextlib.contextmanager
def service(folder: Path) -> Iterator[Under]:
    """`botsieve serve` on core 1 with an nginx and a gRPC listener, each on a Unix socket."""
    http, target = folder / "check.sock", folder / "grpc.sock"
    command = service_command(folder, f"unix:{http}", free_port())
    config = Path(command[-1])
    edge = f'edges: {{grpc: {{listen: "unix:{target}", deadline_ms: 1000}}, '
    config.write_text(config.read_text().replace("edges: {", edge))
    with running(command, 1, unix=http) as pid:
        yield Under(pid, http, f"unix:{target}")


class Nothing:
    """Judges nothing: what is left is gRPC's own cost."""

    decision = Decision(
        "0000-0000-0000-0000", ALLOW, ALLOW, ENFORCE, 0, False, (), "threshold.allow", "all", "browser", "0" * 12
    )

    def judge(self, o: Observation) -> Decision:
        """The same for everybody."""
        return self.decision

    def judge_in_time(self, o: Observation, until_s: float) -> Decision:
        """The same for everybody, in no time."""
        return self.decision

    def answer(self, o: Observation, decision: Decision) -> Answer:
        """Never asked for."""
        raise AssertionError


async def serve_nothing(folder: Path) -> None:
    """The gRPC edge before `Nothing`, and a socket in place of the HTTP edge, until it is stopped."""
    edge = GrpcTransport(Nothing(), now_s=time.time)
    await edge.start(GrpcSettings(listen=f"unix:{folder}/grpc.sock", limits=Limits(deadline_ms=1000)))
    async with await asyncio.start_unix_server(lambda reader, writer: writer.close(), folder / "check.sock") as server:
        await server.serve_forever()


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[Under]:
    """The gRPC edge alone, on core 1."""
    http = folder / "check.sock"
    with running([sys.executable, "-m", "tests.bench.grpc_rate", "--nothing", str(folder)], 1, unix=http) as pid:
        yield Under(pid, http, f"unix:{folder}/grpc.sock")


def loaded(under: Under, size: int, seconds: float, *, sessions: Path | None = None, probed: bool = True) -> Run:
    """One run of the generator, with or without the prober beside it.  Errors: AssertionError when the generator failed."""
    process = subprocess.Popen(
        generator(under.grpc, size, seconds, sessions), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        began_cpu_s = cpu_s(under.pid)
        waits_ms = probe(under.http, seconds * 0.9) if probed else []
        out, err = process.communicate(timeout=seconds + 20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err[-2000:]
    spent_s = cpu_s(under.pid) - began_cpu_s
    judged, per_s = map(float, out.split())
    return Run(per_s, spent_s / judged * 1e6, waits_ms)


def probe(path: Path, seconds: float) -> list[float]:
    """Asks over HTTP at an even pace on one connection; how long each answer took, ms, sorted."""
    lines = [f"{name}: {value}" for name, value in HEADERS.items()]
    told = ["X-Botsieve-Client-Addr: 203.0.113.7", "X-Botsieve-Method: GET", "X-Botsieve-Uri: /healthy.css", "Host: x"]
    request = "\r\n".join(["GET /v1/check/nginx HTTP/1.1", *told, *lines, "", ""]).encode()
    waits_ms = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.settimeout(60)  # a machine that is busy with other things gives a figure, no error
        next_s = time.monotonic()
        end_s = next_s + seconds
        while next_s < end_s:
            time.sleep(max(0.0, next_s - time.monotonic()))
            began_s = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(4096)
            waits_ms.append((time.perf_counter() - began_s) * 1e3)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            next_s = max(next_s + 1 / PROBES_PER_S, time.monotonic())
    return sorted(waits_ms)


# ------------------------------------------------------------------------------------------------------------------ the rows


def at(share_0_1: float, waits_ms: list[float]) -> float:
    """A quantile of sorted waits."""
    return waits_ms[min(len(waits_ms) - 1, int(len(waits_ms) * share_0_1))]


Runs = dict[int, list[Run]]


def measure(*, turns: int = 3, seconds: float = 1.0) -> list[Figure]:
    """Every form in turn, `turns` times: of the edge alone, of the whole service without sessions and with them.

    A quiet time of HTTP goes before each turn of the second.
    """
    alone: Runs = {size: [] for size in SIZES}
    without: Runs = {size: [] for size in SIZES}
    kept: Runs = {size: [] for size in SIZES}
    quiet: list[list[float]] = []
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name, bare(Path(name)) as under:
        for _ in range(max(1, turns - 1)):
            for size in SIZES:
                alone[size].append(loaded(under, size, seconds * 0.6, probed=False))
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name, service(Path(name)) as under:
        loaded(under, 32, min(1.0, seconds))
        for _ in range(turns):
            quiet.append(probe(under.http, seconds))
            for size in SIZES:
                without[size].append(loaded(under, size, seconds))
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as name, service(Path(name)) as under:
        sessions = Path(name) / "sessions.json"
        write_sessions(under.grpc, sessions)
        loaded(under, 32, min(1.0, seconds), sessions=sessions, probed=False)
        for _ in range(turns):
            for size in SIZES:
                kept[size].append(loaded(under, size, seconds, sessions=sessions, probed=False))
    judged = "gRPC, all judged"
    rows = [*_rate_rows("gRPC alone", alone), *_rate_rows(f"{judged}, with a session", kept)]
    return [*rows, *_rate_rows(f"{judged}, without", without), *_wait_rows(without, quiet)]


def _rate_rows(what: str, runs: Runs) -> Iterator[Figure]:
    per_s = {size: statistics.median(run.per_s for run in runs[size]) for size in SIZES}
    for size in SIZES:
        goal = GOALS.get(size)
        ratio = per_s[size] / per_s[0]
        yield Figure(
            what=f"{what}, {_NAMES[size]}",
            measured=f"{per_s[size]:,.0f}/s ({ratio:.1f} x)",
            goal=f"{goal:g} x" if goal else "",
            reached=ratio >= goal if goal else None,
            how=f"{statistics.median(run.cpu_us for run in runs[size]):.0f} us of the service's processor time each",
        )


def _wait_rows(runs: Runs, quiet: list[list[float]]) -> Iterator[Figure]:
    p50, p99 = (statistics.median(at(share, waits) for waits in quiet) for share in (0.5, 0.99))
    how = f"{PROBES_PER_S} checks a second on one connection to a Unix socket"
    yield Figure(what="HTTP beside nothing", measured=f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", how=how)
    for size in SIZES:
        busy50, busy99 = (statistics.median(at(share, run.waits_ms) for run in runs[size]) for share in (0.5, 0.99))
        yield Figure(
            what=f"HTTP beside gRPC, {_NAMES[size]}",
            measured=f"p50 {busy50:.2f} ms, p99 {busy99:.2f} ms ({busy99 / p99:.1f} x)",
            goal=f"p99 {GOAL_P99:g} x",
            reached=busy99 <= GOAL_P99 * p99,
        )


if __name__ == "__main__":
    if "--load" in sys.argv:
        generate(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]) if len(sys.argv) > 5 else None)
    elif "--nothing" in sys.argv:
        uvloop.run(serve_nothing(Path(sys.argv[2])))
    else:
        show(measure(turns=1, seconds=0.6) if "--quick" in sys.argv else measure())
