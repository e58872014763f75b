"""botsieve.attacks.book, through the engine: what is counted of whom, and what is told of it"""

from __future__ import annotations

import msgspec
import pytest
from botsieve.attacks.types import BOT_DETECTED, RELEASED, TRANSACTIONS
from botsieve.challenge.device import Device, Devices
from botsieve.detectors.settings import THRESHOLDS
from botsieve.policy import PathSet, Rule, Rulebook

from tests.unit.attacks.surfers import blocking, strict, surf
from tests.unit.rig import CALL, KEYS, PAGE, START_S, Rig, enforcing, request


def test_a_decision_shows_the_violation() -> None:
    """As a signal without points, with its measures, attack type and subject, and as a value of its own."""
    rig = Rig(strict())
    decision = surf(rig, 31)
    (violation,) = decision.violations
    signal = next(signal for signal in decision.signals if signal.id == "surfing.rapid")
    assert (signal.points, signal.subject, signal.attack_type) == (0, "client", BOT_DETECTED)
    assert signal.measures == violation.measures
    assert [(measure.name, measure.value, measure.limit) for measure in violation.measures] == [
        ("refreshes", 0, 120),
        ("pages", 31, 30),
    ]
    assert (decision.rule, decision.verdict, decision.hold_s) == ("prevention", "block", 151)
    assert len(violation.key) == 8


def test_in_monitor_it_is_measured_and_told_but_not_done() -> None:
    """would_be says block; nginx is told to hold nobody."""
    decision = surf(Rig(strict(mode="monitor")), 31)
    assert (decision.verdict, decision.would_be, decision.rule, decision.hold_s) == ("allow", "block", "prevention", 0)
    assert len(decision.violations) == 1


def test_a_pause_holds_nobody() -> None:
    """As monitor."""
    rig = Rig(book=Rulebook(policies=(strict(),), paused=True))
    decision = surf(rig, 31)
    assert (decision.verdict, decision.would_be, decision.hold_s) == ("allow", "block", 0)


def test_alarm_tells_and_does_nothing() -> None:
    """The prevention is measured all the same."""
    rig = Rig(enforcing(challenge_at=100, block_at=100))
    decision = surf(rig, 31)
    assert (decision.verdict, decision.would_be, decision.rule) == ("allow", "allow", "threshold.allow")
    assert decision.violations[0].action == "alarm"
    assert len(list(rig.engine.attacks.preventions.running(START_S + 20.0))) == 1


def test_a_rule_may_ask_for_a_threshold() -> None:
    """The violation is a signal like any other."""
    rule = Rule(name="surfers", then="challenge", signal="surfing.rapid")
    rig = Rig(enforcing(challenge_at=100, block_at=100, rules=(rule,)))
    assert surf(rig, 31).rule == "rule.surfers"


def test_five_hundred_people_of_one_browser_are_not_one_surfer() -> None:
    """Each first page load comes without a cookie from one address with one browser, 20 a second; each goes over to its session."""
    rig = Rig(strict(), cookies=True)
    verdicts = []
    for number in range(500):
        at_s = number * 0.05
        verdicts.append(rig.ask(f"/p{number:04d}/x", at_s=at_s).would_be)
        cookie = {b"cookie": rig.session_cookie(opened_s=at_s, number=number + 1)}
        verdicts.append(rig.ask(f"/q{number:04d}/x", at_s=at_s + 0.02, plus=cookie).would_be)
    assert set(verdicts) == {"allow"}


def _newcomers(rig: Rig, devices: Devices | None, *, hand: bool) -> set[str]:
    """200 people of one address and browser, two pages each; the script of the first reports before the second."""
    verdicts = set()
    rig.engine.devices = devices
    for number in range(200):
        at_s = number * 0.05
        verdicts.add(rig.ask(f"/p{number:04d}/x", at_s=at_s).would_be)
        cookie = rig.session_cookie(opened_s=at_s, number=number + 1)
        if devices is not None:
            born_s = int(START_S + at_s)
            text = devices.text_of(request(), Device(number.to_bytes(8, "big"), born_s, born_s, b"text"))
            cookie += b"; " + devices.cookie(request(), text).partition(";")[0].encode()
        if hand:
            rig.engine.human_report(request(plus={b"cookie": cookie}), START_S + at_s + 0.01, regular=True)
        verdicts.add(rig.ask(f"/q{number:04d}/x", plus={b"cookie": cookie}, at_s=at_s + 0.02).would_be)
    return verdicts


