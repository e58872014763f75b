"""What the three copies of a device id say together: which device it is, and whether somebody meddled.

Law of the file: a copy that is missing, too old, or signed by a key that we dropped is nobody's fault: browsers clear storage by
themselves.  A fault needs a text that we never wrote, one of another host, or two devices in one browser [S2-45]; a deletion needs a
device that outlived its cookie in a browser that keeps cookies [S2-46].
"""

from __future__ import annotations

import msgspec

from botsieve.challenge.cookies import DEVICE_COOKIE, cookie_values
from botsieve.challenge.device import BROKEN, FOREIGN, GENUINE, Device, Devices
from botsieve.observation import Observation

BAD_MAC, FOREIGN_HOST, MISMATCH = "bad_mac", "foreign_host", "mismatch"

# guess: two tabs that are opened together both come without an id and both get one; ids born so close together are one browser.
RACE_S = 30
# A cookie and a stored copy of the same text do not run out in the same instant: so near to its end nothing is held against it.
_ENDING_S = 120


class Found(msgspec.Struct, frozen=True, gc=False):
    """`device`: the one to go on with, None for a new one.  `faults`: each kind once.  `deleted`: its cookie is gone and it is not.

    `cookie_came`: the cookie of this device came with the report.  `witness`: names the very texts that show a fault or deletion:
    tabs that report together show the same ones.
    """

    device: Device | None
    faults: tuple[str, ...] = ()
    deleted: bool = False
    cookie_came: bool = False
    witness: bytes = b""


def compare(devices: Devices, o: Observation, stored: tuple[bytes, ...], now_s: float, *, sends_cookies: bool) -> Found:
    """The three copies of one report.

    `stored`: the copies that the script read, b"" for one that is missing.  `sends_cookies`: another cookie of ours came along, so
    cookies reach us.
    """
    cookies = cookie_values(o, DEVICE_COOKIE)
    shown = [text for text in (*cookies, *stored) if text]
    opened = [devices.open(o, text, now_s) for text in shown]
    genuine = [device for state, device in opened if state == GENUINE and device is not None]
    by_cookie = [device for state, device in opened[: len(cookies)] if state == GENUINE and device is not None]
    faults = []
    if any(state == BROKEN for state, _ in opened):
        faults.append(BAD_MAC)
    if any(state == FOREIGN for state, _ in opened):
        faults.append(FOREIGN_HOST)
    are_one = len({device.id for device in genuine}) <= 1
    born = [device.born_s for device in genuine]
    is_race = not are_one and max(born) - min(born) <= RACE_S
    if not are_one and not is_race:
        faults.append(MISMATCH)
    kept = _kept(genuine, by_cookie, is_race=is_race)
    deleted = (
        kept is not None
        and not cookies
        and (kept.returned or sends_cookies)
        and now_s < kept.issued_s + devices.valid_s - _ENDING_S
    )
    witness = kept.id + kept.serial if kept is not None else b"|".join(shown)
    return Found(kept, tuple(faults), deleted, any(kept is not None and device.id == kept.id for device in by_cookie), witness)


def _kept(genuine: list[Device], by_cookie: list[Device], *, is_race: bool) -> Device | None:
    """Two tabs must agree: the older id.  Otherwise the cookie's, which no script can write; of one id the newest text."""
    if not genuine:
        return None
    if is_race:
        return min(genuine, key=lambda device: (device.born_s, device.id))
    first = (by_cookie or genuine)[0].id
    return max((device for device in genuine if device.id == first), key=lambda device: device.issued_s)
