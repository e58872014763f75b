"""What the compiler learns from: a short run of everything that is hot, so that it knows which branches are taken and which calls count.

    python -m tests.compiled.training FOLDER

Runs on what stands first on the path: the instrumented core (scripts/compile_native.py), or the plain one, to see that it works.
Decisions as packaged and with everything on, checks over HTTP's connection object, batches over gRPC's reader; half of the clients
come again, the others are new.  Prints how much of each.

Law of the file: the same requests and answers each time (seeded, its own clock, its own random bytes), a few seconds long, and
nothing is written but in FOLDER.
"""

from __future__ import annotations

import os
import random
import sys
from functools import partial
from pathlib import Path

import msgspec
from botsieve.challenge.keys import new_keys_text
from botsieve.config.loader import loads
from botsieve.serve import Server
from botsieve.transports.grpc_batch import Batch
from botsieve.transports.grpc_turns import Turns
from botsieve.transports.http_wire import HttpConnection

from tests.bench.check_load import questions
from tests.bench.decide import START_S, engine, engine_with_everything, with_cookies
from tests.bench.grpc_rate import request_of
from tests.bench.traffic import requests

CLIENTS, AGAIN = 20_000, 0.5
CONFIG = """
policies: [{{name: all, audience: browser}}]
edges: {{nginx: {{listen: "127.0.0.1:1", trusted: [127.0.0.1], deadline_ms: 1000}}}}
web: {{listen: null}}
state: {{dir: "{at}/state"}}
challenge: {{keys_file: "{at}/keys"}}
journal: {{decisions: {{to: "{at}/log"}}}}
"""


class Counted(msgspec.Struct):
    """How much was done.  `refused`: of everything, the decisions that were no allow."""

    decisions: int = 0
    refused: int = 0
    checks: int = 0
    unjudged: int = 0
    batches: int = 0
    faults: int = 0


class _Answers:
    """A transport that reads what is answered."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def write(self, answer: bytes) -> None:
        self._counted.checks += answer.startswith(b"HTTP/1.1 ")
        self._counted.unjudged += b": unjudged" in answer

    def is_closing(self) -> bool:
        return False


def decide(counted: Counted, count: int) -> None:
    """Both engines of the benchmark, by other requests than it measures."""
    for decider in (engine(), engine_with_everything()):
        traffic = requests(CLIENTS, count, start_s=START_S, repeated=AGAIN, seed=11)
        for o in with_cookies(traffic, decider) if decider.devices is not None else traffic:
            decision = decider.decide(o, o.edge_time_s, "0000-0000-0000-0000", 0.5)
            counted.decisions += 1
            counted.refused += decision.verdict != "allow"


def serve(counted: Counted, folder: Path, count: int) -> None:
    """A service without listeners: checks as nginx sends them, then batches as a gateway does."""
    (folder / "keys").write_text(new_keys_text(b"training" * 4))
    server = Server(loads(CONFIG.format(at=folder).encode()), None)
    server.journal.log.close()  # its thread writes when it likes: what is to be written only waits, the same each time
    clock = [START_S]
    server.service.now_s = lambda: clock[0]
    chance = random.Random(11)
    connection = HttpConnection(server._nginx, set())
    connection.connection_made(_Answers(counted))  # type: ignore[arg-type]
    asked = questions()
    for _ in range(count):
        clock[0] += 0.002
        connection.data_received(chance.choice(asked))
    failed = partial(_failed, counted)
    told = [request_of(number).SerializeToString() for number in range(CLIENTS // 4)]
    turns = Turns(lambda: 0.0)
    for _ in range(count // 32):
        clock[0] += 0.05
        batch = Batch(server.service, chance.choices(told, k=32), 0, failed, want_answer=True)
        while batch.go_on(turns, clock[0]):
            pass
        counted.batches += 1
    server.journal.close()


def _failed(counted: Counted, error: Exception) -> bytes:
    counted.faults += 1
    return b""


def train(folder: Path, count: int = 20_000) -> Counted:
    """`count` of each.  The process's random numbers are ours from here on."""
    random.seed(11)
    os.urandom = random.Random(11).randbytes
    counted = Counted()
    decide(counted, count)
    serve(counted, folder, count)
    return counted


def main(arguments: list[str]) -> int:
    """Errors: AssertionError for a run that taught nothing."""
    folder = Path(arguments[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    counted = train(folder, *map(int, arguments[1:]))
    assert min(counted.refused, counted.checks, counted.batches) > 0, counted
    assert counted.unjudged == counted.faults == 0, counted
    print(msgspec.json.encode(counted).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
