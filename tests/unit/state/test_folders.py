"""Folders are learned from page loads, and only from many different ones."""

from __future__ import annotations

from botsieve.state.folders import _MAX_LEARNING, CHILDREN_AT_LEAST, Folders
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import Rig, enforcing


def learned(folders: Folders, count: int, folder: bytes = b"/shoes/") -> None:
    """So many different pages of a folder were loaded."""
    for n in range(count):
        folders.learn(folder + b"x" * (n + 1), n)


def test_a_folder_is_one_route_from_its_64th_page_on() -> None:
    """63 pages are pages of their own, 64 are items."""
    folders = Folders()
    learned(folders, CHILDREN_AT_LEAST - 1)
    assert folders.route(b"/shoes/red") is None
    learned(folders, CHILDREN_AT_LEAST)
    route = folders.route(b"/shoes/red")
    assert route is not None
    assert (route.template, route.item, route.number, route.is_list) == (b"/shoes/{s}", b"red", -1, False)


def test_the_same_page_again_teaches_nothing() -> None:
    """A page that everybody reads is one page."""
    folders = Folders()
    for _ in range(1000):
        folders.learn(b"/shoes/red", 7)
    assert folders.route(b"/shoes/red") is None


def test_other_folders_and_the_folder_itself_stay_what_they_are() -> None:
    """`/shoes/` is no item of itself, and `/hats/` was not learned."""
    folders = Folders()
    learned(folders, CHILDREN_AT_LEAST)
    assert folders.route(b"/hats/red") is None
    assert folders.route(b"/shoes/red/laces") is None
    assert folders.route(b"/") is None
    page = folders.route(b"/shoes/red/")
    assert page is not None
    assert page.item == b"red/"


def test_what_is_being_learned_is_bounded() -> None:
    """A flood of folders forgets the one that was learned from longest ago."""
    folders = Folders()
    learned(folders, CHILDREN_AT_LEAST - 1)
    for n in range(_MAX_LEARNING):
        folders.learn(b"/%d/x" % n, 1)
    folders.learn(b"/shoes/last", 1 << 40)
    assert folders.route(b"/shoes/red") is None
    assert len(folders._learning) <= _MAX_LEARNING


@given(st.lists(st.binary(max_size=40)))
def test_any_path_is_fine(paths: list[bytes]) -> None:
    """Never an error, and a route always names a child."""
    folders = Folders()
    for n, path in enumerate(paths):
        folders.learn(b"/" + path, n)
        route = folders.route(b"/" + path)
        assert route is None or route.item


def test_a_catalogue_of_words_is_walked() -> None:
    """Once people have shown that a folder is a catalogue, whoever takes 20 pages in 20 s walks it."""
    rig = Rig(enforcing(audience="mixed"))
    for n in range(CHILDREN_AT_LEAST):
        rig.ask(f"/shoes/{'abcdefgh'[n % 8]}{'abcdefgh'[n // 8]}-runner", client=f"203.0.{n}.7", at_s=float(n))
    reasons: list[str] = []
    for n in range(20):
        decision = rig.ask(f"/shoes/walk-{'abcdefghijklmnopqrst'[n]}", client="198.51.100.7", at_s=100.0 + n)
        reasons = decision.reasons
    assert "url_pattern:30" in reasons
