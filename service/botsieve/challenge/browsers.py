"""Which browser a fingerprint is: one browser of one network, or many alike that only look like one.

Law of the file: a fingerprint never names anybody alone, only together with its network, and no longer once several devices (or
sessions) of that name come and go side by side: identical machines share one fingerprint, and nobody is taken for a neighbour.
What is kept is a keyed hash, for as long as a device id is valid.
"""

from __future__ import annotations

from botsieve.challenge.device import ID_BYTES
from botsieve.observation import Observation
from botsieve.remembered import Bounded
from botsieve.state.hashing import Hasher

# About 0.6 KiB each.
MAX_BROWSERS = 20_000
MAX_NAMED = 50_000
_MAX_MEMBERS = 8
# Two that come back beside each other are two machines (or a person's window and private window, who loses nothing by being told
# apart): anybody may claim a neighbour's fingerprint, and must not be counted together with that neighbour.
SHARED_FROM = 2


def name_of(key: bytes) -> bytes:
    """The name of a browser beside the ids of devices, which have 8 bytes.  `key`: of Browsers."""
    return b"f" + key


def is_browser(name: bytes) -> bool:
    """Whether it names a browser, which identical machines may be, and not a device."""
    return len(name) > ID_BYTES


class _Browser:
    """`members`: device or session, when it was last heard, whether it came back after another had been heard; the newest last."""

    __slots__ = ("first_s", "members")

    def __init__(self, now_s: float) -> None:
        self.first_s = now_s
        self.members: list[tuple[bytes, float, bool]] = []

    @property
    def is_shared(self) -> bool:
        return sum(came_back for _, _, came_back in self.members) >= SHARED_FROM


class Browsers:
    """What is known of fingerprints, bounded; the oldest go first."""

    __slots__ = ("_browsers", "_hasher", "_named")

    def __init__(self, hasher: Hasher, *, browsers: int = MAX_BROWSERS, named: int = MAX_NAMED) -> None:
        self._hasher = hasher
        self._browsers: Bounded[bytes, _Browser] = Bounded(browsers)
        self._named: Bounded[bytes, bytes] = Bounded(named)

    def key_of(self, o: Observation, fingerprint: str) -> bytes:
        """8 bytes that name this fingerprint in the network of this client."""
        return self._hasher.key(b"browser|%d|%b|%b" % (len(o.network), o.network, fingerprint.encode()))

    def heard(self, key: bytes, member: bytes, now_s: float, valid_s: float, *, is_new: bool) -> bool:
        """Notes that `member` (a device or session) has the fingerprint of `key`; whether its cookie seems to be deleted [S2-47].

        `is_new`: the member was made just now.  A new member of a known browser that is not shared: it was there under another name.
        """
        browser = self._browsers.get(key) or _Browser(now_s)
        known = [entry for entry in browser.members if now_s - entry[1] < valid_s]
        before = next((entry for entry in known if entry[0] == member), None)
        # Somebody older who was not here before, where others are, is another machine.
        beside = bool(known) and not is_new if before is None else known[-1][0] != member
        others = [entry for entry in known if entry[0] != member]
        seems_deleted = before is None and is_new and bool(others) and not browser.is_shared
        came_back = (before is not None and before[2]) or beside
        browser.members = [*others[-(_MAX_MEMBERS - 1) :], (member, now_s, came_back)]
        self._browsers.put(key, browser)
        self._named.put(member, key)
        return seems_deleted

    def is_shared(self, key: bytes) -> bool:
        """Several machines have this fingerprint in this network."""
        browser = self._browsers.get(key)
        return browser is not None and browser.is_shared

    def of(self, member: bytes) -> tuple[bytes, float]:
        """The browser whose device or session this is and since when it is known; b"" if it is not, or is not one.  1 us."""
        key = self._named.get(member)
        browser = self._browsers.get(key) if key is not None else None
        if key is None or browser is None or browser.is_shared:
            return b"", 0.0
        return key, browser.first_s

    def __len__(self) -> int:
        return len(self._browsers)
