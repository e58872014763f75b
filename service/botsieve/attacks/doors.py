"""Doors: a client's name (address, TLS signature, User-Agent) under which several people come in side by side.

Law of the file: a session that came back beside another one, which was seen after it was opened, is somebody else than that one: it
names a client of its own at once.  Sessions that follow each other, each left before the next is opened, stay one client: that is what
a scraper does which opens one every few requests.
LIMIT: who keeps several sessions going side by side is several clients, as who lets them grow five minutes old was before.
"""

from __future__ import annotations

from botsieve.challenge.session import Session
from botsieve.remembered import Spread

# guess: for so long after two people came in side by side.
SHARED_S = 1800.0
MAX_DOORS = 32_768  # about 250 B each


class _Door:
    """`last`: the session seen last, `other_s`: when another one than that was.  `beside_s`: when two came side by side."""

    __slots__ = ("beside_s", "last", "last_s", "other_s")

    def __init__(self, last: bytes, now_s: float) -> None:
        self.last = last
        self.last_s = now_s
        self.other_s = 0.0
        self.beside_s = 0.0


class Doors:
    """By the World's key of the client.  Bounded; the doors that nobody came to for longest go first."""

    __slots__ = ("_doors",)

    def __init__(self, most: int = MAX_DOORS) -> None:
        self._doors: Spread[_Door] = Spread(most // 2)  # there are two generations

    def came(self, name: bytes, session: Session, now_s: float) -> bool:
        """A session under this name; true when it is there beside others."""
        door = self._doors.get(name)
        if door is None:
            self._doors.put(name, _Door(session.id, now_s))
            return False
        if door.last != session.id:
            door.last, door.other_s = session.id, door.last_s
        door.last_s = now_s
        if door.other_s < session.opened_s + 1:  # opened_s is whole seconds
            return False
        door.beside_s = now_s
        return True

    def is_shared(self, name: bytes, now_s: float) -> bool:
        """Several people came in under this name lately."""
        door = self._doors.get(name)
        return door is not None and now_s - door.beside_s < SHARED_S

    def __len__(self) -> int:
        return len(self._doors)
