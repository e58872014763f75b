"""How fast addresses open sessions: a count for everybody, a profile with a history for those who open many.

Law of the file: an address that opens few sessions is one entry in a dict that is dropped after `over_s`; it gets a profile from a
fifth of the minimum on, and the profile knows every opening of the window.  Usual is what came back: a session counts for what is
usual when its cookie does, never while its address attacks; so a flood without cookies moves nothing.
Source: docs/mission.md S2-38, S2-40.
"""

from __future__ import annotations

from math import ceil

from botsieve.detectors.settings import SessionOpening
from botsieve.state.parts import Windowed

PARTS = 10  # of the time that a rate is measured over
HISTORY = 12  # slices of what is usual
KNOWN_AFTER_S = 600.0  # no relative verdict before
KEPT_FROM = 5  # a fifth of the minimum
# Entries of one dict; an address beyond them opens its first session of this part of a second unseen.
_MAX_COUNTED = 65_536
# By sys.getsizeof; tests/unit/attacks/test_opener.py keeps it honest.
OPENER_BYTES = 1_150


class Usual:
    """Sessions that came back, in the windows of `over_s` in which any did, of the last `history_s`.

    `since_s`: when this was looked at first, 0.0: never.
    """

    __slots__ = ("last_window", "sessions", "since_s", "windows")

    def __init__(self, since_s: float = 0.0) -> None:
        self.sessions = Windowed(HISTORY)
        self.windows = Windowed(HISTORY)
        self.since_s = since_s
        self.last_window = 0

    def came_back(self, now_s: float, settings: SessionOpening) -> None:
        """A session of the one address that this is about came back for the first time."""
        window = int(now_s / settings.over_s)
        self.add(now_s, settings, is_first=window != self.last_window)
        self.last_window = window

    def add(self, now_s: float, settings: SessionOpening, *, is_first: bool) -> None:
        """A session came back; `is_first`: of its address in this window."""
        number = int(now_s * HISTORY / settings.history_s)
        self.sessions.add(number)
        if is_first:
            self.windows.add(number)

    def per_s(self, now_s: float, settings: SessionOpening) -> float | None:
        """Sessions a second while any are opened; None while too little is known."""
        if not self.since_s or now_s - self.since_s < KNOWN_AFTER_S:
            return None
        number = int(now_s * HISTORY / settings.history_s)
        windows = self.windows.read(number)
        return self.sessions.read(number) / (windows * settings.over_s) if windows > 0 else None


class Opener:
    """An address that opens many sessions.  `recent`: openings; `usual`: its own history; `site`: where."""

    __slots__ = ("recent", "site", "usual")

    def __init__(self, site: Counted, now_s: float) -> None:
        self.recent = Windowed(PARTS)
        self.usual = Usual(now_s)
        self.site = site

    def opened(self, now_s: float, settings: SessionOpening) -> int:
        """Counts an opening; how many there were within `over_s`."""
        return self.recent.add(int(now_s * PARTS / settings.over_s))


class Counted:
    """The openings of all addresses of one site within `over_s`, and what is usual on it.

    `over_s`, `history_s`: of the settings that it was made for.
    """

    __slots__ = ("_addresses", "_parts", "_settings", "_window", "history_s", "over_s", "usual")

    def __init__(self, settings: SessionOpening) -> None:
        self._settings = settings  # the last that fitted
        self.over_s = settings.over_s
        self.history_s = settings.history_s
        self.usual = Usual()
        self._parts: dict[int, dict[bytes, int]] = {}
        self._window = 0
        self._addresses: set[bytes] = set()

    def fits(self, settings: SessionOpening) -> bool:
        """Whether it measures as these settings do."""
        if self._settings is not settings:
            if self.over_s != settings.over_s or self.history_s != settings.history_s:
                return False
            self._settings = settings
        return True

    def opened(self, key: bytes, now_s: float, settings: SessionOpening) -> bool:
        """Counts an opening; true when the address opened enough in this part of the window to get a profile.

        An address that opens a fifth of the minimum over the whole window does so in one of its parts at least.
        """
        number = int(now_s * PARTS / self.over_s)
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = {}
            for old in [one for one in self._parts if one <= number - PARTS]:
                del self._parts[old]
        count = part.get(key, 0) + 1
        if count > 1 or len(part) < _MAX_COUNTED:
            part[key] = count
        return count >= ceil(settings.minimum_per_s * self.over_s / (KEPT_FROM * PARTS))

    def moved(self, key: bytes, opener: Opener) -> None:
        """Hands the openings of an address over to its profile."""
        for number in sorted(self._parts):
            count = self._parts[number].pop(key, 0)
            if count:
                opener.recent.add(number, count)

    def came_back(self, key: bytes, now_s: float, settings: SessionOpening) -> None:
        """A session of this address came back for the first time."""
        if not self.usual.since_s:
            self.usual.since_s = now_s
        window = int(now_s / self.over_s)
        if window != self._window:
            self._window, self._addresses = window, set()
        is_first = key not in self._addresses
        if is_first and len(self._addresses) < _MAX_COUNTED:
            self._addresses.add(key)
        self.usual.add(now_s, settings, is_first=is_first)
