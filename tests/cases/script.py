"""What the script in the pages of a case does, byte for byte: tokens, reports of hands, reports of devices, the form "I am human".

Law of the file: one browser's side only.  What it sends goes to the service itself (over HTTP) or to the desks of the core (the other
ways); whatever comes back is kept as a browser keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from botsieve.challenge.answer import Answer
from botsieve.challenge.desk import ChallengeDesk
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.page_of import page_of
from botsieve.challenge.sequences import NO_EVIDENCE, REGULAR
from botsieve.config.settings import Loaded
from botsieve.decision import Decision
from botsieve.detectors.settings import HumanInteraction
from botsieve.engine import Engine
from botsieve.observation import Observation
from botsieve.serve import renew_browser

from tests.cases.form import Asked
from tests.cases.jars import Jars
from tests.unit.challenge import hands

HANDS = {**hands.REGULAR, **hands.IRREGULAR}
# What is sent of a page's request with a call of its script.
_KEPT = ("user-agent", "accept-language", "accept-encoding", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform")
_CALL = {"accept": "*/*", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
_FORM = {"accept": "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}


class Told(NamedTuple):
    """What came back of one call."""

    status: int
    set_cookie: str
    body: bytes


# A request of the script with its body, and when: what it is told.
Call = Callable[[Asked, bytes, float], Told]


class _Page:
    """What one browser remembers: the token of its page, its next number, the last report, the two copies of its device id."""

    def __init__(self) -> None:
        self.token = b""
        self.number = 0
        self.report = b""
        self.copies: dict[str, str] = {}


class Script:
    """The script in the pages of all browsers of a case.  `call`: how it reaches the service.  `decision_id`: the last one shown."""

    def __init__(self, jars: Jars, call: Call) -> None:
        self._jars = jars
        self._call = call
        self._pages: dict[str, _Page] = {}
        self.decision_id = ""

    def run(self, one: Asked, now_s: float) -> tuple[int, ...]:
        """Everything that the browser does just before a request; the statuses that it was answered."""
        statuses: list[int] = []
        for step in one.does:
            word, what = (step, None) if isinstance(step, str) else next(iter(step.items()))
            status = getattr(self, f"_{word}")(one, what, now_s)
            statuses += [] if status is None else [status]
        return tuple(statuses)

    # ---- steps: their names are the words of a case

    def _opens(self, one: Asked, what: None, now_s: float) -> int:
        """The script of a page that was just opened asks for its token."""
        page = self._page(one)
        told = self._call(self._asked(one, "GET", "e", _CALL), b"", now_s)
        page.token, page.number = told.body, 0
        return told.status

    def _hand(self, one: Asked, what: str | hands.Entries, now_s: float) -> int:
        """A report of a hand: a name of tests/unit/challenge/hands.py, or the events themselves."""
        page = self._page(one)
        if not page.token:
            self._opens(one, None, now_s)
        page.report = hands.body(page.token.decode(), HANDS[what] if isinstance(what, str) else what, page.number)
        page.number += 1
        return self._again(one, None, now_s)

    def _again(self, one: Asked, what: None, now_s: float) -> int:
        """The last report once more, byte for byte."""
        return self._call(
            self._asked(one, "POST", "e", _CALL | {"content-type": "text/plain"}), self._page(one).report, now_s
        ).status

    def _finds(self, one: Asked, what: dict[str, Any], now_s: float) -> int:
        """A report of device and browser: what the script found, beside the copies of the id that the browser keeps."""
        page = self._page(one)
        asked = self._asked(one, "POST", "d", _CALL | {"content-type": "application/json"}, "botsieve_t=1")
        told = self._call(asked, json.dumps(page.copies | what).encode(), now_s)
        self._jars.keep(one, told.set_cookie)
        if told.status == 200:
            page.copies = dict.fromkeys(("local", "indexed"), json.loads(told.body)["id"])
        return told.status

    def _loses(self, one: Asked, what: str, now_s: float) -> None:
        """The browser forgets: `session` or `device` (that cookie), `storage` (both copies), `everything`."""
        if what in ("session", "device"):
            self._jars.lose(one.browser, "botsieve_s" if what == "session" else "botsieve_d")
        if what in ("storage", "everything"):
            self._page(one).copies = {}
        if what == "everything":
            self._jars.lose(one.browser, "")

    def _tampers(self, one: Asked, what: str, now_s: float) -> None:
        """Somebody writes over a copy: `local` or `indexed`."""
        text = self._page(one).copies[what]
        self._page(one).copies[what] = text[:-1] + ("A" if text[-1] != "A" else "B")

    def _copies(self, one: Asked, what: str, now_s: float) -> None:
        """It takes over the stored id of another browser of the case."""
        self._page(one).copies["local"] = self._pages[what].copies["local"]

    def _says_human(self, one: Asked, what: str | None, now_s: float) -> int:
        """The form of the block page, with the id that was shown last, or another one."""
        asked = self._asked(one, "POST", "feedback", _FORM | {"content-type": "application/x-www-form-urlencoded"})
        return self._call(asked, f"id={what or self.decision_id}".encode(), now_s).status

    # ---- how

    def _page(self, one: Asked) -> _Page:
        return self._pages.setdefault(one.browser, _Page())

    def _asked(self, one: Asked, method: str, path: str, headers: dict[str, str], more_cookie: str = "") -> Asked:
        """A request of the same browser to one of our paths."""
        kept = {name: value for name, value in one.headers.items() if name in _KEPT}
        origin = {"origin": f"{one.scheme}://shop.example"} if method == "POST" else {}
        own = kept | headers | origin | {"referer": f"{one.scheme}://shop.example{one.uri}"}
        bare = one._replace(method=method, uri=f"/.botsieve/{path}", headers=own, request_id="", does=())
        return self._jars.dressed(bare, more_cookie)


class Desks:
    """The desks of the core, for ways that have no HTTP of their own.  `given`: the decisions whose pages were shown, by id."""

    def __init__(self, engine: Engine, loaded: Loaded, keys: KeyRing, given: dict[str, Decision]) -> None:
        self._engine = engine
        self._desk = ChallengeDesk(loaded.service.challenge, keys, b"the case")
        self._count = 0
        self._given = given
        renew_browser(engine, self._desk, loaded)

    def call(self, asked: Asked, body: bytes, now_s: float, start_s: float) -> Told:
        """One request of the script."""
        o = asked.observation(start_s, "shop.example")
        self._count += 1
        answer = self._answer(o, asked, body, now_s)
        return Told(answer.status, next((value for name, value in answer.headers if name == "Set-Cookie"), ""), answer.body)

    def _answer(self, o: Observation, asked: Asked, body: bytes, now_s: float) -> Answer:
        desk, engine, page = self._desk, self._engine, page_of(o)
        if asked.uri.endswith("feedback"):
            return desk.feedback.take(o, body, desk.settings, self._given.get, now_s).answer
        if asked.uri.endswith("d"):
            session = engine.sessions.read(o, now_s) if engine.sessions is not None else None
            told = desk.device.hear(o, body, now_s, self._count.to_bytes(4, "big") * 3, session)
            if told.facts:
                engine.browser_told(page, told.facts, told.device, now_s, is_new=told.is_new)
            return told.answer
        if asked.method == "GET":
            answer = desk.human.open(o, now_s, self._count.to_bytes(8, "big"))
            if answer.status == 200:
                engine.page_answered(page, now_s)
            return answer
        settings = engine.rulebook.policy_for(page).thresholds["human.interaction"]
        assert isinstance(settings, HumanInteraction)
        heard = desk.human.hear(o, body, settings.sequence_rules, now_s)
        if heard.finding is not None and heard.finding.word != NO_EVIDENCE:
            engine.human_report(page, now_s, regular=heard.finding.word == REGULAR)
        return heard.answer
