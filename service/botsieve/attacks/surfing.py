"""`surfing.rapid` [S2-26]: more page loads than a hand can make.

Law of the file: a page is a page load (where programs are expected, a data call); a refresh is a view of a page already seen in
the window; "maximum N" is violated at N + 1.  Exact within the window, and bounded by the limits themselves.  Pages that are opened
together (a browser that restores its tabs, a folder of bookmarks) violate it too, but their owner is asked once, not refused.
"""

from __future__ import annotations

from botsieve.attacks.subjects import Subject
from botsieve.decision import Measure
from botsieve.detectors.settings import RapidSurfing
from botsieve.state.parts import first_of

# guess: as verdict.TOGETHER_S.  So many times the maximum of pages may be opened together.
TOGETHER_S = 2.0
TABS = 4


def count(subject: Subject, page: int, now_s: float, settings: RapidSurfing) -> bool:
    """Counts one view of a page; true when a maximum is exceeded."""
    pages = subject.pages
    horizon_s = now_s - settings.window_s
    last_s = pages.get(page)
    if last_s is not None and len(pages) > 1:
        del pages[page]  # the dict is in the order of the last views
    pages[page] = now_s
    many = len(pages) > 1 and _are_many(pages, horizon_s, settings.pages)
    stamps = subject.refreshes
    if last_s is not None and last_s > horizon_s:
        if stamps is None:
            stamps = subject.refreshes = []
        stamps.append(now_s)
    if stamps:
        most = settings.refreshes
        if len(stamps) > 2 * most:
            del stamps[0]
        if _within(stamps, horizon_s) > most:
            subject.tabs = 0
            return True
    if many:
        _opened_together(subject, now_s, settings)
    return many


def _are_many(pages: dict[int, float], horizon_s: float, most: int) -> bool:
    """Forgets what was last viewed before, and the oldest of twice the maximum; whether there are more than the maximum."""
    oldest, oldest_s = first_of(pages)
    while oldest_s <= horizon_s:
        del pages[oldest]
        oldest, oldest_s = first_of(pages)
    if len(pages) > 2 * most:
        del pages[oldest]
    return len(pages) > most


def _within(stamps: list[float], horizon_s: float) -> int:
    """How many are left of them when what is older is forgotten."""
    if stamps[0] > horizon_s:  # nearly always
        return len(stamps)
    old = 0
    for stamp_s in stamps:
        if stamp_s > horizon_s:
            break
        old += 1
    del stamps[:old]
    return len(stamps)


def _opened_together(subject: Subject, now_s: float, settings: RapidSurfing) -> None:
    """One page load beyond the maximum of pages: how many more of its kind are taken for tabs.

    Each tab is loaded twice, once more when the challenge is solved.  What comes after that is somebody who goes on.
    """
    if now_s - subject.rush_s > settings.window_s:
        subject.rush_s = now_s
        apart = sum(1 for seen_s in subject.pages.values() if seen_s < now_s - TOGETHER_S)
        subject.tabs = settings.pages if apart <= settings.pages // 2 else 0
    elif subject.tabs > 0:
        if now_s - subject.rush_s > TOGETHER_S:
            subject.tabs -= 1
        elif subject.tabs < TABS * settings.pages:
            subject.tabs += 1
        else:
            subject.tabs = 0


def is_tabs(subject: Subject) -> bool:
    """The maximum of pages is exceeded by pages that were opened together, and by nothing else yet."""
    return subject.tabs > 0


def refreshes_within(subject: Subject, now_s: float, settings: RapidSurfing) -> int:
    """Refreshes in the window (at most twice the limit); what is older is forgotten."""
    stamps = subject.refreshes
    return _within(stamps, now_s - settings.window_s) if stamps else 0


def pages_within(subject: Subject, now_s: float, settings: RapidSurfing) -> int:
    """Different pages in the window (at most twice the limit)."""
    horizon_s = now_s - settings.window_s
    return sum(1 for seen_s in subject.pages.values() if seen_s > horizon_s)


def measures(subject: Subject, now_s: float, settings: RapidSurfing) -> tuple[Measure, ...]:
    """Both counts beside their maximum."""
    return (
        Measure("refreshes", refreshes_within(subject, now_s, settings), settings.refreshes),
        Measure("pages", pages_within(subject, now_s, settings), settings.pages),
    )


def is_high(found: tuple[Measure, ...]) -> bool:
    """At least half of a limit: the attack goes on."""
    return any(measure.limit is not None and measure.value >= measure.limit / 2 for measure in found)
