"""What each edge has said of the requests that it let pass unjudged: only what is new is counted, also after a restart.

An edge tells a number that grows for as long as the edge runs; the growth is ours to count.  The last numbers lie in `state.dir`,
or a service that starts would count anew everything that was ever let pass.

Law of the file: the file is a help and no truth: without it, or with garbage in it, an edge's number counts from 0; where it
cannot be written nothing else changes.  LIMIT: an edge that was restarted and has passed more than before, before it is heard
again, looks like one that went on.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from botsieve.whole_file import replace_whole

FILE_NAME = "unjudged-heard"
_MAX_TELLERS = 256
_MAX_NAME, _MAX_PEER = 64, 64
_MAX_BYTES = 65_536
_MAX_TOTAL = 10**15
# Requests overtake each other on their way here: a smaller number so soon after a larger one is an older one, no new start.
_OVERTAKEN_S = 1.0

_Rows = list[tuple[str, str, int]]
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Rows)


class Heard:
    """`state_dir`: where the last numbers lie, beginning with `now_s`."""

    __slots__ = ("_is_saved", "_path", "_totals")

    def __init__(self, state_dir: str | Path, now_s: float) -> None:
        self._path = Path(state_dir) / FILE_NAME
        self._totals: dict[tuple[str, bytes], tuple[int, float]] = {
            (edge, peer): (total, now_s) for edge, peer, total in read(self._path)
        }
        self._is_saved = True

    def grown(self, edge: str, peer: bytes, total: int, now_s: float) -> int | None:
        """How many requests are new in `total`, None when it was overtaken by a newer number.

        `peer`: which of several edges of that name says so, b"" on a Unix socket.  A smaller number is that of an edge that
        was started anew.
        """
        key = (edge, peer)
        before, since_s = self._totals.get(key, (0, 0.0))
        if total < before and now_s - since_s < _OVERTAKEN_S:
            return None
        if len(self._totals) >= _MAX_TELLERS and key not in self._totals:
            return 0  # an edge more than anybody has: not counted rather than counted twice
        self._totals[key] = (total, now_s)
        self._is_saved = self._is_saved and total == before
        return total - before if total >= before else total

    def save(self) -> None:
        """Writes the numbers, if they changed.  Where that cannot be done it is tried again."""
        if self._is_saved:
            return
        rows = [(edge[:_MAX_NAME], peer.hex(), total) for (edge, peer), (total, _) in self._totals.items()]
        with contextlib.suppress(OSError):
            replace_whole(self._path, [_encode(rows)], lasting=False)  # the loop waits for it
            self._is_saved = True

    def __len__(self) -> int:
        return len(self._totals)


def read(path: Path) -> list[tuple[str, bytes, int]]:
    """The rows of a file; what is no such file has none.  Edge, peer, total."""
    try:
        with path.open("rb") as file:
            rows = _decoder.decode(file.read(_MAX_BYTES))
        return [(edge, bytes.fromhex(peer), total) for edge, peer, total in rows[:_MAX_TELLERS] if _is_sane(edge, peer, total)]
    except (OSError, ValueError, msgspec.MsgspecError):
        return []


def _is_sane(edge: str, peer: str, total: int) -> bool:
    return len(edge) <= _MAX_NAME and len(peer) <= _MAX_PEER and 0 <= total < _MAX_TOTAL
