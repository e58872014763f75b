"""botsieve.attacks.preventions"""

from __future__ import annotations

from botsieve.attacks.preventions import AGAIN_S, NETWORK, QUIET_S, Prevention, Preventions, Whom
from botsieve.attacks.types import BOT_DETECTED, ENDED, EXPIRED, RELEASED, SUSPICIOUS_CLIENTS
from hypothesis import given
from hypothesis import strategies as st

NOW_S = 1_800_000_000.0
WINDOW_S = 30.0


def whom(number: int, network: int = 0) -> Whom:
    """Somebody, in some network."""
    return Whom("shop", "client", number.to_bytes(8, "big"), bytes(16), b"net" + network.to_bytes(5, "big"))


def begun(preventions: Preventions, number: int = 1, at_s: float = 0.0, network: int = 0) -> Prevention:
    """A prevention of 1800 s."""
    return preventions.begin(whom(number, network), "surfing.rapid", BOT_DETECTED, NOW_S + at_s, 1800.0)


def test_it_lasts_its_time_at_most() -> None:
    """However long it goes on; the moment of the end is the end."""
    one = begun(Preventions())
    for second in range(0, 1800, 10):
        one.keep((), NOW_S + second, WINDOW_S, high=True)
        assert one.runs(NOW_S + second)
    assert one.runs(NOW_S + 1799.9)
    assert not one.runs(NOW_S + 1800.0)
    assert (one.why, one.ended_s) == (EXPIRED, NOW_S + 1800.0)


def test_it_ends_120_s_after_it_fell_below_half() -> None:
    """From the first low value on; one high value begins anew."""
    one = begun(Preventions())
    one.keep((), NOW_S, WINDOW_S, high=True)
    one.keep((), NOW_S + 20.0, WINDOW_S, high=False)
    one.keep((), NOW_S + 100.0, WINDOW_S, high=False)
    assert one.runs(NOW_S + 20.0 + QUIET_S - 0.1)
    one.keep((), NOW_S + 139.0, WINDOW_S, high=True)
    one.keep((), NOW_S + 150.0, WINDOW_S, high=False)
    assert one.runs(NOW_S + 269.9)
    assert not one.runs(NOW_S + 270.0)
    assert one.why == ENDED


def test_who_is_silent_is_low_when_the_window_is_over() -> None:
    """Nobody has to ask for it to end."""
    one = begun(Preventions())
    one.keep((), NOW_S, WINDOW_S, high=True)
    assert one.runs(NOW_S + WINDOW_S + QUIET_S - 0.1)
    assert not one.runs(NOW_S + WINDOW_S + QUIET_S)


def test_a_second_within_ten_minutes_lasts_its_full_time() -> None:
    """Of the same detector against the same subject; later than that it is a first one again."""
    preventions = Preventions()
    first = begun(preventions)
    first.keep((), NOW_S, WINDOW_S, high=False)
    assert not first.runs(NOW_S + QUIET_S)
    second = begun(preventions, at_s=QUIET_S + AGAIN_S - 1.0)
    second.keep((), NOW_S + 800.0, WINDOW_S, high=False)
    assert second.runs(NOW_S + QUIET_S + AGAIN_S - 1.0 + 1799.0)
    ended_s = QUIET_S + AGAIN_S - 1.0 + 1800.0
    assert not second.runs(NOW_S + ended_s)
    assert not begun(preventions, at_s=ended_s + AGAIN_S).full
    assert not begun(preventions, number=2, at_s=ended_s).full


def test_one_that_was_released_does_not_make_the_next_longer() -> None:
    """An operator's word is no offence."""
    preventions = Preventions()
    begun(preventions).release(NOW_S + 5.0)
    (held,) = (preventions.of(whom(1).key) or {}).values()
    assert (held.why, held.latch.released, held.runs(NOW_S + 6.0)) == (RELEASED, True, False)
    assert not begun(preventions, at_s=10.0).full


