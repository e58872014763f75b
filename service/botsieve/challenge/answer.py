"""What a visitor is answered by us: pages, problem documents, assets, the result of a solution.

Law of the file: a plain frozen value.  A transport writes it as it is and adds `Content-Length`.
"""

from __future__ import annotations

import msgspec

# What happened, for `botsieve_challenges_total` (docs/names.md).  "" when nothing of a challenge happened.
ISSUED, LOADED, SOLVED, FAILED = "issued", "loaded", "solved", "failed"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One HTTP answer.

    `headers`: names and values in order, printable ASCII.  `event`: ISSUED, LOADED, SOLVED, FAILED or "".  `level`: the level
    of the challenge that the event is about, "" only without an event.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    event: str = ""
    level: str = ""

    def header(self, name: str) -> str:
        """The first header of that name in any case, "" if there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")
