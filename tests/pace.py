"""How busy the machine is: a promise in seconds is one of a machine that gives a process its processor.

Law of the file: on a quiet machine nothing here is asked and every promise holds as it stands; on a busy one it is stretched by as
much as a small process of ours is, measured right then.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Interpreter, modules, arithmetic: what a start of the service or a command is made of, in about 0.15 s.
_WORK = """
import os, time
os.nice({niceness})
import asyncio, http.server, json, re
began = time.process_time()
while time.process_time() - began < 0.1: pass
print(time.process_time())
"""


def slowness(niceness: int = 0) -> float:
    """How many times longer than alone a process takes now, at least 1.  `niceness`: its own."""
    began_s = time.monotonic()
    command = [sys.executable, "-c", _WORK.format(niceness=niceness)]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ | {"PYTHONPATH": ""})
    return max(1.0, (time.monotonic() - began_s) / float(done.stdout))


def in_time(took_s: float, promised_s: float, *, niceness: int = 0) -> bool:
    """Whether it took no longer than was promised, on a machine as busy as this one is now."""
    return took_s <= promised_s or took_s <= promised_s * slowness(niceness)


@contextmanager
def own_heap() -> Iterator[None]:
    """What all other tests have left behind is not gone through by the collector meanwhile: it is not what is measured."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
