"""Whether the place of the decision log takes lines: a full disk or a pipe that nobody reads is said while it lasts, not after.

Law of the file: pure.  The log's own thread is not asked: that lines wait and none goes out is seen from outside.
"""

from __future__ import annotations

STALLED_S = 2.0


class Stall:
    """Looked at again and again.  `place`: where the log goes, for the words."""

    __slots__ = ("_moved_s", "_place", "_waited", "_written", "is_stalled")

    def __init__(self, place: str) -> None:
        self._place = place
        self._written = -1
        self._moved_s = 0.0
        self._waited = False
        self.is_stalled = False

    def look(self, written: int, waiting: int, now_s: float) -> str:
        """What is to be said now, "" for nothing.  `written`, `waiting`: lines, since the start and at the moment."""
        waited, self._waited = self._waited, waiting > 0
        if written != self._written or not (waiting and waited):
            self._written, self._moved_s = written, now_s
            was, self.is_stalled = self.is_stalled, False
            return f"{self._place} takes lines of the decision log again" if was else ""
        if self.is_stalled or now_s - self._moved_s < STALLED_S:
            return ""
        self.is_stalled = True
        return (
            f"{self._place} takes no line of the decision log (a full disk, or nobody reads): {waiting} wait, decisions go on; "
            "what does not fit in journal.decisions.queue will be lost"
        )
