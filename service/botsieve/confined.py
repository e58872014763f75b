"""A process that reads what may be large or hostile, so that the service never does: its own memory, time and priority.

`Confined("from botsieve.config.child import main; main()", "FILE").run()` gives what it wrote to stdout.

Law of the file: the child limits itself (`confine`) before it opens anything; whoever waits for it waits a bounded time.
"""

from __future__ import annotations

import os
import resource
import subprocess
from errno import EINTR

from botsieve.interpreter import command, environment

MEMORY_MIB = 768  # measured: 90 MiB for the hungriest of the largest configurations, 330 MiB for lists of a million ranges
CPU_S = 30
WAIT_S = 60.0
NICENESS = 10


def confine() -> None:
    """The first thing that a child does."""
    limit = MEMORY_MIB * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


class Confined:
    """One run of a child.  `run` blocks and belongs in a thread; `stop` may be called from another."""

    def __init__(self, code: str, *arguments: str, wait_s: float = WAIT_S, keep_open: tuple[int, ...] = ()) -> None:
        """`code`: Python of ours, which calls `confine`.  `arguments`: as `sys.argv[1:]`.  `keep_open`: descriptors for the child."""
        self.wait_s = wait_s
        self._command = command(code, *arguments)
        self._keep_open = keep_open
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def run(self, given: bytes = b"") -> bytes:
        """What it wrote to stdout; `given` is its stdin.  Errors: TimeoutError when it was ended, OSError when it did not start."""
        if self._is_stopped:
            raise InterruptedError(EINTR, "stopped")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code; what is asked is one argument
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            pass_fds=self._keep_open,
        )
        try:
            return self._process.communicate(given, timeout=self.wait_s)[0]
        except subprocess.TimeoutExpired:
            self.stop()
            raise TimeoutError from None

    @property
    def returncode(self) -> int | None:
        """How it ended; None before."""
        return None if self._process is None else self._process.returncode

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends the child if it runs, and keeps it from starting."""
        self._is_stopped = True
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
