"""The process that reads a changed configuration, so that the service never does: a large or hostile one costs it nothing.

`python -c "from botsieve.config.child import main; main()" FILE` writes one encoded Answer to stdout.

Law of the file: whatever becomes of the child is an answer.
"""

from __future__ import annotations

import sys

from botsieve.config.loader import answer_for
from botsieve.config.plan import Answer, decode, encode
from botsieve.confined import CPU_S, MEMORY_MIB, WAIT_S, Confined, confine
from botsieve.interpreter import not_started

_CODE = "from botsieve.config.child import main; main()"


def main() -> None:
    """What runs in the child."""
    confine()
    sys.stdout.buffer.write(encode(answer_for(sys.argv[1])))


class Child:
    """One run of the child.  `ask` blocks and belongs in a thread; `stop` may be called from another."""

    def __init__(self, source: str, *, wait_s: float = WAIT_S) -> None:
        self._source = source
        self._process = Confined(_CODE, source, wait_s=wait_s)

    def ask(self) -> Answer:
        """What the file says.  Never raises: a child that fails is a mistake of the file."""
        try:
            return decode(self._process.run())
        except TimeoutError:
            return self._mistaken(f"reading the file took longer than {self._process.wait_s:g} s; accepted: a smaller file")
        except OSError as error:
            return self._mistaken(f"the file could not be checked: the process that reads it {not_started(error)}")
        except ValueError:
            return self._mistaken(
                f"the file could not be checked within {MEMORY_MIB} MiB and {CPU_S} s "
                f"(the process that reads it ended with {self._process.returncode}); accepted: a smaller file"
            )

    def _mistaken(self, what: str) -> Answer:
        return Answer(mistakes=[f"{self._source}:1: {what}"])

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process.is_running

    def stop(self) -> None:
        """Ends the child if it runs, and keeps it from starting."""
        self._process.stop()
