"""Setting the wall clock of single processes while they run, as `date --set` sets that of a machine (stepped.c).

Law of the file: the machine's own clock is never touched; monotonic clocks go on, as they do when a machine's clock is set.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("stepped.c")


class SteppedClock:
    """Compiled into `folder` (needs cc).  Processes that are started with `environment` obey `step`."""

    def __init__(self, folder: Path) -> None:
        library = folder / "stepped.so"
        self._file = folder / "clock-offset"
        self._offset_s = 0.0
        self._file.write_bytes(struct.pack("=q", 0))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-nostdlib", "-o", library, SOURCE], check=True, capture_output=True)
        self.environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._file)}

    def step(self, by_s: float) -> None:
        """Sets the clock on or back, beside what it was set by before."""
        self._offset_s += by_s
        with self._file.open("r+b") as file:  # in place: the processes have it mapped
            file.write(struct.pack("=q", int(self._offset_s * 1e9)))
