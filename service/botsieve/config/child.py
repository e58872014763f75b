"""The process that reads a changed file, so that the service never does: a large or hostile one costs it nothing.

`python -c "from botsieve.config.child import main; main()" FILE` writes one encoded Answer to stdout.

Law of the file: the child limits its own memory and time before it opens anything.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from errno import EINTR
from pathlib import Path

from botsieve.config.loader import answer_for
from botsieve.config.plan import Answer, decode, encode

MEMORY_MIB = 768  # measured: 90 MiB for the hungriest of the largest files
CPU_S = 30
WAIT_S = 60.0
NICENESS = 10

_CODE = "from botsieve.config.child import main; main()"


def main() -> None:
    """What runs in the child."""
    limit = MEMORY_MIB * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    sys.stdout.buffer.write(encode(answer_for(sys.argv[1])))


class Child:
    """One run of the child.  `ask` blocks and belongs in a thread; `stop` may be called from another."""

    def __init__(self, source: str, *, wait_s: float = WAIT_S) -> None:
        self._source = source
        self._wait_s = wait_s
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def ask(self) -> Answer:
        """What the file says.  Never raises: a child that fails is a mistake of the file."""
        name = self._source
        root = str(Path(__file__).resolve().parents[2])
        inherited = os.environ.get("PYTHONPATH", "")
        environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root}
        try:
            if self._is_stopped:
                raise InterruptedError(EINTR, "stopped")
            # -P: a folder that happens to be the working directory is no place to import from.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code; the file name is one argument
                [sys.executable, "-P", "-c", _CODE, name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            raw, _ = self._process.communicate(timeout=self._wait_s)
        except subprocess.TimeoutExpired:
            self.stop()
            return Answer(
                mistakes=[f"{name}:1: reading the file took longer than {self._wait_s:g} s; accepted: a smaller file"]
            )
        except OSError as error:
            return Answer(
                mistakes=[
                    f"{name}:1: the file could not be checked ({error.strerror}); the process that reads it did not start"
                ]
            )
        try:
            return decode(raw)
        except ValueError:
            code = self._process.returncode
            return Answer(
                mistakes=[
                    f"{name}:1: the file could not be checked within {MEMORY_MIB} MiB and {CPU_S} s "
                    f"(the process that reads it ended with {code}); accepted: a smaller file"
                ]
            )

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