@pytest.mark.parametrize("hand", [False, True])
@pytest.mark.parametrize("devices", [None, Devices(KEYS)])
def test_who_has_shown_a_hand_leaves_nothing_under_the_name_of_many(devices: Devices | None, hand: bool) -> None:
    """A report, or a device id, that is there before the second page does not keep the first under the address's name.

    The first page loads of 31 people stayed there: the next one was refused for their sum, and no second page could show that
    the name is shared.
    """
    rig = Rig(strict(), cookies=True)
    rig.engine.attacks.collector_injected = True
    assert _newcomers(rig, devices, hand=hand) == {"allow"}


def test_a_page_load_comes_over_once() -> None:
    """To the session; the device id that the same browser gets later takes nobody else's."""
    rig = Rig(strict(), cookies=True)
    rig.engine.devices = Devices(KEYS)
    for number in range(5):
        rig.ask(f"/p{number}/x", at_s=float(number))
    (door,) = [subject for part in rig.engine.attacks.subjects.table.parts for subject in part.young.values()]
    assert len(door.pages) == 5
    cookie = rig.session_cookie(opened_s=4.0)
    rig.ask("/q/x", plus={b"cookie": cookie}, at_s=5.0)
    assert len(door.pages) == 4
    text = rig.engine.devices.text_of(request(), Device(b"device-1", int(START_S) + 5, int(START_S) + 5, b"text"))
    device = rig.engine.devices.cookie(request(), text).partition(";")[0].encode()
    rig.ask("/r/x", plus={b"cookie": cookie + b"; " + device}, at_s=6.0)
    assert len(door.pages) == 4


def test_foreign_pages_cannot_make_a_visitor_violate() -> None:
    """A page full of requests to us, images or fetches, is nobody's surfing here."""
    rig = Rig(strict())
    for number in range(500):
        decision = rig.ask(
            f"/p{number}.x", headers=CALL, plus={b"sec-fetch-site": b"cross-site"}, without=(b"referer",), at_s=number * 0.01
        )
    assert decision.violations == ()
    assert len(rig.engine.attacks.subjects.table) == 0


def test_a_released_client_begins_anew() -> None:
    """Not one request later the same pages count again."""
    rig = Rig(strict())
    surf(rig, 31)
    (one,) = rig.engine.attacks.preventions.running(START_S + 16.0)
    rig.engine.attacks.release(one, START_S + 16.0)
    assert one.why == RELEASED
    assert rig.ask("/contact", at_s=16.1).verdict == "allow"
    assert surf(rig, 31, at_s=17.0).verdict == "block"


def test_expiry_begins_the_count_of_a_session_anew() -> None:
    """400 transactions are answered once, not for ever."""
    rig = Rig(strict(thresholds=blocking(surfing_rapid=msgspec.structs.replace(THRESHOLDS["surfing.rapid"], action="ignore"))))
    for number in range(400):
        decision = rig.ask(f"/p{number * 7}/x", at_s=number * 2.0)
    assert decision.violations[0].attack_type == TRANSACTIONS
    for second in range(800, 2600, 100):
        assert rig.ask(f"/p{second}", at_s=float(second)).verdict == ("block" if second < 2598 else "allow")
    assert rig.ask("/late", at_s=2650.0).verdict == "allow"


def _page_that_answers(rig: Rig, at_s: float = 0.0) -> None:
    """Two pages of the visitor; the script of the second asks for its token."""
    rig.ask("/one", at_s=at_s)
    rig.ask("/two", at_s=at_s + 1.0)
    rig.engine.page_answered(request("/two"), START_S + at_s + 1.5)


def test_who_is_refused_without_a_hand_for_the_full_time_gets_a_grace() -> None:
    """Nobody stays refused for having sent 101 requests."""
    rig = Rig(strict())
    _page_that_answers(rig)
    for number in range(99):
        decision = rig.ask("/api/news", headers=CALL, at_s=2.0 + number * 1.5)
    assert decision.verdict == "allow"
    decision = rig.ask("/api/news", headers=CALL, at_s=160.0)
    assert [violation.detector for violation in decision.violations] == ["human.interaction"]
    for second in range(300, 1960, 300):
        assert rig.ask("/api/news", headers=CALL, at_s=float(second)).verdict == "block"
    assert rig.ask("/api/news", headers=CALL, at_s=1961.0).verdict == "allow"


