"""Three copies of a device id: who meddled, and who only has a browser."""

from __future__ import annotations

from botsieve.challenge.copies import BAD_MAC, FOREIGN_HOST, MISMATCH, RACE_S, Found, compare
from botsieve.challenge.device import Device, Devices

from tests.unit.challenge.builders import KEYS, NOW_S, request

DEVICES = Devices(KEYS, 7200)
BORN_S = int(NOW_S) - 3600
ONE = Device(b"device-1", BORN_S, int(NOW_S) - 60, b"aaaa", True)
TWO = Device(b"device-2", BORN_S - RACE_S - 1, int(NOW_S) - 60, b"bbbb", True)


def text(device: Device, host: bytes = b"shop.example") -> bytes:
    return DEVICES.text_of(request(host=host), device).encode()


def compared(cookie: bytes, *stored: bytes, at_s: float = NOW_S, sends_cookies: bool = True) -> Found:
    headers = {b"cookie": b"__Host-botsieve_d=" + cookie} if cookie else {}
    return compare(DEVICES, request(headers=headers), stored, at_s, sends_cookies=sends_cookies)


def test_three_that_agree() -> None:
    """Nothing to say, and the cookie came."""
    found = compared(text(ONE), text(ONE), text(ONE))
    assert (found.device, found.faults, found.deleted, found.cookie_came) == (ONE, (), False, True)


def test_nothing_at_all() -> None:
    """A first visit, or a browser that cleared everything: no fault."""
    assert compared(b"", b"", b"") == Found(None)


def test_a_missing_copy_is_no_fault() -> None:
    """Private modes and quotas take copies away."""
    for cookie, local, indexed in ((text(ONE), b"", b""), (text(ONE), text(ONE), b""), (text(ONE), b"", text(ONE))):
        found = compared(cookie, local, indexed)
        assert (found.device, found.faults, found.deleted) == (ONE, (), False)


def test_a_changed_copy_is_a_fault() -> None:
    """A text that we never wrote; the device is the cookie's."""
    found = compared(text(ONE), text(ONE)[:-1] + b"-", text(ONE))
    assert (found.device, found.faults) == (ONE, (BAD_MAC,))
    assert compared(text(ONE), b"garbage", b"").faults == (BAD_MAC,)


def test_somebody_else_s_id_is_a_fault() -> None:
    """Two devices in one browser; the device is the cookie's, which no script can write."""
    found = compared(text(ONE), text(TWO), text(ONE))
    assert (found.device, found.faults) == (ONE, (MISMATCH,))


def test_an_id_of_another_host_is_a_fault() -> None:
    """Only by hand does it come here."""
    assert compared(text(ONE), text(ONE, b"other.example"), b"").faults == (FOREIGN_HOST,)


def test_two_tabs_of_a_first_visit_are_no_fault() -> None:
    """Ids born within half a minute are one browser; both tabs settle for the older."""
    twin = Device(b"device-0", BORN_S + RACE_S, int(NOW_S) - 50, b"cccc")
    for found in (compared(text(ONE), text(twin), b""), compared(text(twin), text(ONE), b"")):
        assert (found.device, found.faults) == (ONE, ())


def test_the_newest_text_of_the_device_goes_on() -> None:
    """Tabs renew at the same time; the texts differ, the device does not."""
    newer = Device(ONE.id, ONE.born_s, int(NOW_S) - 10, b"dddd")
    assert compared(text(ONE), text(newer), b"").device == newer


def test_a_deleted_cookie_is_noticed() -> None:
    """The id outlived its cookie in a browser that sends cookies."""
    found = compared(b"", text(ONE), b"")
    assert (found.device, found.deleted, found.faults, found.cookie_came) == (ONE, True, (), False)
    assert found.witness == ONE.id + ONE.serial


def test_who_refuses_cookies_deletes_none() -> None:
    """Never returned, and no other cookie arrives either: this browser keeps none."""
    refused = Device(b"device-3", BORN_S, int(NOW_S) - 60, b"eeee", False)
    assert not compared(b"", text(refused), b"", sends_cookies=False).deleted
    assert compared(b"", text(refused), b"", sends_cookies=True).deleted
    assert compared(b"", text(ONE), b"", sends_cookies=False).deleted, "it once returned"


def test_what_runs_out_was_not_deleted() -> None:
    """Within two minutes of its end, and after it, a cookie that is gone has run out."""
    issued_s = ONE.issued_s
    assert compared(b"", text(ONE), b"", at_s=issued_s + 7200 - 121).deleted
    assert not compared(b"", text(ONE), b"", at_s=issued_s + 7200 - 120).deleted
    assert compared(b"", text(ONE), text(ONE), at_s=issued_s + 7200) == Found(None, witness=text(ONE) + b"|" + text(ONE))


def test_a_stale_copy_beside_a_new_cookie() -> None:
    """A tab from before lunch: no fault, the cookie counts."""
    old = Device(b"device-4", BORN_S, int(NOW_S) - 7201, b"ffff")
    assert compared(text(ONE), text(old), text(old)).faults == ()


def test_a_broken_cookie_is_no_deletion() -> None:
    """It is there: changed, not deleted."""
    found = compared(text(ONE)[:-2] + b"--", text(ONE), b"")
    assert (found.faults, found.deleted, found.cookie_came) == ((BAD_MAC,), False, False)
