"""The device id as a text: what is ours, what is too old, what came from elsewhere."""

from __future__ import annotations

import pytest
from botsieve.challenge.device import BROKEN, FOREIGN, GENUINE, STALE, Device, Devices
from botsieve.challenge.keys import KeyRing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.challenge.builders import KEYS, NOW_S, request

RANDOM = bytes(range(12))
DEVICES = Devices(KEYS, 7200)
NEW = DEVICES.renew(None, NOW_S, RANDOM, returned=False)
TEXT = DEVICES.text_of(request(), NEW).encode()


def _with_cookie(text: bytes, name: bytes = b"__Host-botsieve_d", **facts: object) -> object:
    return request(headers={b"cookie": name + b"=" + text}, **facts)


def test_what_was_issued_is_read() -> None:
    """The cookie gives the device back; its text is short."""
    assert DEVICES.read(_with_cookie(TEXT), NOW_S + 10) == NEW
    assert len(TEXT) == 72
    assert Device(RANDOM[:8], int(NOW_S), int(NOW_S), RANDOM[8:]) == NEW


def test_the_second_reading_is_the_first() -> None:
    """A cookie that was verified is remembered, and still runs out."""
    o = _with_cookie(TEXT)
    devices = Devices(KEYS, 7200)
    assert devices.read(o, NOW_S) == devices.read(o, NOW_S + 7199) == NEW
    assert devices.read(o, NOW_S + 7200) is None


def test_every_end_of_its_time() -> None:
    """Valid for 120 minutes from its issue, then stale: nobody's fault."""
    for after_s, state in ((0, GENUINE), (7199, GENUINE), (7200, STALE), (-60, GENUINE), (-61, STALE)):
        assert DEVICES.open(request(), TEXT, NOW_S + after_s)[0] == state, after_s


def test_an_id_of_another_host_is_known() -> None:
    """Carried to another host it is foreign there, and names nobody."""
    elsewhere = _with_cookie(TEXT, host=b"other.example")
    assert DEVICES.open(elsewhere, TEXT, NOW_S)[0] == FOREIGN
    assert DEVICES.read(elsewhere, NOW_S) is None


def test_a_key_that_was_dropped_is_no_fault() -> None:
    """What we signed with a key that the ring no longer holds is stale, not broken."""
    assert Devices(KeyRing((b"n" * 32,)), 7200).open(request(), TEXT, NOW_S) == (STALE, None)


def test_a_key_that_was_rotated_still_verifies() -> None:
    """The newest key signs, all verify."""
    assert Devices(KeyRing((b"k" * 32, b"n" * 32)), 7200).open(request(), TEXT, NOW_S)[0] == GENUINE


def test_every_changed_character_is_noticed() -> None:
    """One character changed, anywhere, and it is no id any more."""
    for at in range(len(TEXT)):
        changed = TEXT[:at] + (b"A" if TEXT[at : at + 1] != b"A" else b"B") + TEXT[at + 1 :]
        state, device = DEVICES.open(request(), changed, NOW_S)
        assert state in (BROKEN, STALE), at
        assert device is None
        assert (state == STALE) == (1 < at < 7), at  # the name of the key: as if an old one had signed it


@given(st.binary(max_size=400))
def test_any_bytes_are_one_of_four_things(text: bytes) -> None:
    """Any bytes are broken or stale; none is an id."""
    assert DEVICES.open(request(), text, NOW_S)[0] in (BROKEN, STALE)


def test_renewed_it_is_the_same_device() -> None:
    """Id and birth stay, the text is another; what came back is written into it."""
    later = DEVICES.renew(NEW, NOW_S + 60, bytes(12), returned=True)
    assert (later.id, later.born_s, later.issued_s, later.returned) == (NEW.id, NEW.born_s, int(NOW_S) + 60, True)
    assert later.serial != NEW.serial


def test_of_several_cookies_the_oldest_device_counts() -> None:
    """A second cookie of the name changes nobody's identity."""
    young = DEVICES.renew(None, NOW_S + 5, bytes(12), returned=False)
    other = DEVICES.text_of(request(), young).encode()
    o = request(headers={b"cookie": b"__Host-botsieve_d=%b; __Host-botsieve_d=%b" % (other, TEXT)})
    assert DEVICES.read(o, NOW_S + 6) == NEW


def test_the_cookie_is_for_this_host_and_no_script() -> None:
    """As docs/headers.md says, for as long as the id is valid."""
    cookie = DEVICES.cookie(request(), "x")
    assert cookie == "__Host-botsieve_d=x; Max-Age=7200; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert DEVICES.cookie(request(scheme=b"http"), "x").startswith("botsieve_d=x; Max-Age=7200; Path=/; HttpOnly; SameSite=Lax")


def test_it_names_a_client_when_it_has_settled() -> None:
    """From the age on that is asked for, not before."""
    assert not NEW.is_settled(NOW_S + 299, 300.0)
    assert NEW.is_settled(NOW_S + 300, 300.0)


def test_randomness_of_another_length_is_a_mistake() -> None:
    """Twelve bytes, no others."""
    with pytest.raises(ValueError, match="12 random bytes"):
        DEVICES.renew(None, NOW_S, bytes(11), returned=False)
