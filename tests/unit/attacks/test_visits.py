"""botsieve.attacks.visits: sessions that come back, and those that a cache gave away"""

from __future__ import annotations

from botsieve.attacks.visits import MAX_SHARED, SharedSession, Visits
from botsieve.challenge.session import Session

from tests.unit.attacks.openers import Visitors, cookie_of
from tests.unit.rig import START_S

NOW_S = START_S


def session(number: int = 1, opened_s: float = NOW_S) -> Session:
    return Session(number.to_bytes(8, "big"), int(opened_s))


def test_a_session_comes_back_once() -> None:
    """Each session is told once, also when it goes on for hours."""
    visits = Visits()
    assert [visits.take(session(), b"7", "shop", NOW_S + at_s) for at_s in (1, 2, 3, 900, 1800, 3600)] == [True] + [False] * 5


def test_an_old_session_that_was_forgotten_is_no_new_one() -> None:
    """After a restart the sessions of before do not all seem to be opened now."""
    assert not Visits().take(session(opened_s=NOW_S - 601), b"7", "shop", NOW_S)
    assert Visits().take(session(opened_s=NOW_S - 599), b"7", "shop", NOW_S)


def test_nine_networks_in_ten_minutes_are_a_cache() -> None:
    """Eight are not; the ninth tells, once."""
    visits = Visits()
    for network in range(8):
        visits.take(session(), b"%d" % network, "shop", NOW_S + network * 60)
    assert not visits.shared
    visits.take(session(), b"8", "shop", NOW_S + 599)
    assert list(visits.shared) == [session().id]
    assert list(visits.news) == [SharedSession("shop", int(NOW_S), 9)]
    for network in range(20, 40):
        visits.take(session(), b"%d" % network, "shop", NOW_S + 600)
    assert len(visits.news) == 1


def test_nine_networks_of_a_long_journey_are_none() -> None:
    """Within any ten minutes there were eight."""
    visits = Visits()
    for network in range(100):
        visits.take(session(), b"%d" % network, "shop", NOW_S + network * 75.0)
    assert not visits.shared


def test_a_network_that_comes_again_is_one() -> None:
    """Two networks, in turn."""
    visits = Visits()
    for number in range(1000):
        visits.take(session(), b"%d" % (number % 2), "shop", NOW_S + number * 0.1)
    assert not visits.shared


def test_it_is_bounded() -> None:
    """Sessions, shared sessions and news."""
    visits = Visits(most=100)
    for number in range(5_000):
        for network in range(9 if number > 2_000 else 1):
            visits.take(session(number), b"%d" % network, "shop", NOW_S)
    assert len(visits) <= 200
    assert len(visits.shared) == MAX_SHARED
    assert len(visits.news) == 100


def test_a_session_that_a_cache_gave_away_names_nobody() -> None:
    """Its next visitor is a client without a session, who is given one; nothing is held against anybody."""
    visitors = Visitors()
    cookie = cookie_of(visitors.stranger(0.0))
    for number in range(9):
        decision = visitors.guest(1.0 + number, cookie, client=f"198.51.{number}.7")
        assert not decision.set_cookie
    after = [visitors.guest(20.0 + number, cookie, client=f"198.51.{number}.7") for number in range(12)]
    assert all(decision.set_cookie and decision.verdict == "allow" and not decision.violations for decision in after)
    assert len(visitors.engine.attacks.openings.visits.news) == 1
