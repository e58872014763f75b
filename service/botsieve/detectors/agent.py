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
from botsieve.remembered import Remembered

_MAX_DETAIL = 32  # bytes of an operator's token that a reason shows


class TokenList:
    """An operator's tokens, made ready to be searched for."""

    __slots__ = ("_answers", "_tokens")

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tuple((token.lower().encode(), token) for token in tokens)
        self._answers: Remembered[bytes, str] = Remembered(2048)

    def match(self, user_agent: bytes) -> str:
        """The first token of the list that stands anywhere in the User-Agent, in any case; "" if none."""
        answer = self._answers.get(user_agent)
        if answer is None:
            text = user_agent[:LOOK_AT].lower()
            answer = next((token for low, token in self._tokens if low in text), "")
            if len(user_agent) <= LOOK_AT:
                self._answers.put(user_agent, answer)
        return answer


# One list a configuration; reloads bring new ones, so it is bounded too.
_lists: Remembered[tuple[str, ...], TokenList] = Remembered(64)


def token_in(tokens: tuple[str, ...], user_agent: bytes) -> str:
    """The token of the settings by which a User-Agent is a program's; "" if none.  Remembered per (tokens, User-Agent)."""
    found = _lists.get(tokens)
    if found is None:
        found = TokenList(tokens)
        _lists.put(tokens, found)
    return found.match(user_agent)


def bot_useragent(o: Observation, view: View, settings: BotUseragent) -> Signal | None:
    """[S1-16]  The User-Agent holds a token of a program."""
    token = token_in(settings.tokens, o.user_agent)
    return Signal("agent.bot_useragent", settings.points, printable(token)) if token else None


def no_useragent(o: Observation, view: View, settings: NoUseragent) -> Signal | None:
    """[S1-17]  There is no User-Agent, and this edge would have shown one."""
    if o.user_agent.strip() or (not o.user_agent and not o.lacks(b"user-agent")):
        return None
    return Signal("agent.no_useragent", settings.points)


def known_crawler(o: Observation, view: View, settings: KnownCrawler) -> Signal | None:
    """[own]  It names a crawler that cannot be verified.  A program's token in the same User-Agent counts instead of it."""
    agent = view.agent
    if not agent.crawler or agent.verifiable:
        return None
    programs = view.policy.detectors.get("agent.bot_useragent")
    if isinstance(programs, BotUseragent) and programs.points and token_in(programs.tokens, o.user_agent):
        return None
    return Signal("agent.known_crawler", settings.points, agent.crawler)


def printable(text: str) -> str:
    """An operator's word as a reason may show it: printable ASCII without comma, cut."""
    return "".join(mark if " " < mark <= "~" and mark != "," else "_" for mark in text)[:_MAX_DETAIL]
