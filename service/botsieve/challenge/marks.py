"""Marks of automation: what a browser shows to scripts when a program drives it, and what it says to scripts and not to us.

Law of the file: no mark accuses alone.  A browser is suspicious from SUSPICIOUS_FROM on, which takes at least two marks; each weight
is a proposal (guess: no recordings of real people stand behind them).  Unknown names count nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from botsieve.agents import parse_agent
from botsieve.challenge.browser_report import BrowserReport
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import Observation

SUSPICIOUS_FROM = 100
# The script cuts the User-Agent here.
_LOOK_AT = 1024

# Found by the script (web/device/marks.js).
_SEEN: Mapping[str, int] = MappingProxyType(
    {
        "webdriver": 60,  # navigator.webdriver
        "own_webdriver": 60,  # somebody has defined it anew
        "globals": 60,  # cdc_, __pw, puppeteer_ and the like
        "debugger": 40,  # an open protocol session makes the console read what it is given
        "worker": 40,  # a worker of the same browser says otherwise
        "frame": 40,  # a frame of the same page says otherwise
        "permissions": 20,  # denied and not yet asked for
        "hints": 25,  # a desktop Chrome that knows nothing of its processor
        "plugins": 15,  # a desktop Chrome without any
        "software_gl": 10,
        "small_screen": 10,  # 800 x 600
    }
)
# Found here: what the script was told beside what the request said.
_COMPARED: Mapping[str, int] = MappingProxyType(
    {
        "headless": 60,  # the User-Agent says so itself
        "agent": 40,  # two User-Agents
        "platform": 40,  # two operating systems
        "tls": 40,  # a script ran, and the TLS hello is no such browser's
        "languages": 20,
    }
)
WEIGHTS: Mapping[str, int] = MappingProxyType({**_SEEN, **_COMPARED})

# What `navigator.platform` or a client hint may say on each operating system of a User-Agent.
_PLATFORMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("win", frozenset({"windows"})),
    ("mac", frozenset({"macos", "ios"})),  # a tablet that asks for the desktop site
    ("iphone", frozenset({"ios"})),
    ("ipad", frozenset({"ios", "macos"})),
    ("ipod", frozenset({"ios"})),
    ("ios", frozenset({"ios"})),
    ("linux", frozenset({"linux", "android", "chromeos"})),
    ("android", frozenset({"android", "linux"})),
    ("chrom", frozenset({"chromeos"})),
)


class Marked(msgspec.Struct, frozen=True, gc=False):
    """`marks`: names of WEIGHTS, heaviest first.  `points`: their sum, at most 999."""

    marks: tuple[str, ...] = ()
    points: int = 0

    @property
    def is_suspicious(self) -> bool:
        """Enough of them, never one alone."""
        return self.points >= SUSPICIOUS_FROM and len(self.marks) > 1


def judge_marks(o: Observation, report: BrowserReport, catalogue: Catalogue) -> Marked:
    """What speaks for automation in one report.  `o`: the request that brought it."""
    found = {name for name in report.marks if name in _SEEN}
    found.update(_compared(o, report, catalogue))
    marks = tuple(sorted(found, key=lambda name: (-WEIGHTS[name], name)))
    return Marked(marks, sum(WEIGHTS[name] for name in marks))


def _compared(o: Observation, report: BrowserReport, catalogue: Catalogue) -> set[str]:
    found: set[str] = set()
    sent = o.user_agent
    agent = parse_agent(sent)
    if b"headless" in sent.lower():
        found.add("headless")
    if report.agent and sent and report.agent.encode("utf-8", "replace")[:_LOOK_AT] != sent[:_LOOK_AT]:
        found.add("agent")
    hint = o.header(b"sec-ch-ua-platform").strip(b'"').decode("latin-1")
    if any(said and not _is_on(said, agent.platform) for said in (report.platform, hint)):
        found.add("platform")
    if agent.engine and o.has_fingerprint:
        engines = catalogue.browser_families(o.ja4, o.tls_sig)
        if catalogue.tool_of(o.ja3, o.ja4, o.tls_sig) or (engines and agent.engine not in engines):
            found.add("tls")
    first = o.header(b"accept-language").partition(b",")[0].partition(b";")[0].strip().lower()
    if report.languages and first and _main(first.decode("latin-1")) != _main(report.languages[0]):
        found.add("languages")
    return found


def _is_on(said: str, platform: str) -> bool:
    """Whether a browser on `platform` (a word of Agent, "" unknown) may say this.  What we do not know may be."""
    text = said.lower()
    for beginning, platforms in _PLATFORMS:
        if text.startswith(beginning):
            return not platform or platform in platforms
    return True


def _main(language: str) -> str:
    return language.lower().partition("-")[0]