@pytest.mark.parametrize("regular", [True, False])
def test_a_strangers_report_asks_nobody_for_a_hand(regular: bool) -> None:
    """Without `browser.inject` a client is asked whose own pages have answered.  One report had everybody refused who has no script."""
    rig = Rig(strict())
    for number in range(300):
        if number % 50 == 0:
            stranger = request(client="198.51.100.9")
            rig.engine.page_answered(stranger, START_S + number * 1.5)
            rig.engine.human_report(stranger, START_S + number * 1.5, regular=regular)
        headers = PAGE if number % 30 == 0 else CALL
        decision = rig.ask("/news", headers=headers, at_s=number * 1.5)
        assert (decision.verdict, decision.violations) == ("allow", ())


def test_pages_that_answered_an_hour_ago_say_nothing() -> None:
    """The script may have gone from the pages since, unless the configuration says that it is in all of them."""
    for injected, verdict in ((False, "allow"), (True, "block")):
        rig = Rig(strict())
        rig.engine.attacks.collector_injected = injected
        _page_that_answers(rig)
        for number in range(3):  # the visitor goes on
            rig.ask("/api/news", headers=CALL, at_s=1000.0 * (number + 1))
        for number in range(150):
            decision = rig.ask("/api/news", headers=CALL, at_s=3700.0 + number * 1.5)
        assert decision.verdict == verdict


def test_a_policy_of_data_calls_asks_nobody_for_a_hand() -> None:
    """The hand is shown in the pages of another policy; in the one of the calls there is no page that could show it."""
    calls = strict(name="calls", paths=PathSet(("/api/",)))
    rig = Rig(book=Rulebook(policies=(calls, strict(name="site"))))
    rig.engine.attacks.collector_injected = True
    _page_that_answers(rig)
    rig.engine.human_report(request("/two"), START_S + 2.0, regular=True)
    verdicts = {rig.ask("/api/news", headers=CALL, at_s=3.0 + number * 1.5).verdict for number in range(300)}
    assert verdicts == {"allow"}


def test_the_first_page_counts_also_if_its_script_was_heard_first() -> None:
    """Thirty-one pages are thirty-one, whatever the script said between the first and the second."""
    rig = Rig(strict())
    rig.ask("/first", at_s=0.0)
    rig.engine.page_answered(request("/first"), START_S + 0.2)
    assert surf(rig, 29, at_s=0.5).verdict == "allow"
    assert rig.ask("/last", at_s=15.5).verdict == "block"


def test_replay_of_a_scrambled_clock_says_nothing_of_speed() -> None:
    """31 pages at one time would be everybody's."""
    rig = Rig(strict())
    rig.engine.time_judged = False
    assert surf(rig, 40, every_s=0.0).violations == ()


def test_nothing_is_remembered_where_nothing_is_watched() -> None:
    """No subject, no prevention, no time."""
    rig = Rig(enforcing(thresholds={}))
    surf(rig, 60)
    assert len(rig.engine.attacks.subjects.table) == 0


def test_a_client_seen_once_has_no_state() -> None:
    """Its first request is told by the World at its second: thirty-one are thirty-one."""
    rig = Rig(strict())
    surf(rig, 1)
    assert len(rig.engine.attacks.subjects.table) == 0
    assert surf(rig, 30, at_s=1.0).verdict == "block"


@pytest.mark.plain
def test_a_failing_book_is_one_finding_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score decides, and it is told."""
    rig = Rig(strict())
    monkeypatch.setattr(rig.engine.attacks, "judge", lambda request: 1 // 0)
    assert rig.ask("/").verdict == "allow"
    assert rig.failed == ["attacks"]


def test_the_same_requests_give_the_same_rulings() -> None:
    """Deterministic: live, in replay and in tests."""
    rows = [[(d.would_be, d.rule, d.hold_s) for d in [surf(Rig(strict()), 35)]] for _ in range(2)]
    assert rows[0] == rows[1]
    assert rows[0][0][0] == "block"
