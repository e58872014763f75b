"""The desk that hands out challenges and takes solutions: all that an edge needs to know of this package.

Law of the file: nothing a client sends raises; only the whole list of checks, cheapest first, leads to a clearance, and its
nonce is spent before the clearance is made.  What is refused gets a code and no detail.
"""

from __future__ import annotations

import re

import msgspec

from botsieve.challenge import nojs, pow
from botsieve.challenge.answer import FAILED, ISSUED, SOLVED, Answer
from botsieve.challenge.assets import asset_answer
from botsieve.challenge.binding import prefix_of, who_of, wide_prefix_of
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.device_desk import DeviceDesk
from botsieve.challenge.feedback import FeedbackDesk
from botsieve.challenge.human_desk import HumanDesk
from botsieve.challenge.issue import Challenge, Issuer
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.limits import PerMinute
from botsieve.challenge.nojs import Wait
from botsieve.challenge.pages import (
    Puzzle,
    block_page,
    busy_page,
    challenge_page,
    early_page,
    late_page,
    never_kept,
    problem,
    resend_page,
)
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.challenge.solution import parse_solution, same_origin
from botsieve.challenge.spent import SpentNonces
from botsieve.challenge.tokens import SKEW_S
from botsieve.decision import CHALLENGE, LEVELS
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import Observation
from botsieve.state.hashing import Hasher

MAX_BODY = 8192
# guess: of ten attempts one is good; beyond it the prefix is not listened to for the rest of the minute.
ATTEMPTS_PER_SOLUTION = 10
# guess: any script can wait, so waiting gets a tenth of the solutions that one prefix may have.
SOLUTIONS_PER_WAIT = 10
# guess: phones of one carrier share a /48, and a few hundred a minute may be asked at once; who holds one has 65,536 quotas of a /64.
PREFIXES_OF_A_48 = 16
# What a decision id looks like; it becomes a header and is shown.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
# code, status, title of what `solve` refuses.  `elsewhere`: another process issued it, or this one before it was started again.
_REFUSALS = {
    "method": (405, "Only POST is accepted"),
    "cross_site": (403, "Only this site's own pages may send solutions"),
    "too_large": (413, "The solution is too large"),
    "content_type": (415, "Only application/json is accepted"),
    "too_many": (429, "Too many solutions from this network"),
    "malformed": (400, "The solution is malformed"),
    "invalid": (403, "The challenge is not valid here"),
    "expired": (403, "The challenge has expired"),
    "elsewhere": (409, "The challenge has to be fetched again"),
    "spent": (409, "The challenge was redeemed already"),
    "work": (403, "The work is not done"),
}


