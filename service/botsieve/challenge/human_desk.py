"""The desk that hears the pages' script: gives a token to each opened page, and says what a report shows.

Law of the file: nothing a client sends raises or is slow; checks come cheapest first.  A report is scored and dropped: neither its
events nor what it showed of whom is kept here.
"""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.assets import stripped
from botsieve.challenge.binding import prefix_of
from botsieve.challenge.events import MAX_REPORT, Event, InvalidReport, parse_events, split_report
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.limits import PerMinute
from botsieve.challenge.page_token import PageTokens
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import IRREGULAR, Finding, score
from botsieve.challenge.solution import same_origin
from botsieve.observation import Observation

# guess: a thousand people behind one address who open two pages a minute; at most 1 % of the time of a core.
PER_PREFIX_MIN = 6_000
# A report tells of no more time than has passed; so much is for clocks and slow networks.
_SLACK_S = 30.0

_NO_STORE = ("Cache-Control", "no-store")
_TYPE = ("Content-Type", "text/plain; charset=utf-8")
_SCRIPT_HEADERS = (
    ("Content-Type", "text/javascript; charset=utf-8"),
    # The page's author writes its name, so it cannot change with the content: a change reaches everybody in five minutes.
    ("Cache-Control", "public, max-age=300"),
    ("X-Content-Type-Options", "nosniff"),
)
_REFUSED = {
    "off": Answer(404, (_NO_STORE,)),
    "method": Answer(405, (("Allow", "GET, HEAD, POST"), _NO_STORE)),
    "cross_site": Answer(403, (_NO_STORE,)),
    "too_large": Answer(413, (_NO_STORE,)),
    "too_many": Answer(429, (("Retry-After", "60"), _NO_STORE)),
    "malformed": Answer(400, (_NO_STORE,)),
    "invalid": Answer(403, (_NO_STORE,)),
    "taken": Answer(409, (_NO_STORE,)),
}
_TAKEN = Answer(204, (_NO_STORE,))
_SPACE = re.compile(r" ?([=+<>!&|?:;,(){}-]+) ?")


def _dense(text: bytes) -> bytes:
    """Without the spaces beside operators; h.js has none of them inside a text."""
    return _SPACE.sub(r"\1", text.decode()).encode()


COLLECTOR = _dense(stripped((files("botsieve") / "web" / "h.js").read_text("utf-8")))


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What became of one call: the answer, and what a report showed (None: nothing was taken)."""

    answer: Answer
    finding: Finding | None = None


class HumanDesk:
    """Tokens and reports of one process.  `enabled`: `browser.events`."""

    __slots__ = ("_calls", "enabled", "tokens")

    def __init__(self, keys: KeyRing, process_id: bytes, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.tokens = PageTokens(keys, process_id)
        self._calls = PerMinute()

    def apply(self, keys: KeyRing, *, enabled: bool) -> None:
        """Takes new settings and keys; what is remembered stays."""
        self.enabled = enabled
        self.tokens.keys = keys

    def open(self, o: Observation, now_s: float, random8: bytes) -> Answer:
        """`GET e`: the token of a page that was just opened, as text, or a 4xx.  `random8`: 8 random bytes."""
        refusal = self._unheard(o, now_s)
        if refusal:
            return _REFUSED[refusal]
        return Answer(200, (_TYPE, _NO_STORE), self.tokens.issue(o, now_s, random8).encode())

    def hear(self, o: Observation, body: bytes, rules: SequenceRules, now_s: float) -> Heard:
        """`POST e`: 204 and what the report shows, or a 4xx.  Cost: some 100 us for a full report, 10 us for a refusal."""
        refusal = self._unheard(o, now_s) or ("too_large" if len(body) > MAX_REPORT else "")
        if refusal:
            return Heard(_REFUSED[refusal])
        try:
            token, number, raw = split_report(body)
            open_s = self.tokens.take(o, token, number, now_s)
            if open_s is None:
                return Heard(_REFUSED["invalid"])
            events = parse_events(raw)
        except InvalidReport:
            return Heard(_REFUSED["malformed"])
        except ValueError:
            return Heard(_REFUSED["taken"])
        if _tells_too_much(events, open_s):
            return Heard(_TAKEN, Finding(IRREGULAR, ("time",)))
        return Heard(_TAKEN, score(events, rules))

    def _unheard(self, o: Observation, now_s: float) -> str:
        """Why a call is not even read, "" if it is."""
        if not self.enabled:
            return "off"
        if o.method not in (b"GET", b"HEAD", b"POST"):
            return "method"
        if not same_origin(o):
            return "cross_site"
        prefix = prefix_of(o)
        if not self._calls.allows(prefix, PER_PREFIX_MIN, now_s):
            return "too_many"
        self._calls.count(prefix, now_s)
        return ""


def _tells_too_much(events: tuple[Event, ...], open_s: float) -> bool:
    """More time passed in the report than since the page was opened.  The first gap may lie before that."""
    return sum([event.gap_ms for event in events[1:]]) / 1000.0 > open_s + _SLACK_S


def script_answer(collector: bytes, device: bytes) -> Answer:
    """`b.js`: everything that is switched on as one script, nothing at all where nothing is.

    `device`: the script of device and browser, which also runs as a worker of itself; the collector does not.
    """
    body = device
    if collector:
        body += b"if(typeof document!='undefined'){\n%b}\n" % collector if device else collector
    return Answer(200, _SCRIPT_HEADERS, body)
