"""botsieve.attacks.surfing"""

from __future__ import annotations

from botsieve.attacks import surfing
from botsieve.attacks.subjects import Subject
from botsieve.detectors.settings import RapidSurfing
from hypothesis import given
from hypothesis import strategies as st

FEW = RapidSurfing(window_s=30.0, refreshes=4, pages=3)


def test_a_maximum_is_exceeded_by_the_next() -> None:
    """Three pages are allowed, the fourth is not; four refreshes are, the fifth is not."""
    subject = Subject(0.0)
    assert [surfing.count(subject, page, 1.0, FEW) for page in (1, 2, 3, 4)] == [False, False, False, True]
    subject = Subject(0.0)
    assert [surfing.count(subject, 1, second, FEW) for second in range(6)] == [False] * 5 + [True]


def test_a_page_out_of_the_window_is_new_again() -> None:
    """A view is a refresh only of a page that was seen within the window."""
    subject = Subject(0.0)
    surfing.count(subject, 1, 0.0, FEW)
    surfing.count(subject, 1, 30.0, FEW)
    assert surfing.refreshes_within(subject, 30.0, FEW) == 0
    surfing.count(subject, 1, 59.9, FEW)
    assert surfing.refreshes_within(subject, 59.9, FEW) == 1


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0.0, 9.0)), max_size=60))
def test_it_agrees_with_counting_everything_anew(steps: list[tuple[int, float]]) -> None:
    """Beyond the limit or not is exact at every step, whatever came before, and what is kept is bounded."""
    subject, now_s = Subject(0.0), 100.0
    views: list[tuple[float, int]] = []
    refreshes: list[float] = []
    for page, gap_s in steps:
        now_s += gap_s
        if any(seen == page and at_s > now_s - FEW.window_s for at_s, seen in views):
            refreshes.append(now_s)
        views.append((now_s, page))
        pages = {seen for at_s, seen in views if at_s > now_s - FEW.window_s}
        recent = [at_s for at_s in refreshes if at_s > now_s - FEW.window_s]
        beyond = len(pages) > FEW.pages or len(recent) > FEW.refreshes
        assert surfing.count(subject, page, now_s, FEW) == beyond
        assert len(subject.pages) <= 2 * FEW.pages
        assert len(subject.refreshes or ()) <= 2 * FEW.refreshes


def test_measures_show_both_counts_beside_their_limits() -> None:
    """What is shown has fallen out of the window at the time of asking; from half a limit on the attack goes on."""
    subject = Subject(0.0)
    for second in range(4):
        surfing.count(subject, second % 2, float(second), FEW)
    found = surfing.measures(subject, 3.0, FEW)
    assert [(measure.name, measure.value, measure.limit) for measure in found] == [("refreshes", 2, 4), ("pages", 2, 3)]
    assert surfing.is_high(found)
    assert not surfing.is_high(surfing.measures(subject, 40.0, FEW))


TABS = RapidSurfing(pages=30)


def opened(subject: Subject, pages: int, start_s: float, every_s: float, first: int = 0) -> None:
    """So many different pages, one after the other."""
    for number in range(pages):
        surfing.count(subject, first + number, start_s + number * every_s, TABS)


def test_pages_that_are_opened_together_are_tabs() -> None:
    """Beyond the maximum within two seconds, with at most half of it before; one after the other they are none."""
    for before, every_s, are_tabs in ((0, 0.02, True), (15, 0.02, True), (16, 0.02, False), (0, 0.9, False)):
        subject = Subject(0.0)
        opened(subject, before, 1000.0, 1.5, first=500)
        opened(subject, 31 - before, 1000.0 + before * 1.5 + 2.0 * (before > 0), every_s)
        assert surfing.is_tabs(subject) == are_tabs, before


def test_each_tab_may_be_loaded_once_more() -> None:
    """When its challenge is solved; whoever goes on after that is refused."""
    subject = Subject(0.0)
    opened(subject, 40, 1000.0, 0.02)
    opened(subject, 38, 1003.0, 0.02)
    assert surfing.is_tabs(subject)
    opened(subject, 2, 1004.0, 0.02)
    assert not surfing.is_tabs(subject)


def test_so_many_tabs_nobody_has() -> None:
    """Four times the maximum, and what was open before it was reached."""
    for pages, are_tabs in ((120, True), (122, False)):
        subject = Subject(0.0)
        opened(subject, pages, 1000.0, 0.001)
        assert surfing.is_tabs(subject) == are_tabs


def test_refreshes_are_no_tabs() -> None:
    """121 views of one page in 30 s are nothing that a browser opens."""
    subject = Subject(0.0)
    for number in range(121):
        surfing.count(subject, 1, 1000.0 + number * 0.01, TABS)
    assert surfing.count(subject, 1, 1002.0, TABS)
    assert not surfing.is_tabs(subject)
