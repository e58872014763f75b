"""The form "I am human" of the block page, and what is made of what it posts.

Law of the file: a plain form, without script; only an id that was given is heard, once; any bytes get an answer.  It changes no
decision: it tells the operator (`botsieve feedback list`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.binding import prefix_of
from botsieve.challenge.limits import PerMinute
from botsieve.challenge.pages import busy_page, late_page, problem, thanks_page
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.solution import same_origin
from botsieve.decision import Decision
from botsieve.observation import Observation
from botsieve.remembered import Bounded

TAKEN, REPEATED, UNKNOWN, REFUSED = "taken", "repeated", "unknown", "refused"
OUTCOMES = (TAKEN, REPEATED, UNKNOWN, REFUSED)
MAX_BODY = 256
# guess: an office behind one address has some people who are refused in one minute, not dozens.
PER_PREFIX_PER_MIN = 10
# As many as the service remembers decisions that it gave (service.py, twice 20,000).
MAX_TOLD = 40_000
_BODY = re.compile(rb"id=((?:[0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4})")
_FORM = b"application/x-www-form-urlencoded"


class Heard(msgspec.Struct, frozen=True):
    """What came of one post.  `decision`: the one it is about, when it is to be kept (outcome TAKEN)."""

    answer: Answer
    outcome: str
    decision: Decision | None = None


class FeedbackDesk:
    """Takes posts of the form; remembers whose ids were told and how often a prefix posts."""

    def __init__(self) -> None:
        self._posts = PerMinute()
        self._told: Bounded[str, bool] = Bounded(MAX_TOLD)

    def take(
        self, o: Observation, body: bytes, settings: ChallengeSettings, given: Callable[[str], Decision | None], now_s: float
    ) -> Heard:
        """What to answer and what to keep.  `given(id)`: a decision whose page was shown, None for others."""
        refusal = self._refusal(o, body, settings)
        if refusal is not None:
            return Heard(refusal, REFUSED)
        if not self._posts.allows(prefix_of(o), PER_PREFIX_PER_MIN, now_s):
            return Heard(busy_page(o, settings), REFUSED)
        self._posts.count(prefix_of(o), now_s)
        match = _BODY.fullmatch(body)
        decision = given(match.group(1).decode()) if match is not None else None
        if decision is None:
            return Heard(late_page(o, settings, b""), UNKNOWN)
        answer = thanks_page(o, settings, decision.id)
        if self._told.get(decision.id):
            return Heard(answer, REPEATED)
        self._told.put(decision.id, True)
        return Heard(answer, TAKEN, decision)

    def _refusal(self, o: Observation, body: bytes, settings: ChallengeSettings) -> Answer | None:
        if not same_origin(o):
            title, code, status = "Only this site's own pages may send this", "botsieve_cross_site", 403
        elif len(body) > MAX_BODY:
            title, code, status = "The message is too large", "botsieve_too_large", 413
        elif not o.header(b"content-type").lower().startswith(_FORM):
            title, code, status = "Only a form is accepted", "botsieve_content_type", 415
        else:
            return None
        return problem(settings, status=status, title=title, code=code)
