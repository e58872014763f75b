"""Prints the decisions on a stream of requests, one line each: run with and without the compiled core, the lines are the same."""

from __future__ import annotations

import botsieve.engine
from botsieve.journal.packing import pack
from botsieve.journal.record import unpack
from botsieve.journal.redact import Redactor
from botsieve.journal.render import line_of

from tests.bench.decide import engine_with_everything, with_cookies
from tests.bench.traffic import requests

CLIENTS, REQUESTS, START_S = 40, 4_000, 1_790_000_000.0


def main() -> None:
    """First where the engine comes from, then the lines of the decision log."""
    print(botsieve.engine.__file__)
    failed: list[str] = []
    engine = engine_with_everything()
    engine._on_detector_error = lambda signal, error: failed.append(f"{signal}: {error}")
    for number, o in enumerate(with_cookies(requests(CLIENTS, REQUESTS, start_s=START_S, seed=7), engine)):
        decision = engine.decide(o, o.edge_time_s, f"0000-0000-0000-{number:04d}", number % 10 / 10)
        print(line_of(unpack(pack(o, decision, o.edge_time_s, 0)), Redactor()).decode())
    print(failed)


if __name__ == "__main__":
    main()
