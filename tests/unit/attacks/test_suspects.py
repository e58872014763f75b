"""`browser.suspicious`: who is answered, and how hard."""

from __future__ import annotations

from botsieve.attacks.preventions import Preventions, Whom
from botsieve.attacks.suspects import MAX_NEWCOMERS, SUSPICIOUS, Suspects
from botsieve.attacks.types import SUSPICIOUS_CLIENTS
from botsieve.challenge.browser_facts import SUSPICIOUS as KIND
from botsieve.challenge.browser_facts import Fact
from botsieve.detectors.settings import SuspiciousBrowser

from tests.unit.rig import START_S

LISTED = Fact(KIND, detail="Scraper", is_listed=True)
MARKED = Fact(KIND, detail="webdriver+debugger", points=100)
DEVICE = Whom("shop", "device", b"device-1", b"\0" * 16, b"network1")
CLIENT = Whom("shop", "client", b"client-1", b"\0" * 16, b"network1")
BLOCK = SuspiciousBrowser(action="block")


def suspects() -> Suspects:
    return Suspects(Preventions())


def test_what_is_ignored_begins_nothing() -> None:
    """The default: nobody is answered."""
    book = suspects()
    assert book.told(DEVICE, None, LISTED, SuspiciousBrowser(), START_S) == ()
    assert len(book.preventions) == 0


def test_an_extension_lasts_1800_s() -> None:
    """Under F5's name, with the extension's, for the time that is set."""
    book = suspects()
    assert book.told(DEVICE, None, LISTED, BLOCK, START_S) == (DEVICE,)
    held = book.preventions.of(DEVICE.key)
    assert held is not None
    one = held[SUSPICIOUS]
    assert (one.attack_type, one.detail, one.mild) == (SUSPICIOUS_CLIENTS, "Scraper", False)
    assert [(measure.name, measure.value, measure.limit) for measure in one.measures] == [
        ("extensions", 1.0, 0.0),
        ("automation_points", 0.0, 100.0),
    ]
    assert one.runs(START_S + 1799)
    assert not one.runs(START_S + 1800)


def test_marks_alone_ask_for_a_challenge_at_most() -> None:
    """Until an extension is found beside them; a later report without it takes nothing back."""
    book = suspects()
    book.told(DEVICE, None, MARKED, BLOCK, START_S)
    one = (book.preventions.of(DEVICE.key) or {})[SUSPICIOUS]
    assert one.mild
    assert one.measures[0].value == 100.0
    book.told(DEVICE, None, LISTED, BLOCK, START_S + 1)
    book.told(DEVICE, None, MARKED, BLOCK, START_S + 2)
    assert not one.mild


def test_a_newcomer_is_answered_by_its_id_alone() -> None:
    """Who throws its id away and comes again is answered by the name that is left, by a challenge at most: others share it."""
    book = suspects()
    assert book.told(DEVICE, CLIENT, LISTED, BLOCK, START_S) == (DEVICE,)
    again = DEVICE._replace(key=b"device-2")
    assert book.told(again, CLIENT, LISTED, BLOCK, START_S + 10) == (again, CLIENT)
    assert [(book.preventions.of(whom.key) or {})[SUSPICIOUS].mild for whom in (DEVICE, again, CLIENT)] == [False, False, True]
    late = suspects()
    late.told(DEVICE, CLIENT, LISTED, BLOCK, START_S)
    assert late.told(again, CLIENT, LISTED, BLOCK, START_S + 1800) == (again,)


def test_reports_without_an_id_push_out_only_their_like() -> None:
    """Each is given an id that may never come back: 200,000 reports, from 200 networks, took the whole table of preventions."""
    preventions = Preventions(most=MAX_NEWCOMERS + 10)
    book = Suspects(preventions)
    other = preventions.begin(CLIENT, "surfing.rapid", SUSPICIOUS_CLIENTS, START_S, 1800.0)
    for number in range(MAX_NEWCOMERS + 50):
        name = number.to_bytes(8, "big")
        book.told(DEVICE._replace(key=name), CLIENT._replace(key=b"n" + name[1:], network_key=name), LISTED, BLOCK, START_S)
    assert (preventions.lost, preventions.folded) == (0, 0)
    assert len(preventions) == MAX_NEWCOMERS + 1
    assert other.runs(START_S + 1.0)
    assert preventions.of(CLIENT.key) is not None
