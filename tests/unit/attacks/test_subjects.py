"""botsieve.attacks.subjects"""

from __future__ import annotations

import sys

from botsieve.attacks.subjects import (
    PAGE_BYTES,
    SHARED_S,
    STAMP_BYTES,
    SUBJECT_BYTES,
    Subject,
    Subjects,
    begin_again,
    is_shared,
    sprout,
)

NOW_S = 1_800_000_000.0


def key(number: int) -> bytes:
    return number.to_bytes(8, "little")


def test_the_costs_are_what_python_takes() -> None:
    """An empty subject with its entry, a page, a stamp: within a quarter of what is told to the table."""
    subject = Subject(NOW_S)
    floats = 2 * sys.getsizeof(NOW_S)
    entry = sys.getsizeof(key(1)) + 104  # a dict of many: 64 to 104 bytes an entry
    assert (sys.getsizeof(subject) + sys.getsizeof({}) + floats + entry) * 0.75 <= SUBJECT_BYTES
    pages = {1 << 63 | page: NOW_S + page for page in range(60)}
    assert (sys.getsizeof(pages) + 60 * (36 + 24)) * 0.75 <= PAGE_BYTES * 60
    assert sys.getsizeof(NOW_S) + 8 == STAMP_BYTES  # and its place in a list


def test_subjects_are_bounded_by_their_bytes() -> None:
    """A flood of subjects pushes out others of the flood, not who came back in another second."""
    subjects = Subjects(1024 * 1024, 3600.0)
    settled = subjects.make(key(0), NOW_S)
    assert subjects.use(key(0), NOW_S + 1.0) is settled
    assert subjects.use(key(0), NOW_S + 1.0) is settled
    for number in range(1, 20_000):
        subjects.make(key(number), NOW_S + 2.0)
    assert subjects.table.bytes_used <= 1024 * 1024
    assert subjects.use(key(0), NOW_S + 3.0) is settled
    assert subjects.use(key(1), NOW_S + 3.0) is None


def test_what_a_subject_grows_is_told_to_the_table() -> None:
    """Pages and stamps count where they are held."""
    subjects = Subjects(1024 * 1024, 3600.0)
    subject = subjects.make(key(1), NOW_S)
    subject.pages = dict.fromkeys(range(10), NOW_S)
    subject.refreshes = [NOW_S] * 5
    subjects.grown(key(1), subject, NOW_S)
    assert subjects.table.bytes_used == SUBJECT_BYTES + 10 * PAGE_BYTES + 5 * STAMP_BYTES
    subject.pages.clear()
    subjects.grown(key(1), subject, NOW_S)
    assert subjects.table.bytes_used == SUBJECT_BYTES + 5 * STAMP_BYTES


def test_a_session_takes_its_first_page_load_along() -> None:
    """It had no cookie yet and was counted on its client: it is the session's."""
    client, session = Subject(NOW_S), Subject(NOW_S)
    client.transactions, client.unproven = 7, 7
    client.pages = {1: NOW_S, 2: NOW_S + 1.0}
    sprout(client, session, NOW_S + 2.0)
    assert (client.transactions, client.unproven, list(client.pages)) == (6, 6, [1])
    assert (session.transactions, session.unproven, list(session.pages)) == (1, 1, [2])
    client.refreshes = [NOW_S]
    sprout(client, Subject(NOW_S), NOW_S + 2.0)
    assert (list(client.pages), list(client.refreshes)) == ([1], []), "the load of a page already seen was a refresh"


def test_a_client_is_shared_when_sessions_begin_under_its_name() -> None:
    """Two besides the first, in half an hour."""
    client = Subject(NOW_S)
    sprout(client, Subject(NOW_S), NOW_S)
    assert not is_shared(client, NOW_S)
    sprout(client, Subject(NOW_S), NOW_S + 100.0)
    assert is_shared(client, NOW_S + 100.0)
    assert not is_shared(client, NOW_S + SHARED_S)
    sprout(client, Subject(NOW_S), NOW_S + SHARED_S)
    assert is_shared(client, NOW_S + SHARED_S)


def test_after_a_silence_nothing_is_held_against_anybody() -> None:
    """But that the client is shared: it says who is behind it, not what was done."""
    subject = Subject(NOW_S)
    subject.pages, subject.transactions, subject.unproven, subject.human = {1: NOW_S}, 5, 5, True
    subject.left_out = subject.irregular = True
    subject.sprouted_s = (NOW_S,)
    begin_again(subject)
    assert (subject.pages, subject.transactions, subject.unproven) == ({}, 0, 0)
    assert [subject.human, subject.irregular, subject.left_out] == [False] * 3
    assert subject.sprouted_s == (NOW_S,)
