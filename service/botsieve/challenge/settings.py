"""What an operator can set of the challenge.  Defaults are the packaged ones (docs/settings.md, section `challenge`).

Law of the file: what was built is valid.  A value out of bounds is a ValueError that names the key and what is accepted; the
configuration loader says the same earlier and with a line number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from botsieve.decision import LEVELS

# Below 8 bits a random answer to all puzzles would pass for free; above 22 a phone does not finish within 30 s.
MIN_BITS, MAX_BITS = 8, 22
# A body of 8 KiB holds 64 answers of ten digits many times over.
MIN_PUZZLES, MAX_PUZZLES = 1, 64
# The growth of a clearance is counted over its life, which must therefore not exceed the 24 h that `roam` speaks of.
MAX_CLEARANCE_S = 86_400
# Of `prefix`, as a pattern, and its longest.  It is also written into nginx files, where none of these characters means anything.
PREFIX, MAX_PREFIX = r"/(?:[A-Za-z0-9._~-]+/)+", 64

_MAIL = re.compile(r"(?:mailto:)?[^\s:@<>\"']+@[^\s:@<>\"']+")
_LINK = re.compile(r"https?://[^\s<>\"']+")


class LevelSettings(msgspec.Struct, frozen=True):
    """The work of one level: `puzzles` answers, each with `bits` leading zero bits."""

    puzzles: int
    bits: int


class NoJsSettings(msgspec.Struct, frozen=True):
    """The path for browsers without script.  It is offered below `score_below`; the wait is enforced here, not in the page."""

    enabled: bool = True
    wait_s: int = 5
    clearance_s: int = 300
    score_below: int = 60


DEFAULT_LEVELS: Mapping[str, LevelSettings] = MappingProxyType(
    {
        "light": LevelSettings(16, 12),
        "normal": LevelSettings(16, 14),
        "hard": LevelSettings(16, 16),
    }
)


class ChallengeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Section `challenge` of the configuration; `keys_file` and `providers` belong to the edges.

    `contact`: a mail address (with or without `mailto:`) or an http(s) link, "" for none.  `show_id`: send `X-Botsieve-Id` to
    the visitor (`client_headers` other than none); `show_all`: and verdict, score and reasons (all).
    """

    prefix: str = "/.botsieve/"
    page_status: int = 403
    levels: Mapping[str, LevelSettings] = DEFAULT_LEVELS
    valid_s: int = 300
    clearance_s: int = 1800
    roam: int = 4
    clearance_requests: int = 300
    per_prefix_per_min: int = 60
    no_js: NoJsSettings = NoJsSettings()
    loop_limit: int = 3
    contact: str = ""
    show_id: bool = True
    show_all: bool = False

    def __post_init__(self) -> None:
        _demand(bool(re.fullmatch(PREFIX, self.prefix)), "prefix", "a path such as /.botsieve/, beginning and ending with /")
        _demand(self.page_status == 200 or 400 <= self.page_status <= 499, "page_status", "200, or 400 to 499")
        _demand(set(self.levels) == set(LEVELS), "levels", "exactly " + ", ".join(LEVELS))
        for name, level in self.levels.items():
            _demand(MIN_BITS <= level.bits <= MAX_BITS, f"levels.{name}.bits", f"{MIN_BITS} to {MAX_BITS}")
            _demand(MIN_PUZZLES <= level.puzzles <= MAX_PUZZLES, f"levels.{name}.puzzles", f"{MIN_PUZZLES} to {MAX_PUZZLES}")
        _demand(30 <= self.valid_s <= 3600, "valid_s", "30 to 3600")
        _demand(1 <= self.clearance_s <= MAX_CLEARANCE_S, "clearance_s", f"1 to {MAX_CLEARANCE_S}")
        _demand(0 <= self.roam <= 64, "roam", "0 to 64")
        _demand(1 <= self.clearance_requests <= 1_000_000, "clearance_requests", "1 to 1000000")
        _demand(1 <= self.per_prefix_per_min <= 1_000_000, "per_prefix_per_min", "1 to 1000000")
        _demand(1 <= self.loop_limit <= 100, "loop_limit", "1 to 100")
        _demand(1 <= self.no_js.wait_s <= 60, "no_js.wait_s", "1 to 60")
        _demand(1 <= self.no_js.clearance_s <= MAX_CLEARANCE_S, "no_js.clearance_s", f"1 to {MAX_CLEARANCE_S}")
        _demand(0 <= self.no_js.score_below <= 101, "no_js.score_below", "0 to 101")
        _demand(
            not self.contact or bool(self.contact_link),
            "contact",
            "a mail address, or a link beginning with https:// or http://",
        )

    @property
    def contact_link(self) -> str:
        """`contact` as the target of a link, "" for none."""
        if len(self.contact) > 500:
            return ""
        if _MAIL.fullmatch(self.contact):
            return self.contact if self.contact.startswith("mailto:") else "mailto:" + self.contact
        return self.contact if _LINK.fullmatch(self.contact) else ""


def _demand(holds: bool, key: str, accepted: str) -> None:
    if not holds:
        raise ValueError(f"challenge.{key} is out of bounds; accepted: {accepted}")
