"""*Bot activity detected* [S2-65]: our script goes out with the pages of a client and hardly ever answers.

Law of the file: a page view counts as an injection where `browser.inject` puts the script into every page, the fetching of a page's
token as its reply.  Told only in mode `monitor`, and only told: who has switched scripts off is no bot.
"""

from __future__ import annotations

from botsieve.attacks.types import BOT_ACTIVITY, IGNORE
from botsieve.decision import MONITOR, Measure, Violation
from botsieve.detectors.settings import HumanInteraction
from botsieve.observation import NAVIGATION, Observation
from botsieve.policy import Policy
from botsieve.remembered import Bounded

DETECTOR = "human.interaction"
# F5's ratio cannot be set; these are the numbers of docs/mission.md.
RATIO = 3
INJECTIONS_AT_LEAST = 30
# What was long ago weighs half.
_MANY = 4 * INJECTIONS_AT_LEAST
MAX_CLIENTS = 50_000


class Activity:
    """Injections and replies of each narrow subject; who was heard of longest ago is forgotten first."""

    __slots__ = ("_counts",)

    def __init__(self, limit: int = MAX_CLIENTS) -> None:
        self._counts: Bounded[bytes, tuple[int, int]] = Bounded(limit)

    def page(self, o: Observation, policy: Policy, subject: str, key: bytes) -> Violation | None:
        """A page goes out with our script; the violation if too few of those before it answered.  `key`: the narrow subject's."""
        settings = policy.thresholds.get(DETECTOR)
        if not isinstance(settings, HumanInteraction) or settings.action == IGNORE or policy.mode != MONITOR:
            return None
        if o.kind != NAVIGATION or o.method != b"GET" or not o.wants_document:
            return None
        injections, replies = self._counts.get(key) or (0, 0)
        # The page of this very request cannot have answered yet.
        broken = injections >= INJECTIONS_AT_LEAST and injections > RATIO * replies
        self._keep(key, injections + 1, replies)
        if not broken:
            return None
        return Violation(
            DETECTOR,
            BOT_ACTIVITY,
            subject,
            key,
            "alarm",
            (
                Measure("injections", injections, INJECTIONS_AT_LEAST),
                Measure("injections_per_reply", round(injections / max(1, replies), 1), RATIO),
            ),
            0.0,
        )

    def reply(self, key: bytes) -> None:
        """The script of a page answered."""
        injections, replies = self._counts.get(key) or (0, 0)
        self._keep(key, injections, replies + 1)

    def _keep(self, key: bytes, injections: int, replies: int) -> None:
        if injections >= _MANY or replies >= _MANY:
            injections, replies = injections // 2, replies // 2
        self._counts.put(key, (injections, replies))

    def __len__(self) -> int:
        return len(self._counts)
