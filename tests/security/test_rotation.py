"""A new key costs nobody a challenge: what the old key signed is good until that key is dropped."""

from __future__ import annotations

import pytest
from botsieve.challenge.keys import KeyRing

from tests.unit.challenge import builders

OLD, NEW, NEWER = b"o" * 32, b"n" * 32, b"e" * 32


def test_a_clearance_outlives_a_rotation() -> None:
    """Clearances and sessions of 50 visitors, given before the rotation, all hold after it; new ones are signed by the new key."""
    desk = builders.desk(keys=KeyRing((OLD,)))
    visitors = []
    for number in range(50):
        address = f"203.0.{number}.7"
        cookie = builders.cleared(desk, number=number + 1, address=address)
        o = builders.request(address=address)
        session = desk.sessions.issue(o, builders.NOW_S, number.to_bytes(8, "big")).partition(";")[0].encode()
        visitors.append((address, cookie, session))
    desk.apply(builders.settings(), KeyRing((OLD, NEW)))
    for address, cookie, session in visitors:
        o = builders.request(address=address, headers={b"cookie": cookie + b"; " + session})
        assert desk.clearances.standing(o, builders.NOW_S + 1) is not None
        assert desk.sessions.read(o, builders.NOW_S + 1) is not None
    fresh = builders.cleared(desk, number=99)
    only_new = builders.desk(keys=KeyRing((NEW, NEWER)))
    assert only_new.clearances.standing(builders.request(headers={b"cookie": fresh}), builders.NOW_S + 1) is not None
    old = builders.request(address=visitors[0][0], headers={b"cookie": visitors[0][1]})
    assert only_new.clearances.standing(old, builders.NOW_S + 1) is None  # the old key was dropped: now it is refused


@pytest.mark.parametrize("ring", [(OLD, NEW), (OLD, NEW, NEWER)])
def test_a_challenge_under_way_can_be_solved_after_a_rotation(ring: tuple[bytes, ...]) -> None:
    """Whoever has the page open while the key changes loses nothing."""
    desk = builders.desk(keys=KeyRing((OLD,)))
    data = builders.page_data(builders.challenged(desk))
    desk.apply(builders.settings(), KeyRing(ring))
    assert desk.solve(builders.post(), builders.body_of(data), builders.NOW_S + 1).status == 204
