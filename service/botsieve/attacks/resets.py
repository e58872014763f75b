"""`sessions.resets` [S2-45..S2-50]: a device that loses its identity too often.

Law of the file: expiry and browsers that clear their storage are no faults; a fault is told by who saw it, never guessed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botsieve.attacks.preventions import Preventions


class Resets:
    """Faults and deletions by device and by fingerprint."""

    __slots__ = ("preventions",)

    def __init__(self, preventions: Preventions) -> None:
        self.preventions = preventions
