"""Who one client is: device, clearance, known browser, session, or what is left without cookies."""

from __future__ import annotations

from typing import Any

from botsieve.challenge.browsers import Browsers
from botsieve.challenge.device import Device, Devices

from tests.unit.rig import CALL, KEYS, START_S, Rig, found, request

DEVICES = Devices(KEYS, 7200)
ONE = Device(b"device-1", int(START_S) - 400, int(START_S), b"aaaa", True)
TWO = Device(b"device-2", int(START_S) - 400, int(START_S), b"bbbb", True)


def rig(**options: Any) -> Rig:
    made = Rig(cookies=True, **options)
    made.engine.devices = DEVICES
    return made


def with_device(device: Device, *more: bytes) -> dict[bytes, bytes]:
    text = DEVICES.text_of(request(), device).encode()
    return {b"cookie": b"; ".join([b"__Host-botsieve_d=" + text, *more]), b"sec-fetch-site": b"same-origin"}


def test_without_cookies_it_is_what_is_left() -> None:
    """Address, TLS signature and User-Agent; a cookie that does not hold changes nothing."""
    at = rig()
    plain = at.engine.who(request(), START_S)
    assert (plain.session, plain.standing, plain.name, plain.vouched) == (None, None, b"", False)
    assert plain.key == at.engine.world.client_key(request())
    for cookie in (b"botsieve_x=1", b"__Host-botsieve_d=forged; __Host-botsieve_s=forged", b"other=1"):
        assert at.engine.who(request(plus={b"cookie": cookie}), START_S) == plain


def test_the_narrowest_that_holds_names_the_client() -> None:
    """Settled device, then clearance, then settled session; thresholds count on a device at once."""
    at = rig()
    session, clearance = at.session_cookie(opened_s=-400), at.clearance_cookie(request())
    young = Device(b"device-9", int(START_S), int(START_S), b"cccc")
    with_all = at.engine.who(request(plus=with_device(ONE, session, clearance)), START_S)
    without = at.engine.who(request(plus={b"cookie": session + b"; " + clearance}), START_S)
    with_young = at.engine.who(request(plus=with_device(young, session, clearance)), START_S)
    only_session = at.engine.who(request(plus={b"cookie": session}), START_S)
    assert len({with_all.key, without.key, only_session.key}) == 3
    assert with_young.key == without.key
    assert (with_all.name, with_young.name, without.name) == (ONE.id, young.id, b"")
    assert all(who.vouched for who in (with_all, without, with_young, only_session))
    assert not at.engine.who(request(plus=with_device(young)), START_S).vouched


def test_a_session_that_a_cache_gave_away_names_nobody() -> None:
    """Its id is on the list of shared ones."""
    at = rig()
    o = request(plus={b"cookie": at.session_cookie(opened_s=-400)})
    session = at.engine.who(o, START_S).session
    assert session is not None
    at.engine.shared_sessions = frozenset({session.id})
    assert at.engine.who(o, START_S).session is None


def test_a_settled_device_is_the_client() -> None:
    """Two people behind one address with one browser each are two by their devices; both keep their sessions out of it."""
    at = rig()
    for number in range(3):
        for device, offset in ((ONE, 0), (TWO, 3)):
            last = at.ask(f"/items/{number + offset}", headers=CALL, plus=with_device(device), at_s=number * 7.0 + offset)
    assert found(last, "traversal.url_pattern") == []


def test_a_young_device_hides_nobody() -> None:
    """A scraper that takes a new id for every request stays one client for five minutes."""
    at = rig()
    for number in range(8):
        young = Device(b"young-%02d" % number, int(START_S), int(START_S), b"aaaa")
        last = at.ask(f"/items/{number}", headers=CALL, plus=with_device(young), at_s=number * 2.0)
    assert found(last, "traversal.url_pattern") != []


def test_a_device_outlives_its_sessions() -> None:
    """Another session every few requests changes nothing: the device is the client."""
    at = rig()
    for number in range(8):
        session = at.session_cookie(opened_s=-400, number=number + 1)
        last = at.ask(f"/items/{number}", headers=CALL, plus=with_device(ONE, session), at_s=number * 2.0)
    assert found(last, "traversal.url_pattern") != []


def test_a_session_lives_on_beside_a_device() -> None:
    """The client is named by the device; its session has not been idle for that."""
    at = rig()
    for at_s in (0, 1700, 3400, 5100):
        plus = with_device(ONE, at.session_cookie())
        assert at.ask("/", plus=plus, at_s=at_s).set_cookie == "", at_s


def test_switched_off_the_cookie_means_nothing() -> None:
    """Without `device.enabled` it is not read."""
    at = rig()
    at.engine.devices = None
    for number in range(8):
        other = Device(b"other-%02d" % number, int(START_S) - 400, int(START_S), b"aaaa")
        last = at.ask(f"/items/{number}", headers=CALL, plus=with_device(other), at_s=number * 2.0)
    assert found(last, "traversal.url_pattern") != []


def test_a_browser_known_by_its_fingerprint_is_the_client_in_place_of_its_sessions() -> None:
    """Its sessions change; from 300 s on it is one client all the same."""
    at = rig()
    at.engine.browsers = known = Browsers(at.engine.world.hasher)
    key = known.key_of(request(), "0" * 32)
    for number in range(8):
        session = at.session_cookie(opened_s=-400, number=number + 1)
        read = at.sessions.read(request(plus={b"cookie": session}), START_S)  # type: ignore[union-attr]
        assert read is not None
        known.heard(key, b"s" + read.id, START_S - 400 + number, 7200.0, is_new=True)
        last = at.ask(f"/items/{number}", headers=CALL, plus={b"cookie": session}, at_s=number * 2.0)
    assert found(last, "traversal.url_pattern") != []
