"""botsieve.garbage: what is remembered is out of the collector's sight, what is new is not."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc
from botsieve.garbage import set_aside, young_only
young_only()
class Node: pass
kept = [Node() for _ in range(50_000)]
set_aside()
assert gc.get_count()[0] < 1_000, gc.get_count()
assert len(gc.get_objects()) < 5_000, len(gc.get_objects())
gone = []
class Tell:
    def __del__(self): gone.append(1)
for _ in range(20_000):
    pair = Tell()
    pair.itself = pair
assert len(gone) > 10_000, len(gone)
assert gc.get_threshold()[1] > 100_000
"""


def test_survivors_are_set_aside_and_young_cycles_collected() -> None:
    """50,000 kept objects leave the collector's lists; 20,000 dead cycles made afterwards are found without a full collection."""
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=300)
