"""The device id: a signed name for one browser, kept by it in three places, that outlives our session cookie.

Law of the file: nothing is remembered here but texts that were verified.  What a client shows is one of four things (GENUINE,
STALE, FOREIGN, BROKEN), whatever its bytes; only a GENUINE one has an id.  Whether that id may name a client is `is_settled`.

The id is bound to its host by a field and not by the context of the MAC: so an id that was carried to another host is known for
what it is.  The User-Agent is not bound: a browser is updated, a phone asks for the desktop site.
"""

from __future__ import annotations

import struct
from hashlib import blake2s

import msgspec

from botsieve.challenge.cookies import DEVICE_COOKIE, carried_cookies, set_cookie
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.tokens import DEVICE, MIN_TEXT, SKEW_S, key_is_known, open_token, seal
from botsieve.observation import Observation
from botsieve.remembered import Answers, Spread

ID_BYTES, SERIAL_BYTES = 8, 4
# What a client shows us: ours and valid; ours and too old, or signed by a key that we have dropped; ours, of another host; not ours.
GENUINE, STALE, FOREIGN, BROKEN = "genuine", "stale", "foreign", "broken"

_PACKED = struct.Struct(f">{ID_BYTES}sII{SERIAL_BYTES}sB")
_HOST_BYTES = 8
# Verified cookies kept, per generation, about 0.4 KiB each; a longer cookie is none of ours.
_MAX_OPENED = 50_000
_MAX_TEXT = 256


class Device(msgspec.Struct, frozen=True, gc=False):
    """One device id as one of its texts says it.

    `id`: 8 bytes.  `born_s`: when it was first issued, `issued_s`: when this text was, the service's clock.  `serial`: 4 bytes that
    name this text.  `returned`: the cookie of an earlier text of it came back, so this browser keeps cookies.
    """

    id: bytes
    born_s: int
    issued_s: int
    serial: bytes
    returned: bool = False

    def is_settled(self, now_s: float, settles_s: float) -> bool:
        """Whether it may name a client: it is as old as the windows are long (docs/decisions/0010)."""
        return now_s - self.born_s >= settles_s


class Devices:
    """Issues and reads device ids.  `valid_s`: a text that is older is stale [S2-25: 120 min]."""

    __slots__ = ("_opened", "keys", "valid_s")

    def __init__(self, keys: KeyRing, valid_s: int = 7200, limit: int = _MAX_OPENED) -> None:
        self.keys = keys
        self.valid_s = valid_s
        self._opened: Spread[Device] = Spread(limit)

    def apply(self, keys: KeyRing, valid_s: int) -> None:
        """Takes new keys and a new validity."""
        self.keys = keys
        self.valid_s = valid_s
        self._opened.clear()

    def read(self, o: Observation, now_s: float) -> Device | None:
        """The device whose cookie this request carries, None without a valid one.  With several the oldest device counts."""
        return self.of(carried_cookies(o)[2], o, now_s)

    def of(self, values: list[bytes], o: Observation, now_s: float) -> Device | None:
        """The same, of the values of its cookies.  None of them holds a semicolon.

        Cost: a cookie that was verified before is looked up, 0.3 us; otherwise 3 us.
        """
        found: Device | None = None
        for value in values:
            if not MIN_TEXT <= len(value) <= _MAX_TEXT:
                continue
            seen = o.host + b";" + value  # one name for both
            device = self._opened.get(seen)
            if device is None:
                state, device = self.open(o, value, now_s)
                if state != GENUINE or device is None:
                    continue
                self._opened.put(seen, device)
            elif not self._is_valid(device, now_s):
                continue
            if found is None or (device.born_s, device.id) < (found.born_s, found.id):
                found = device
        return found

    def open(self, o: Observation, text: bytes, now_s: float) -> tuple[str, Device | None]:
        """What one stored text is, and its device when it is ours.  `text`: any bytes but none."""
        fields = open_token(self.keys, DEVICE, text) if len(text) <= _MAX_TEXT else None
        if fields is None:
            return (BROKEN if key_is_known(self.keys, text) else STALE), None
        device_id, born_s, issued_s, serial, returned = _PACKED.unpack(fields[0])
        device = Device(device_id, born_s, issued_s, serial, bool(returned))
        if fields[1] != _host_of(o):
            return FOREIGN, device
        return (GENUINE if self._is_valid(device, now_s) else STALE), device

    def renew(self, before: Device | None, now_s: float, random12: bytes, *, returned: bool) -> Device:
        """The same device with a new text, a new device without one before.  `random12`: 12 random bytes.  Errors: ValueError."""
        if len(random12) != ID_BYTES + SERIAL_BYTES:
            raise ValueError(f"a device id takes {ID_BYTES + SERIAL_BYTES} random bytes, not {len(random12)}")
        serial = random12[ID_BYTES:]
        if before is None:
            return Device(random12[:ID_BYTES], int(now_s), int(now_s), serial)
        return Device(before.id, before.born_s, int(now_s), serial, returned)

    def text_of(self, o: Observation, device: Device) -> str:
        """The text to be stored for the host of this request: 72 characters."""
        packed = _PACKED.pack(device.id, device.born_s, device.issued_s, device.serial, device.returned)
        return seal(self.keys, DEVICE, (packed, _host_of(o)))

    def cookie(self, o: Observation, text: str) -> str:
        """The Set-Cookie value."""
        return set_cookie(o, DEVICE_COOKIE, text, self.valid_s)

    def _is_valid(self, device: Device, now_s: float) -> bool:
        return device.issued_s - SKEW_S <= now_s < device.issued_s + self.valid_s


def _host_of(o: Observation) -> bytes:
    return _HOSTS[o.host]


def _digest(host: bytes) -> bytes:
    return blake2s(host, digest_size=_HOST_BYTES, person=b"device").digest()


_HOSTS: Answers[bytes, bytes] = Answers(256, _digest)
