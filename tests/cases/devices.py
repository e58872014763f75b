"""Devices of the browsers of a case, and what the script in their pages reports of them.

Law of the file: a browser of whose device something is reported has had its device for a long time, on every way alike.
"""

from __future__ import annotations

from botsieve.challenge.browser_facts import BY_DEVICE, BY_FINGERPRINT, COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS, Fact
from botsieve.challenge.device import Device, Devices
from botsieve.challenge.keys import KeyRing
from botsieve.engine import Engine
from botsieve.observation import Observation
from botsieve.state.hashing import Hasher

from tests.transports.edge_harness import START_S

DEVICES = Devices(KeyRing((bytes(32),)), valid_s=86_400)
# What `report` may say of a device, beside what it says of a hand.
OF_A_DEVICE = ("fault", "deleted", "extension", "driven")
REPORTS = (*OF_A_DEVICE, "deleted_by_fingerprint")
_NAMES = Hasher(b"names of devices")


def device_of(browser: str) -> Device:
    """The device of a browser: half an hour old when the case begins."""
    return Device(_NAMES.key(browser.encode()), int(START_S) - 1800, int(START_S) - 1800, bytes(4))


def cookie_of(o: Observation, browser: str) -> str:
    """Its cookie for the host of a request."""
    return DEVICES.cookie(o, DEVICES.text_of(o, device_of(browser))).partition(";")[0]


def told(engine: Engine, o: Observation, browser: str, report: str, now_s: float) -> None:
    """The report of one page, as the desk that takes them understood it."""
    engine.devices = DEVICES
    device = device_of(browser)
    if report == "deleted_by_fingerprint":
        # A new device each time: the old one is gone with its cookie.
        gone = Fact(COOKIE_DELETED, BY_FINGERPRINT, b"", b"browser1", "fingerprint")
        engine.browser_told(o, (gone,), None, now_s, is_new=True)
        return
    if report in ("extension", "driven"):
        listed = report == "extension"
        suspicion = Fact(SUSPICIOUS, detail="Scraper" if listed else "webdriver", points=0 if listed else 100, is_listed=listed)
        engine.browser_told(o, (suspicion,), device, now_s, is_new=False)
        return
    kind = INTEGRITY_FAULT if report == "fault" else COOKIE_DELETED
    fact = Fact(kind, BY_DEVICE, device.id, detail="mismatch" if report == "fault" else "device")
    engine.browser_told(o, (fact,), device, now_s, is_new=False)
