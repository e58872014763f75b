"""`sessions.opening` [S2-35..S2-44]: sessions opened too fast from one address.

Law of the file: a session is opened when a page load comes without a valid cookie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botsieve.attacks.types import NOTHING, Ruling
from botsieve.detectors.settings import SessionOpening

if TYPE_CHECKING:
    from botsieve.attacks.book import Request
    from botsieve.attacks.preventions import Preventions


class Openings:
    """What is remembered of the addresses that open sessions."""

    __slots__ = ("preventions",)

    def __init__(self, preventions: Preventions) -> None:
        self.preventions = preventions

    def judge(self, request: Request, settings: SessionOpening) -> Ruling:
        """Counts an opening, and rules on this request by the openings of its address."""
        return NOTHING