def test_those_of_one_network_fold_into_one_where_there_is_no_room() -> None:
    """Subjects of a network are few, whoever has a /48: the fold lasts as long as the longest of them."""
    preventions = Preventions(most=4)
    for number in range(4):
        begun(preventions, number, at_s=float(number), network=7)
    folded = begun(preventions, 99, at_s=2.0, network=7)
    assert (folded.whom.subject, folded.whom.key, folded.full) == (NETWORK, whom(0, 7).network_key, True)
    assert folded.latch.end_s == NOW_S + 1803.0
    assert (len(preventions), preventions.folded) == (1, 4)
    assert [one for one in preventions.running(NOW_S + 5.0)] == [folded]  # noqa: C416


def test_where_all_are_of_different_networks_the_longest_held_goes() -> None:
    """The bound holds whatever comes; what is lost is counted."""
    preventions = Preventions(most=4)
    for number in range(6):
        begun(preventions, number, network=number)
    assert (len(preventions), preventions.lost) == (4, 2)
    assert preventions.of(whom(0).key) is None


def test_a_sweep_forgets_what_has_been_over_for_ten_minutes() -> None:
    """Before that it is remembered, for the second one."""
    preventions = Preventions()
    begun(preventions)
    assert preventions.sweep(NOW_S + 1800.0 + AGAIN_S) == []
    assert len(preventions.sweep(NOW_S + 1800.1 + AGAIN_S)) == 1
    assert len(preventions) == 0


def test_what_is_over_goes_however_many_longer_ones_were_there_before() -> None:
    """Only the longest held were looked at: behind 500 of a day's length the dead stayed, and pushed out those in force."""
    preventions = Preventions()
    for number in range(6):
        preventions.begin(whom(number), "surfing.rapid", BOT_DETECTED, NOW_S, 86_400.0)
    begun(preventions, 9)
    swept = [one for _ in range(3) for one in preventions.sweep(NOW_S + 1801.0 + AGAIN_S, most=3)]
    assert [one.whom for one in swept] == [whom(9)]
    assert len(preventions) == 6


def test_what_is_mild_stays_mild_in_a_fold() -> None:
    """A network is blocked for nothing that meant a challenge at most for each of its subjects; one that did not is enough."""
    for last_is_mild, is_mild in ((True, True), (False, False)):
        preventions = Preventions(most=3)
        for number in range(3):
            preventions.begin(whom(number, 7), "browser.suspicious", SUSPICIOUS_CLIENTS, NOW_S, 1800.0, mild=True)
        folded = preventions.begin(whom(9, 7), "browser.suspicious", SUSPICIOUS_CLIENTS, NOW_S, 1800.0, mild=last_is_mild)
        assert (folded.whom.subject, folded.mild) == (NETWORK, is_mild)


@given(st.lists(st.tuples(st.sampled_from("bdrs"), st.integers(0, 9), st.integers(0, 2), st.floats(0.0, 400.0)), max_size=60))
def test_the_count_and_the_index_agree_whatever_happens(steps: list[tuple[str, int, int, float]]) -> None:
    """Begun, dropped, released, swept in any order: never more than the bound, and nothing is left behind."""
    preventions, now_s = Preventions(most=5), 0.0
    for what, number, network, gap_s in steps:
        now_s += gap_s
        held = list((preventions.of(whom(number).key) or {}).values())
        if what == "b":
            begun(preventions, number, now_s, number % 3 if network else number)
        elif what == "d" and held:
            preventions.drop(held[0])
        elif what == "r" and held:
            held[0].release(NOW_S + now_s)
        elif what == "s":
            preventions.sweep(NOW_S + now_s)
        everything = [one for every in preventions._of.values() for one in every.values()]
        assert len(preventions) == len(everything) <= 5
        indexed = {entry for members in preventions._by_network.values() for entry in members}
        assert indexed == {(one.whom.key, one.detector) for one in everything}
        assert all(preventions._by_network.values())
