"""botsieve.attacks.transactions"""

from __future__ import annotations

from botsieve.attacks import transactions
from botsieve.attacks.subjects import Subject
from botsieve.attacks.transactions import LEAST, SLICE_S, SLICES, Usual
from botsieve.detectors.settings import SessionTransactions
from hypothesis import given
from hypothesis import strategies as st

FEW = SessionTransactions(reached=40, minimum=20, above_percent=500.0, sessions_at_least=10)
NOW_S = 1_800_000_000.0


def counted(usual: Usual, subject: Subject, times: int, now_s: float, *, is_session: bool = True) -> bool:
    """So many transactions at one time; what the last one said."""
    beyond = False
    for _ in range(times):
        beyond = transactions.count(subject, usual, now_s, FEW, is_session=is_session)
    return beyond


def test_reached_is_reached_at_the_number() -> None:
    """The 40th of 40, with or without a session."""
    for is_session in (True, False):
        subject, usual = Subject(0.0), Usual()
        assert not counted(usual, subject, 39, NOW_S, is_session=is_session)
        assert counted(usual, subject, 1, NOW_S, is_session=is_session)


def test_above_the_usual_needs_sessions_enough_and_the_minimum() -> None:
    """Six times a mean of 3.33 is 20: from the minimum on, and not before ten sessions are known."""
    for others, expected in ((8, False), (10, True)):
        usual = Usual()
        for _ in range(others):
            counted(usual, Subject(0.0), 3, NOW_S)
        subject = Subject(0.0)
        assert not counted(usual, subject, 19, NOW_S, is_session=False)
        assert counted(usual, subject, 1, NOW_S, is_session=False) is expected


def test_a_session_counts_at_most_as_the_minimum() -> None:
    """One session that takes everything does not make everything usual."""
    usual = Usual()
    counted(usual, Subject(0.0), 39, NOW_S)
    assert usual.mean(NOW_S) == (20.0, 1)


def test_fewer_than_three_do_not_count() -> None:
    """Visitors who leave at once would make everybody else unusual."""
    usual = Usual()
    counted(usual, Subject(0.0), LEAST - 1, NOW_S)
    assert usual.mean(NOW_S) == (0.0, 0)


def test_clients_without_a_session_move_nothing() -> None:
    """A flood without cookies is compared with what is usual, and is no part of it."""
    usual = Usual()
    for _ in range(100):
        counted(usual, Subject(0.0), 30, NOW_S, is_session=False)
    assert usual.mean(NOW_S) == (0.0, 0)


def test_a_session_in_an_attack_is_left_out() -> None:
    """From the moment it is found, and what it does afterwards."""
    usual, subject = Usual(), Subject(0.0)
    counted(usual, Subject(0.0), 4, NOW_S)
    counted(usual, subject, 40, NOW_S)
    transactions.leave_out(subject, usual, NOW_S)
    counted(usual, subject, 100, NOW_S)
    assert usual.mean(NOW_S) == (4.0, 1)
    transactions.begin_again(subject)
    counted(usual, subject, 8, NOW_S)
    assert usual.mean(NOW_S) == (6.0, 2)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 900.0)), max_size=80))
def test_the_mean_is_that_of_the_last_hour(steps: list[tuple[int, float]]) -> None:
    """It agrees with counting every session anew: each in the slice of its last transaction."""
    usual, now_s = Usual(), NOW_S
    subjects = [Subject(0.0) for _ in range(6)]
    last_s: dict[int, float] = {}
    for which, gap_s in steps:
        now_s += gap_s
        counted(usual, subjects[which], 1, now_s)
        last_s[which] = now_s
        newest = int(now_s / SLICE_S)
        heard = [
            min(subjects[n].transactions, FEW.minimum)
            for n, at_s in last_s.items()
            if subjects[n].transactions >= LEAST and int(at_s / SLICE_S) > newest - SLICES
        ]
        mean, sessions = usual.mean(now_s)
        assert sessions == len(heard)
        assert abs(mean - (sum(heard) / len(heard) if heard else 0.0)) < 1e-9


def test_a_poll_is_asked_for_again_and_again() -> None:
    """A data call among the last four URLs is one; a page load only when it is the last one again."""
    subject = Subject(0.0)
    calls = [transactions.is_poll(subject, url, is_page_load=False) for url in (1, 2, 1, 3, 2, 1, 4, 5, 6, 7, 1)]
    assert calls == [False, False, True, False, True, True, False, False, False, False, False]
    subject = Subject(0.0)
    assert [transactions.is_poll(subject, url, is_page_load=True) for url in (1, 1, 2, 1, 2, 2)] == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]


def test_a_number_against_caches_makes_no_other_url() -> None:
    """A poll is one whatever its library adds; anything else in the query is another question."""

    def asked_for(uri: bytes) -> bytes:
        return transactions.asked_for(uri, uri.partition(b"?")[2])

    assert asked_for(b"/news?_=1700000000000") == asked_for(b"/news?_=1700000000001") == b"/news"
    assert asked_for(b"/news?page=2&_=17&q=a") == b"/news?page=2&q=a"
    for uri in (b"/news?q_=1", b"/news?_=a1", b"/news?_x=1", b"/news?q=_", b"/news&_=1", b"/news"):
        assert asked_for(uri) == uri


def test_measures_name_the_usual_only_where_it_decides() -> None:
    """The relative limit stands beside the absolute one when it is the lower."""
    usual, subject = Usual(), Subject(0.0)
    assert [measure.name for measure in transactions.measures(subject, usual, NOW_S, FEW)] == ["transactions"]
    for _ in range(10):
        counted(usual, Subject(0.0), 4, NOW_S)
    found = transactions.measures(subject, usual, NOW_S, FEW)
    assert [(measure.name, measure.limit) for measure in found] == [("transactions", 40), ("transactions_of_usual", 24.0)]
