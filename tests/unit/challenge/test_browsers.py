"""Fingerprints: one browser under several names, and many alike."""

from __future__ import annotations

from botsieve.challenge.browsers import MAX_BROWSERS, Browsers, is_browser, name_of
from botsieve.state.hashing import Hasher

from tests.unit.challenge.builders import NOW_S, request

PRINT = "0123456789abcdef" * 2
VALID_S = 7200.0


def browsers() -> tuple[Browsers, bytes]:
    known = Browsers(Hasher(b"secret"))
    return known, known.key_of(request(), PRINT)


def test_the_key_is_of_fingerprint_and_network() -> None:
    """The same machine elsewhere, and another one here, are others; within the /24 it is the same."""
    known, key = browsers()
    assert key == known.key_of(request(address="203.0.113.99"), PRINT)
    assert key != known.key_of(request(address="198.51.100.7"), PRINT)
    assert key != known.key_of(request(), PRINT[::-1])
    assert key != Browsers(Hasher(b"other")).key_of(request(), PRINT), "under another secret it says nothing"


def test_a_device_that_comes_back_is_no_deletion() -> None:
    """The same one, ten times."""
    known, key = browsers()
    heard = [known.heard(key, b"one", NOW_S + at, VALID_S, is_new=at == 0) for at in range(10)]
    assert not any(heard)
    assert known.of(b"one") == (key, NOW_S)


def test_a_new_device_in_a_known_browser_is_a_deletion() -> None:
    """One name after the other, each new: three deletions."""
    known, key = browsers()
    heard = [known.heard(key, b"device%d" % at, NOW_S + at, VALID_S, is_new=True) for at in range(4)]
    assert heard == [False, True, True, True]


def test_after_the_validity_nothing_is_known() -> None:
    """What ran out was not deleted."""
    known, key = browsers()
    known.heard(key, b"one", NOW_S, VALID_S, is_new=True)
    assert known.heard(key, b"two", NOW_S + VALID_S - 1, VALID_S, is_new=True)
    known.heard(key, b"one", NOW_S, VALID_S, is_new=True)
    assert not known.heard(key, b"three", NOW_S + 2 * VALID_S, VALID_S, is_new=True)


def test_identical_machines_are_not_one() -> None:
    """Those that come and go side by side share a fingerprint: no deletion is seen any more, and none is tracked by it."""
    known, key = browsers()
    for at, member in enumerate((b"a", b"b", b"c", b"a", b"b", b"c")):
        known.heard(key, member, NOW_S + at, VALID_S, is_new=at < 3)
    assert known.is_shared(key)
    assert not known.heard(key, b"d", NOW_S + 9, VALID_S, is_new=True)
    assert known.of(b"a")[0] == known.of(b"d")[0] == b""


def test_old_devices_that_turn_up_beside_others_show_it_at_once() -> None:
    """They were made elsewhere: other machines."""
    known, key = browsers()
    for at in range(4):
        known.heard(key, b"old%d" % at, NOW_S + at, VALID_S, is_new=False)
    assert known.is_shared(key)


def test_who_claims_a_neighbour_s_fingerprint_is_not_counted_with_it() -> None:
    """Two that take turns are told apart as soon as both have come back."""
    known, key = browsers()
    for at in range(4):
        assert known.of(b"a")[0] == (key if 0 < at < 4 else b"")
        known.heard(key, b"ab"[at % 2 : at % 2 + 1], NOW_S + at, VALID_S, is_new=at < 2)
    assert known.of(b"a")[0] == known.of(b"b")[0] == b""


def test_one_that_stays_does_not_hide_one_that_throws_its_ids_away() -> None:
    """A stable device beside ever new ones: they are still seen."""
    known, key = browsers()
    known.heard(key, b"stays", NOW_S, VALID_S, is_new=True)
    for at in range(1, 6):
        assert known.heard(key, b"new%d" % at, NOW_S + at, VALID_S, is_new=True)
        known.heard(key, b"stays", NOW_S + at + 0.5, VALID_S, is_new=False)


def test_it_is_bounded() -> None:
    """The oldest are forgotten."""
    known = Browsers(Hasher(b"secret"), browsers=100, named=100)
    for at in range(1000):
        known.heard(b"key%d" % at, b"member%d" % at, NOW_S, VALID_S, is_new=True)
    assert len(known) == 100 < MAX_BROWSERS
    assert known.of(b"member0") == (b"", 0.0)
    key = b"one"
    for at in range(1000):
        known.heard(key, b"m%d" % at, NOW_S, VALID_S, is_new=True)
    assert len(known._browsers.get(key).members) <= 8  # type: ignore[union-attr]


def test_a_browser_s_name_is_no_device_s() -> None:
    """Whatever the bytes of an id are."""
    assert is_browser(name_of(bytes(8)))
    assert not is_browser(b"f2345678")
    assert not is_browser(b"")
