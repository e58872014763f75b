"""Findings from what the User-Agent says itself: a program's token, nothing at all, a crawler's name.

Law of the file: it reads the claim only; `applies_to` (who may be judged by it) is the engine's.  Seed 1 §"BotDetector"
(S1-15..S1-17); the token search is case-blind and anywhere in the User-Agent, first token of the list wins.
"""

from __future__ import annotations

from botsieve.agents import LOOK_AT
from botsieve.decision import Signal
from botsieve.detectors.settings import BotUseragent, KnownCrawler, NoUseragent
from botsieve.detectors.view import View
from botsieve.observation import Observation
from botsieve.remembered import Answers

_MAX_DETAIL = 32  # bytes of an operator's token that a reason shows


class _TokenList(Answers[bytes, str]):
    """An operator's tokens, made ready to be searched for: `list[user_agent]` is the first token that stands in it, or ""."""

    __slots__ = ("_lower", "tokens")

    def __init__(self, tokens: tuple[str, ...]) -> None:
        super().__init__(2048, self._search, lambda ua: len(ua) <= LOOK_AT)
        self.tokens = tokens
        self._lower = tuple((token.lower().encode(), token) for token in tokens)

    def _search(self, user_agent: bytes) -> str:
        text = user_agent[:LOOK_AT].lower()
        return next((token for low, token in self._lower if low in text), "")


# By identity: hashing the tuple would cost more than the search.  A list holds its tuple, so an identity here is never reused.
_lists: dict[int, _TokenList] = {}
_MAX_LISTS = 64  # configurations come and go


def token_in(tokens: tuple[str, ...], user_agent: bytes) -> str:
    """The first token of the settings that stands anywhere in the User-Agent, in any case; "" if none.

    A User-Agent that holds one is a program's.  Answers per (tokens, User-Agent).
    """
    found = _lists.get(id(tokens))
    if found is None:
        if len(_lists) >= _MAX_LISTS:
            _lists.clear()
        found = _lists[id(tokens)] = _TokenList(tokens)
    return found[user_agent]


def bot_useragent(o: Observation, view: View, settings: BotUseragent) -> Signal | None:
    """[S1-16]  The User-Agent holds a token of a program."""
    token = token_in(settings.tokens, o.headers.get(b"user-agent", b""))
    return Signal("agent.bot_useragent", settings.points, printable(token)) if token else None


def no_useragent(o: Observation, view: View, settings: NoUseragent) -> Signal | None:
    """[S1-17]  There is no User-Agent, and this edge would have shown one."""
    user_agent = o.headers.get(b"user-agent")
    if user_agent:
        if not user_agent.isspace():
            return None
    elif not o.lacks(b"user-agent"):
        return None
    return Signal("agent.no_useragent", settings.points)


def known_crawler(o: Observation, view: View, settings: KnownCrawler) -> Signal | None:
    """[own]  It names a crawler that cannot be verified.  A program's token in the same User-Agent counts instead of it.

    Crawlers read: who posts under a name of that list delivers something (the payments of a shop).
    """
    agent = view.agent
    if not agent.crawler or agent.verifiable or o.method == b"POST":
        return None
    programs = view.policy.detectors.get("agent.bot_useragent")
    if isinstance(programs, BotUseragent) and programs.points and token_in(programs.tokens, o.user_agent):
        return None
    return Signal("agent.known_crawler", settings.points, agent.crawler)


def printable(text: str) -> str:
    """Text that is not from our own lists, as a reason may show it: printable ASCII without comma, cut."""
    return "".join(mark if " " < mark <= "~" and mark != "," else "_" for mark in text)[:_MAX_DETAIL]
