"""The pause: a file in `state.dir` that puts every policy into monitor mode while it is there.

Law of the file: the file is the truth.  It outlives a restart, and whoever makes or removes it by hand is obeyed at the next
`poll`.  A directory that cannot be read changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from botsieve.errors import MachineError

FILE_NAME = "paused"


class PauseSwitch:
    """Whether the service is paused.  `paused` is what was true at the last look."""

    __slots__ = ("_path", "paused")

    def __init__(self, state_dir: str | Path) -> None:
        self._path = Path(state_dir) / FILE_NAME
        self.paused = False
        self.poll()

    def poll(self) -> bool:
        """Looks at the file (some microseconds); whether `paused` changed."""
        try:
            os.stat(self._path)
            there = True
        except FileNotFoundError:
            there = False
        except OSError:
            return False  # not readable is not "resumed"
        changed = there != self.paused
        self.paused = there
        return changed

    def set(self) -> bool:
        """Pauses; whether that changed anything.  Errors: MachineError when the file cannot be written."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise _refused(self._path, error) from error
        return self.poll()

    def clear(self) -> bool:
        """Ends the pause; whether that changed anything.  Errors: MachineError when the file cannot be removed."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(self._path, error) from error
        return self.poll()


def _refused(path: Path, error: OSError) -> MachineError:
    return MachineError(f"{path}: {error.strerror}; accepted: a state.dir that this user may write")
