"""challenge/session.py: the session cookie."""

from __future__ import annotations

import pytest
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import MAX_AGE_S, Session, Sessions
from hypothesis import given
from hypothesis import strategies as st

from .builders import KEYS, NOW_S, cleared, desk, request

SESSIONS = Sessions(KEYS)


def _cookie(random_id: bytes = b"12345678", at_s: float = NOW_S) -> bytes:
    return SESSIONS.issue(request(), at_s, random_id).partition(";")[0].encode()


def test_a_session_comes_back() -> None:
    """Id and opening time are read from the cookie alone, by any process with the keys."""
    assert SESSIONS.read(request(headers={b"cookie": _cookie()}), NOW_S + 5) == Session(b"12345678", int(NOW_S))


def test_the_cookie_is_a_session_cookie_of_this_host() -> None:
    """HttpOnly, Lax, no Max-Age, no Domain; `__Host-` and Secure on https, the plain name on http."""
    https = SESSIONS.issue(request(), NOW_S, b"12345678")
    assert https.startswith("__Host-botsieve_s=")
    assert https.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    http = SESSIONS.issue(request(scheme=b"http"), NOW_S, b"12345678")
    assert http.startswith("botsieve_s=")
    assert http.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert "Max-Age" not in https + http
    assert "Domain" not in https + http


def test_it_belongs_to_a_host_and_to_a_day() -> None:
    """Another host, a day later or a minute before it was issued: no session.  Another User-Agent: the same."""
    cookie = {b"cookie": _cookie()}
    assert SESSIONS.read(request(headers=cookie, host=b"other.example"), NOW_S) is None
    assert SESSIONS.read(request(headers=cookie), NOW_S + MAX_AGE_S) is None
    assert SESSIONS.read(request(headers=cookie), NOW_S - 61) is None
    assert SESSIONS.read(request(headers={**cookie, b"user-agent": b"after an update"}), NOW_S) is not None


def test_what_was_verified_is_remembered_with_its_keys() -> None:
    """Read again it is the same session, on its own host only; after a rotation that drops its key it is none."""
    sessions = Sessions(KEYS, limit=2)
    cookie = {b"cookie": _cookie()}
    for _ in range(3):
        assert sessions.read(request(headers=cookie), NOW_S) == Session(b"12345678", int(NOW_S))
    assert sessions.read(request(headers=cookie, host=b"other.example"), NOW_S) is None
    assert sessions.read(request(headers=cookie), NOW_S + MAX_AGE_S) is None
    sessions.apply(KeyRing((b"n" * 32,)))
    assert sessions.read(request(headers=cookie), NOW_S) is None


def test_of_several_the_oldest_counts() -> None:
    """All cookies of the name are tried, broken ones are passed over."""
    both = b"; ".join([b"__Host-botsieve_s=broken", _cookie(b"younger.", NOW_S + 9), _cookie(b"older...", NOW_S)])
    assert SESSIONS.read(request(headers={b"cookie": both}), NOW_S + 10) == Session(b"older...", int(NOW_S))


def test_a_clearance_is_no_session() -> None:
    """The value of a clearance cookie under the session's name is nothing."""
    value = cleared(desk()).partition(b"=")[2]
    assert SESSIONS.read(request(headers={b"cookie": b"__Host-botsieve_s=" + value}), NOW_S) is None


def test_an_id_has_eight_bytes() -> None:
    """Another length is a mistake of the program."""
    with pytest.raises(ValueError):
        SESSIONS.issue(request(), NOW_S, b"short")


@given(st.binary(max_size=120))
def test_any_cookie_is_no_session(value: bytes) -> None:
    """What we did not sign is nothing and never raises."""
    assert SESSIONS.read(request(headers={b"cookie": b"__Host-botsieve_s=" + value}), NOW_S) is None


def test_hosts_that_visitors_make_up_are_bounded() -> None:
    """Each host has its own cookies however many there are; after a rotation the newest key signs."""
    sessions = Sessions(KEYS)
    for number in range(2_000):
        host = b"%d.example" % number
        cookie = sessions.issue(request(host=host), NOW_S, b"12345678").partition(";")[0].encode()
        assert sessions.read(request(headers={b"cookie": cookie}, host=host), NOW_S) is not None
    assert len(sessions._series) <= 256
    sessions.apply(KeyRing((b"n" * 32,)))
    fresh = sessions.issue(request(), NOW_S, b"12345678").partition(";")[0].encode()
    assert sessions.read(request(headers={b"cookie": fresh}), NOW_S) is not None
    assert Sessions(KEYS).read(request(headers={b"cookie": fresh}), NOW_S) is None


def test_each_is_opened_in_its_own_second() -> None:
    """However the seconds come, each cookie says its own."""
    for at_s in (NOW_S, NOW_S + 0.9, NOW_S + 1.0, NOW_S + 1.5, NOW_S - 3.0, NOW_S):
        session = SESSIONS.read(request(headers={b"cookie": _cookie(at_s=at_s)}), NOW_S)
        assert session is not None
        assert session.opened_s == int(at_s)
