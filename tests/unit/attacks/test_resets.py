"""botsieve.attacks.resets: integrity faults and deleted cookies, by device and by fingerprint [S2-45..S2-50]"""

from __future__ import annotations

import msgspec
import pytest
from botsieve.attacks.preventions import Prevention, Preventions, Whom
from botsieve.attacks.resets import MAX_COUNTED, Resets
from botsieve.attacks.types import SESSION_RESETS
from botsieve.challenge.browser_facts import BY_DEVICE, BY_FINGERPRINT, COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS, Fact
from botsieve.detectors.settings import SessionResets

from tests.unit.rig import START_S

SETTINGS = SessionResets(action="block")
DEVICE, OTHER, CLIENT = (
    Whom("shop", word, name * 8, bytes(16), b"network1")
    for word, name in (("device", b"d"), ("device", b"e"), ("client", b"c"))
)
FAULT = Fact(INTEGRITY_FAULT, BY_DEVICE, b"device-1", detail="bad_mac")
DELETED = Fact(COOKIE_DELETED, BY_DEVICE, b"device-1")
DELETED_BY_PRINT = Fact(COOKIE_DELETED, BY_FINGERPRINT, b"", b"browser1")


class Desk:
    """Reports, one after the other."""

    def __init__(self, settings: SessionResets = SETTINGS) -> None:
        self.preventions = Preventions()
        self.resets = Resets(self.preventions)
        self.settings = settings

    def told(self, fact: Fact, *at_s: float, whom: Whom = DEVICE, without: Whom | None = None) -> list[bool]:
        """Whether each of these reports crosses the threshold."""
        return [bool(self.resets.told(whom, without, fact, self.settings, START_S + one)) for one in at_s]

    def held(self, whom: Whom = DEVICE) -> Prevention | None:
        return (self.preventions.of(whom.key) or {}).get("sessions.resets")


def test_more_than_three_faults_in_25_s() -> None:
    """The fourth, with its number beside the limit; three are nothing [S2-45]."""
    desk = Desk()
    assert desk.told(FAULT, 0, 8, 16, 24.9) == [False, False, False, True]
    held = desk.held()
    assert held is not None
    assert (held.attack_type, held.mild) == (SESSION_RESETS, False)
    assert [(one.name, one.value, one.limit) for one in held.measures] == [("integrity_faults_in_25_s", 4, 3)]
    assert Desk().told(FAULT, 0, 8.4, 16.8, 25.1, 33.5, 42) == [False] * 6


def test_more_than_two_deletions_in_4_s() -> None:
    """The third, by the device or by the fingerprint [S2-46, S2-47]."""
    assert Desk().told(DELETED, 0, 2, 3.9) == [False, False, True]
    assert Desk().told(DELETED, 0, 2, 4.1, 6.2) == [False] * 4
    assert Desk().told(DELETED_BY_PRINT, 0, 2, 3.9, whom=CLIENT) == [False, False, True]


def test_each_method_can_be_switched_off() -> None:
    """`by` names those that count; faults are always seen by the device."""
    for by, fact, counts in (
        ("device", DELETED, True),
        ("device", DELETED_BY_PRINT, False),
        ("fingerprint", DELETED, False),
        ("fingerprint", DELETED_BY_PRINT, True),
        ("fingerprint", FAULT, True),
    ):
        desk = Desk(msgspec.structs.replace(SETTINGS, by=(by,)))
        assert any(desk.told(fact, 0, 0.1, 0.2, 0.3)) is counts
    assert not any(Desk(msgspec.structs.replace(SETTINGS, action="ignore")).told(FAULT, 0, 1, 2, 3, 4))


def test_devices_do_not_add_up() -> None:
    """Nor faults and deletions, nor two sites."""
    desk = Desk()
    for at_s in (0, 1):
        assert desk.told(DELETED, at_s) == desk.told(DELETED, at_s, whom=OTHER) == desk.told(FAULT, at_s) == [False]
    far = DEVICE._replace(policy="blog", key=b"x" * 8)
    assert desk.told(DELETED, 1.5, whom=far) == [False]
    elsewhere = CLIENT._replace(policy="blog")
    for whom in (CLIENT, elsewhere):
        assert desk.told(DELETED_BY_PRINT, 0, 1, whom=whom) == [False, False]


def test_who_is_only_known_by_a_fingerprint_is_challenged_at_most() -> None:
    """Others may have the same browser in the same network."""
    desk = Desk()
    desk.told(DELETED_BY_PRINT, 0, 1, 2, whom=CLIENT)
    held = desk.held(CLIENT)
    assert held is not None
    assert held.mild


def test_a_device_that_is_thrown_away_each_time_is_met_without_it() -> None:
    """The new id is answered, and the name that is left without it, by a challenge at most."""
    desk = Desk()
    for number, at_s in enumerate((0.0, 1.0, 2.0)):
        new = DEVICE._replace(key=b"%08d" % number)
        desk.told(DELETED_BY_PRINT, at_s, whom=new, without=CLIENT)
    left = desk.held(CLIENT)
    assert left is not None
    assert left.mild
    assert desk.held(DEVICE._replace(key=b"00000002")) is not None
    assert desk.held(DEVICE._replace(key=b"00000001")) is None


def test_it_goes_on_while_faults_come_and_ends_after_them() -> None:
    """Two minutes after the window of the last one."""
    desk = Desk()
    desk.told(FAULT, *range(0, 100, 5))
    held = desk.held()
    assert held is not None
    assert held.runs(START_S + 95 + 25 + 119)
    assert not held.runs(START_S + 95 + 25 + 121)
    assert desk.preventions.begun == 1


def test_it_is_bounded() -> None:
    """The oldest go first, and one device's events are at most twice the limit."""
    desk = Desk()
    for number in range(MAX_COUNTED + 10):
        desk.told(DELETED, 0, whom=DEVICE._replace(key=number.to_bytes(8, "big")))
    assert MAX_COUNTED * 0.95 < len(desk.resets) <= MAX_COUNTED
    desk.told(FAULT, *[number / 100 for number in range(500)])
    held = desk.held()
    assert held is not None
    assert held.measures[0].value == 6


def test_a_fact_of_another_kind_is_a_mistake_of_the_caller() -> None:
    """It is told to somebody else."""
    with pytest.raises(KeyError):
        Desk().told(Fact(SUSPICIOUS), 0)
