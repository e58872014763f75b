"""`sessions.transactions` [S2-51..S2-57]: sessions that ask for far more than those of the site usually do.

Law of the file: a transaction is a page view or data call, not a poll of one URL.  Normal is the mean over the sessions of the
last hour that made at least three, each taken for at most the minimum, sessions in an attack left out; nothing is compared with
it before there are `sessions_at_least` of them.  Only sessions whose cookie came back count: a flood without cookies moves nothing.
"""

from __future__ import annotations

import re

from botsieve.attacks.subjects import Subject
from botsieve.decision import Measure
from botsieve.detectors.settings import SessionTransactions
from botsieve.state.parts import Windowed

SLICE_S = 300.0
SLICES = 12  # the last hour
LEAST = 3  # transactions before a session counts for the mean
_PAST_CACHES = re.compile(rb"[?&]_=[0-9]{1,20}(?=&|$)")
_CALLS = 4  # URLs asked for last: what is asked for again among them is a poll


class Usual:
    """What is usual on one site: sessions and their transactions by the slice of their last transaction."""

    __slots__ = ("sessions", "transactions")

    def __init__(self) -> None:
        self.sessions = Windowed(SLICES)
        self.transactions = Windowed(SLICES)

    def mean(self, now_s: float) -> tuple[float, int]:
        """Transactions a session, and over how many sessions; (0.0, 0) without one."""
        now_slice = int(now_s / SLICE_S)
        sessions = self.sessions.read(now_slice)
        return (self.transactions.read(now_slice) / sessions, sessions) if sessions > 0 else (0.0, 0)

    def place(self, subject: Subject, counted: int, now_s: float) -> None:
        """The session counts in this slice, as `counted` transactions (0: not at all)."""
        now_slice = int(now_s / SLICE_S)
        if counted and subject.counted and subject.slice == now_slice:
            self.transactions.add(now_slice, counted - subject.counted)
            subject.counted = counted
            return
        if subject.counted:
            self.sessions.add(subject.slice, -1)
            self.transactions.add(subject.slice, -subject.counted)
        subject.slice, subject.counted = now_slice, counted
        if counted:
            self.sessions.add(now_slice)
            self.transactions.add(now_slice, counted)


def asked_for(uri: bytes, query: bytes) -> bytes:
    """The URL without the number that scripts add to its query to get past caches (`_=1700000000000`, as jQuery does)."""
    return _PAST_CACHES.sub(b"", uri) if query and query.find(b"_=") >= 0 else uri


def is_poll(subject: Subject, url: int, *, is_page_load: bool) -> bool:
    """Whether this URL was asked for just before: a page again at once, a data call again among the last four."""
    calls = subject.calls
    if url in calls:
        if calls[-1] == url:
            return True
        subject.calls = (*(known for known in calls if known != url), url)
        return not is_page_load
    if len(calls) < _CALLS:
        subject.calls = (*calls, url)
    else:
        _, one, two, three = calls
        subject.calls = (one, two, three, url)
    return False


def count(subject: Subject, usual: Usual, now_s: float, settings: SessionTransactions, *, is_session: bool) -> bool:
    """Counts one transaction; true when the subject is beyond the threshold.  `is_session`: it is part of what is usual."""
    subject.transactions += 1
    done, minimum = subject.transactions, settings.minimum
    if is_session and done >= LEAST and not subject.left_out:
        counted = done if done < minimum else minimum
        if counted != subject.counted or subject.slice != int(now_s / SLICE_S):
            usual.place(subject, counted, now_s)
    return done >= minimum and (done >= settings.reached or done >= relative_limit(usual, now_s, settings))


def relative_limit(usual: Usual, now_s: float, settings: SessionTransactions) -> float:
    """Transactions from which a session is so much above the usual; infinite while too little is known."""
    mean, sessions = usual.mean(now_s)
    return mean * (1.0 + settings.above_percent / 100.0) if sessions >= settings.sessions_at_least else float("inf")


def leave_out(subject: Subject, usual: Usual, now_s: float) -> None:
    """The session attacks: it is no part of what is usual."""
    if subject.counted:
        usual.place(subject, 0, now_s)
    subject.left_out = True


def begin_again(subject: Subject) -> None:
    """Another session, or the attack is over: counted from nothing."""
    subject.transactions = 0
    subject.counted = 0
    subject.left_out = False


def measures(subject: Subject, usual: Usual, now_s: float, settings: SessionTransactions) -> tuple[Measure, ...]:
    """The session's transactions beside the absolute and, where it applies, the relative limit."""
    found: tuple[Measure, ...] = (Measure("transactions", subject.transactions, settings.reached),)
    relative = relative_limit(usual, now_s, settings)
    if relative < settings.reached:
        found += (Measure("transactions_of_usual", subject.transactions, round(max(relative, settings.minimum), 1)),)
    return found
