"""confined.py: a process of its own, within its own limits."""

from __future__ import annotations

import os
import threading

import pytest
from botsieve.confined import CPU_S, MEMORY_MIB, NICENESS, Confined

_LIMITS = """
import os, resource, sys
from botsieve.confined import confine
confine()
print(resource.getrlimit(resource.RLIMIT_AS)[0] >> 20, resource.getrlimit(resource.RLIMIT_CPU)[0], os.nice(0), *sys.argv[1:])
print(sys.stdin.read())
"""


def test_a_child_has_its_limits_and_gets_what_is_given() -> None:
    """Memory, time, priority; arguments and stdin."""
    child = Confined(_LIMITS, "a", "b c")
    nice = min(19, os.nice(0) + NICENESS)
    assert child.run(b"given").decode() == f"{MEMORY_MIB} {CPU_S} {nice} a b c\ngiven\n"
    assert child.returncode == 0
    assert not child.is_running


def test_a_child_that_takes_too_long_is_ended() -> None:
    """And leaves nothing running."""
    child = Confined("import time; time.sleep(60)", wait_s=0.1)
    with pytest.raises(TimeoutError):
        child.run()
    assert not child.is_running


def test_what_is_stopped_does_not_start() -> None:
    """A shutdown between the wish and the start."""
    child = Confined("print(1)")
    child.stop()
    with pytest.raises(InterruptedError):
        child.run()
    assert child.returncode is None


def test_stop_ends_what_runs() -> None:
    """From another thread, as at a shutdown."""
    child = Confined("import time; time.sleep(60)")
    thread = threading.Thread(target=child.run)
    thread.start()
    while not child.is_running and thread.is_alive():
        thread.join(0.001)
    child.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_child_can_be_handed_an_open_file() -> None:
    """By its number; without that it is closed there."""
    reading, writing = os.pipe()
    try:
        code = f"import os; os.write({writing}, b'x')"
        Confined(code, keep_open=(writing,)).run()
        assert os.read(reading, 1) == b"x"
        child = Confined(code)
        child.run()
        assert child.returncode == 1
    finally:
        os.close(reading)
        os.close(writing)