class ChallengeDesk:
    """Pages, assets, solutions and waits; `clearances` and `sessions` are what the engine asks."""

    def __init__(self, settings: ChallengeSettings, keys: KeyRing, process_id: bytes) -> None:
        """`process_id`: 1 to 16 bytes, random at every start of every process."""
        self.settings = settings
        self.clearances = Clearances(settings, keys)
        self.sessions = Sessions(keys)
        self.device = DeviceDesk(keys, Hasher(keys.key(keys.newest_kid) or b""), Catalogue.builtin())
        self._issuer = Issuer(settings, keys, process_id)
        self._spent = SpentNonces()
        self._solutions = PerMinute()
        self._attempts = PerMinute()
        self._waits = PerMinute()
        self.human = HumanDesk(keys, process_id)
        self.feedback = FeedbackDesk()

    def apply(self, settings: ChallengeSettings, keys: KeyRing) -> None:
        """Takes new settings and keys; what is remembered stays."""
        self.settings = settings
        self.clearances.apply(settings, keys)
        self.sessions.apply(keys)
        self._issuer = Issuer(settings, keys, self._issuer.process_id)
        self.human.tokens.keys = keys

    def answer(
        self,
        o: Observation,
        *,
        verdict: str,
        level: str = "",
        decision_id: str,
        retry_after_s: int = 0,
        score: int,
        now_s: float,
        random16: bytes,
    ) -> Answer:
        """The second hop: what the visitor gets for a verdict other than allow (docs/headers.md).

        `level`: "" for normal; it is raised if an earlier clearance was spoiled.  `random16`: 16 random bytes, new each time.
        """
        decision_id = decision_id if _ID.fullmatch(decision_id) else ""
        if verdict == CHALLENGE:
            wanted = level if level in LEVELS else "normal"
            return self._challenge(o, self.clearances.next_level(o, wanted, now_s), decision_id, score, now_s, random16)
        if o.wants_document:
            return block_page(o, self.settings, decision_id, retry_after_s)
        if retry_after_s <= 0:
            return problem(self.settings, status=403, title="Blocked", code="botsieve_block", decision_id=decision_id)
        limited = problem(self.settings, status=429, title="Too many requests", code="botsieve_rate", decision_id=decision_id)
        return _with(limited, ("Retry-After", str(retry_after_s)))

    def asset(self, path: bytes) -> Answer | None:
        """Script, worker or style; `path` is the canonical path with the prefix.  None if it is none of ours."""
        prefix = self.settings.prefix.encode()
        return asset_answer(path[len(prefix) :]) if path.startswith(prefix) else None

    def solve(self, o: Observation, body: bytes, now_s: float) -> Answer:
        """`POST solve`: 204 with a clearance, or a 4xx problem document whose `code` is `botsieve_` and a key of _REFUSALS."""
        refusal = self._unheard(o, body, now_s)
        if refusal:
            return self._refused(refusal)
        self._attempts.count(prefix_of(o), now_s)
        solution = parse_solution(body)
        if solution is None:
            return self._refused("malformed")
        token = solution.token.encode("utf-8", "replace")
        challenge = self._issuer.open(o, token)
        if challenge is None:
            return self._refused("invalid")
        refusal = self._unredeemable(challenge, now_s)
        if refusal:
            return self._refused(refusal, challenge.level)
        if not pow.holds(token, challenge.puzzles, challenge.bits, solution.answers):
            return self._refused("work", challenge.level)
        cookie = self._redeem(o, challenge, self._solutions, self.settings.per_prefix_per_min, now_s)
        if cookie in _REFUSALS:
            return self._refused(cookie, challenge.level)
        return Answer(204, (*never_kept(self.settings, ""), ("Set-Cookie", cookie)), event=SOLVED, level=challenge.level)

    def wait(self, o: Observation, now_s: float) -> Answer:
        """`GET wait?t=...`: to the page that was asked for with a short clearance, or a page that says why not."""
        if o.method != b"GET":
            return self._refused("method")
        token = _parameter(o.query, b"t")
        wait = nojs.open_wait(self._issuer, o, token) if self.settings.no_js.enabled else None
        if wait is None:
            return late_page(o, self.settings, b"")
        if now_s < wait.not_before_s:
            return self._waited_badly(
                wait, early_page(o, self.settings, token.decode("ascii"), int(wait.not_before_s - now_s) + 1)
            )
        if self._unredeemable(wait, now_s):
            return self._waited_badly(wait, late_page(o, self.settings, wait.target))
        per_min = max(1, self.settings.per_prefix_per_min // SOLUTIONS_PER_WAIT)
        cookie = self._redeem(o, wait, self._waits, per_min, now_s)
        if cookie in _REFUSALS:
            page = busy_page(o, self.settings) if cookie == "too_many" else late_page(o, self.settings, wait.target)
            return self._waited_badly(wait, page)
        return self._arrive(o, wait, cookie)

    def _challenge(self, o: Observation, level: str, decision_id: str, score: int, now_s: float, random16: bytes) -> Answer:
        work = self.settings.levels[level]
        token = self._issuer.seal(o, level, now_s, random16)
        if o.wants_document:
            self.clearances.note_vain(o, now_s)
            offered = nojs.is_offered(self.settings, level, score)
            puzzle = Puzzle(
                level=level,
                token=token,
                puzzles=work.puzzles,
                bits=work.bits,
                wait=nojs.seal_wait(self._issuer, o, level, now_s, random16) if offered else "",
                form=o.method not in (b"GET", b"HEAD"),
                loop=self.clearances.loops.is_caught(who_of(o), self.settings.loop_limit, now_s),
            )
            answer = challenge_page(o, self.settings, puzzle, decision_id)
        else:
            asked = {"token": token, "puzzles": work.puzzles, "bits": work.bits, "solve": self.settings.prefix + "solve"}
            answer = problem(
                self.settings,
                status=403,
                title="Challenge required",
                code="botsieve_challenge",
                decision_id=decision_id,
                more={"challenge": asked},
            )
        return msgspec.structs.replace(answer, event=ISSUED, level=level)

    def _unheard(self, o: Observation, body: bytes, now_s: float) -> str:
        """Why a solution is not even read, "" if it is."""
        if o.method != b"POST":
            return "method"
        if not same_origin(o):
            return "cross_site"
        if len(body) > MAX_BODY:
            return "too_large"
        if not o.header(b"content-type").lower().startswith(b"application/json"):
            return "content_type"
        attempts = self.settings.per_prefix_per_min * ATTEMPTS_PER_SOLUTION
        return "" if self._attempts.allows(prefix_of(o), attempts, now_s) else "too_many"

    def _unredeemable(self, asked: Challenge | Wait, now_s: float) -> str:
        """Why a token of ours cannot be redeemed (any more), "" if it can."""
        if now_s >= asked.expires_s:
            return "expired"
        if asked.process != self._issuer.process_id:
            return "elsewhere"
        return "spent" if asked.nonce in self._spent else ""

    def _redeem(self, o: Observation, asked: Challenge | Wait, quota: PerMinute, per_min: int, now_s: float) -> str:
        """The Set-Cookie value, or the key of a refusal.  Spends before it mints."""
        prefix, wide = prefix_of(o), wide_prefix_of(o)
        if not quota.allows(prefix, per_min, now_s) or (wide and not quota.allows(wide, per_min * PREFIXES_OF_A_48, now_s)):
            return "too_many"
        if not self._spent.spend(asked.nonce, asked.expires_s - now_s + SKEW_S, now_s):
            return "spent"
        quota.count(prefix, now_s)
        if wide:
            quota.count(wide, now_s)
        no_js = isinstance(asked, Wait)
        cookie = self.clearances.mint(
            o, nonce=asked.nonce, level=asked.level, no_js=no_js, place=asked.place, family=asked.family, now_s=now_s
        )
        return cookie or "invalid"

    def _arrive(self, o: Observation, wait: Wait, cookie: str) -> Answer:
        if not wait.target:
            answer = resend_page(o, self.settings, cookie)
        else:
            headers = (("Location", wait.target.decode("ascii")), *never_kept(self.settings, ""), ("Set-Cookie", cookie))
            answer = Answer(303, headers)
        return msgspec.structs.replace(answer, event=SOLVED, level=wait.level)

    def _waited_badly(self, wait: Wait, page: Answer) -> Answer:
        return msgspec.structs.replace(page, event=FAILED, level=wait.level)

    def _refused(self, refusal: str, level: str = "") -> Answer:
        status, title = _REFUSALS[refusal]
        answer = problem(self.settings, status=status, title=title, code=f"botsieve_{refusal}")
        if status == 405:
            answer = _with(answer, ("Allow", "POST"))
        if status == 429:
            answer = _with(answer, ("Retry-After", "60"))
        # Without a token of ours no challenge failed: what was posted is rubbish, and belongs to no level.
        return msgspec.structs.replace(answer, event=FAILED, level=level) if level else answer


def _parameter(query: bytes, wanted: bytes) -> bytes:
    """A query parameter of ours: the first of that name, b"" if there is none."""
    for part in query.split(b"&", 8)[:8]:
        key, _, value = part.partition(b"=")
        if key == wanted:
            return value
    return b""


def _with(answer: Answer, header: tuple[str, str]) -> Answer:
    return msgspec.structs.replace(answer, headers=(*answer.headers, header))
