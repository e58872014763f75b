"""engine.py: the order of a decision, what counts once, and that it never raises."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from botsieve.crawlers import Crawlers
from botsieve.decision import VERDICTS, Decision
from botsieve.detectors import TABLE
from botsieve.observation import SEES_ALL_HEADERS, address_text, make_observation, pack_address
from botsieve.policy import Allowlist, PathSet, Policy, Rule, Rulebook
from botsieve.ranges import RangeSet
from botsieve.reputation import Listing, Reputation
from botsieve.values import replace
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import CALL, PAGE, START_S, TOOL, Rig, enforcing, found, points, request

CURL = {b"user-agent": b"curl/8.1", b"accept": b"*/*"}
BOT = {b"user-agent": b"", b"accept": b"*/*"}  # 75 on a route for browsers


class TestOrder:
    def test_the_exception_list_wins(self) -> None:
        """Over findings and over rules that block; nothing is looked for."""
        block = Rule(name="all", then="block")
        book = Rulebook(
            policies=(enforcing(audience="browser", rules=(block,)),), allow=Allowlist(headers=((b"x-key", (b"s",)),))
        )
        decision = Rig(book=book).ask(headers={**CURL, b"x-key": b"s"})
        assert (decision.verdict, decision.rule, decision.score, decision.signals) == ("allow", "allowlist", 0, ())
        assert Rig(book=book).ask(headers=CURL).verdict == "block"

    def test_a_listed_network(self) -> None:
        """By address; requests of the exception list are in no statistic."""
        book = Rulebook(policies=(enforcing(audience="browser"),), allow=Allowlist(networks=RangeSet.parse(["203.0.113.0/24"])))
        rig = Rig(book=book)
        assert rig.ask(headers=CURL).rule == "allowlist"
        assert len(rig.engine.world.clients) == 0
        assert rig.ask(headers=CURL, client="198.51.100.7").rule != "allowlist"

    def test_an_exception_from_a_file(self) -> None:
        """As one that is written in the configuration."""
        book = Rulebook(policies=(enforcing(audience="browser"),), allow=Allowlist(listed=RangeSet.parse(["203.0.113.0/24"])))
        assert Rig(book=book).ask(headers=CURL).rule == "allowlist"
        assert Rig(book=book).ask(headers=CURL, client="198.51.100.7").rule != "allowlist"

    def test_a_crawler_inside_its_ranges(self) -> None:
        """A name alone is no ticket; name and published range are."""
        google = {b"user-agent": b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", b"accept": b"*/*"}
        rig = Rig(enforcing(audience="browser"))
        inside = rig.ask(headers=google, client="66.249.66.1")
        assert (inside.verdict, inside.rule) == ("allow", "crawler")
        assert rig.ask(headers=google, client="203.0.113.7").rule != "crawler"
        assert rig.ask(headers=CURL, client="66.249.66.1").rule != "crawler"
        assert Crawlers.builtin() is not None

    def test_the_first_rule_that_holds_settles_it(self) -> None:
        """By name; a later one is not asked."""
        rules = (
            Rule(name="post", then="block", methods=frozenset([b"POST"])),
            Rule(name="one", then="allow", paths=PathSet(("/x/",))),
            Rule(name="two", then="block", paths=PathSet(("/x/",))),
        )
        rig = Rig(enforcing(audience="browser", rules=rules))
        first = rig.ask("/x/1", headers=BOT)
        assert (first.verdict, first.rule, first.score) == ("allow", "rule.one", 75)
        assert rig.ask("/x/1", headers=BOT, method=b"POST").rule == "rule.post"
        assert rig.ask("/y", headers=BOT).rule == "threshold.challenge"

    @pytest.mark.parametrize(
        ("by", "score", "verdict"), [(10, 85, "block"), (-40, 35, "allow"), (-100, 0, "allow"), (100, 100, "block")]
    )
    def test_a_rule_that_adds_points(self, by: int, score: int, verdict: str) -> None:
        """Changes the score within 0..100, then the thresholds decide; no later rule is asked."""
        rules = (Rule(name="points", points=by), Rule(name="never", then="allow"))
        decision = Rig(enforcing(audience="browser", rules=rules)).ask("/api", headers=BOT)
        assert (decision.score, decision.verdict, decision.rule) == (score, verdict, "rule.points")

    def test_a_rule_for_challenge(self) -> None:
        """Whatever the score; a clearance lifts it."""
        rig = Rig(enforcing(rules=(Rule(name="login", then="challenge", paths=PathSet(("/login",))),)), cookies=True)
        decision = rig.ask("/login")
        assert (decision.verdict, decision.level, decision.score, decision.rule) == ("challenge", "light", 0, "rule.login")
        cookie = rig.clearance_cookie(request("/login"))
        assert rig.ask("/login", plus={b"cookie": cookie}, at_s=1).verdict == "allow"


class TestMode:
    def test_monitor_records_what_enforce_would_do(self) -> None:
        """The packaged mode allows everything, and says what it saw."""
        monitor, enforce = (
            Rig(Policy(audience="browser", mode=mode)).ask("/api", headers=BOT) for mode in ("monitor", "enforce")
        )
        assert (monitor.verdict, monitor.would_be, monitor.mode) == ("allow", "challenge", "monitor")
        assert (enforce.verdict, enforce.would_be, enforce.mode) == ("challenge", "challenge", "enforce")
        assert replace(monitor, verdict="challenge", mode="enforce") == enforce
        assert Policy().mode == "monitor"

    def test_paused(self) -> None:
        """Every policy monitors, also what the exception list says."""
        rig = Rig(enforcing(audience="browser"))
        rig.engine.rulebook = msgspec.structs.replace(rig.engine.rulebook, paused=True)
        decision = rig.ask("/api", headers=BOT)
        assert (decision.verdict, decision.would_be, decision.mode) == ("allow", "challenge", "monitor")

    def test_bot_is_a_word_of_the_score(self) -> None:
        """From bot_at on, whatever the thresholds."""
        for bot_at, bot in ((75, True), (76, False)):
            assert (
                Rig(book=Rulebook(policies=(enforcing(audience="browser"),), bot_at=bot_at)).ask("/api", headers=BOT).bot is bot
            )

    def test_a_new_configuration_applies_at_once(self) -> None:
        """To the next request, with what was counted before."""
        rig = Rig(enforcing())
        for number in range(6):
            before = rig.ask(f"/items/{number}", headers=TOOL, at_s=7.3 * number)
        assert (before.verdict, before.score) == ("allow", 30)
        rig.engine.rulebook = Rulebook(policies=(enforcing(challenge_at=30),), config="b" * 12)
        after = rig.ask("/items/6", headers=TOOL, at_s=44)
        assert (after.verdict, after.config) == ("challenge", "b" * 12)
        off = points("traversal.url_pattern", 0)
        rig.engine.rulebook = Rulebook(policies=(enforcing(detectors=off),))
        assert rig.ask("/items/7", headers=TOOL, at_s=51).score == 0

    def test_two_policies_of_one_name(self) -> None:
        """The operator's `default` for one host and the packaged one for all others keep their own detectors."""
        own = enforcing(hosts=("shop.example",), detectors=points("agent.bot_useragent", 0))
        for hosts in ((b"shop.example", b"other.example"), (b"other.example", b"shop.example")):
            rig = Rig(own)
            scores = {host: rig.ask("/api", headers=CURL, host=host).score for host in hosts}
            assert scores == {b"shop.example": 0, b"other.example": 40}


class TestOnce:
    def test_a_request_asked_about_twice_counts_once(self) -> None:
        """Same id, client and target within 10 s: the same decision, nothing counted."""
        rig = Rig()
        for number in range(4):
            o = request(f"/items/{number}", headers=TOOL, at_s=number, request_id=b"id%d" % number)
            assert rig.decide(o, number) is rig.decide(o, number + 0.01)
        sixth = [rig.ask(f"/items/{number}", headers=TOOL, at_s=number) for number in (4, 5)]
        assert found(sixth[0]) == []
        assert found(sixth[1]) == ["url_pattern:30"]

    def test_after_ten_seconds_it_is_another(self) -> None:
        """An id that comes again later is asked anew."""
        rig = Rig()
        o = request(request_id=b"id")
        assert rig.decide(o, 0) is not rig.decide(o, 10.1)

    @pytest.mark.parametrize("changes", [{"client": "203.0.113.8"}, {"uri": "/items/2"}, {"request_id": b""}])
    def test_an_id_is_no_cloak(self, changes: dict[str, Any]) -> None:
        """Another client or target, or no id at all, is another request."""
        rig = Rig()
        one: dict[str, Any] = {"uri": "/items/1", "request_id": b"id", "headers": TOOL}
        two = {**one, **changes}
        first = rig.decide(request(**{**one, "request_id": two["request_id"]}) if not two["request_id"] else request(**one))
        assert rig.decide(request(**two)) is not first


class TestFaults:
    @pytest.mark.parametrize("broken", [detector.id for detector in TABLE])
    def test_a_detector_that_raises_is_one_detector_less(self, broken: str) -> None:
        """Told by its id, the others count on, and nothing of it is remembered."""
        rig = Rig(enforcing(audience="browser"))

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        here = rig.engine._apply(rig.engine.rulebook).only
        assert here is not None
        plan = here.plan(claims_browser=False, behaviour=True, time_judged=True)
        for watches in ("of_request", "of_state"):
            changed = tuple(
                watch._replace(find=fail) if watch.detector.id == broken else watch for watch in getattr(plan, watches)
            )
            plan = plan._replace(**{watches: changed})
        here._plans = [plan] * len(here._plans)
        decision = rig.ask("/api", headers=BOT)
        rig.ask("/api", headers=BOT)
        assert rig.failed == [broken, broken]
        expected = {"agent.no_useragent", "headers.no_accept_language", "headers.no_accept_encoding"} - {broken}
        assert {signal.id for signal in decision.signals} == expected

    bytes_of_a_client = st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [b"navigate", b"document", b"image", b"same-origin", b"cross-site", b"prefetch", b"websocket", b"text/html"]
        ),
        st.sampled_from([PAGE[b"user-agent"], b"curl/8", b"Googlebot/2.1", b"\xff\xfe\0\x7f", b"x" * 5000]),
        st.sampled_from([b"__Host-botsieve_s=x; __Host-botsieve_c=y", b"botsieve_c=; botsieve_s=\xff", b"botsieve_"]),
    )
    requests = st.builds(
        dict,
        method=st.one_of(st.sampled_from([b"GET", b"POST", b"OPTIONS", b"HEAD"]), st.binary(min_size=1, max_size=32)),
        uri=st.one_of(
            st.binary(min_size=1, max_size=300), st.sampled_from([b"/items/17", b"/" + b"a" * 250 + b"1", b"/x?id=%ff&page="])
        ),
        headers=st.dictionaries(
            st.one_of(st.sampled_from([*PAGE, *CALL, b"cookie", b"upgrade", b"sec-purpose", b"te"]), st.binary(max_size=9)),
            bytes_of_a_client,
            max_size=12,
        ),
        client=st.binary(min_size=16, max_size=16),
        peer=st.one_of(st.just(b""), st.binary(min_size=16, max_size=16)),
        host=st.binary(max_size=40),
        http=st.sampled_from([b"", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"\xff"]),
        request_id=st.binary(max_size=64),
        ja3=st.binary(max_size=40),
        ja4=st.one_of(st.binary(max_size=60), st.sampled_from([b"t13i3111h2_e8f1e7e78f70_b26ce05bbdd6", b"_", b"t"])),
        tls_sig=st.binary(max_size=60),
        headers_seen=st.sampled_from([None, frozenset(), frozenset([b"user-agent"])]),
    )

    @given(
        st.lists(st.tuples(requests, st.floats(-1, 400)), min_size=1, max_size=6), st.sampled_from(["browser", "mixed", "api"])
    )
    def test_never_raises(self, told: list[tuple[dict[str, Any], float]], audience: str) -> None:
        """Whatever bytes a client sends: a whole decision, and no detector fails."""
        rig = Rig(enforcing(audience=audience), cookies=True)
        at_s = 0.0
        for fields, later_s in told:
            at_s = max(0.0, at_s + later_s)
            decision = rig.decide(make_observation(edge_time_s=START_S + at_s, **fields), at_s)
            assert decision.verdict in VERDICTS
            assert 0 <= decision.score <= 100
            assert all(reason.isascii() and reason.isprintable() and "," not in reason for reason in decision.reasons)
            assert repr(decision)
        assert rig.failed == []

    def test_the_same_stream_gives_the_same_decisions(self) -> None:
        """Live, in replay and in explain: nothing is drawn."""

        def stream() -> list[Decision]:
            rig = Rig(enforcing(audience="browser"))
            return [rig.ask(f"/items/{n * n % 37}", headers=TOOL, at_s=n * 0.7, client=f"10.0.0.{n % 5}") for n in range(200)]

        assert stream() == stream()


class TestSession:
    def test_a_page_load_gets_one_cookie(self) -> None:
        """Without a valid one; calls, images and prefetched data get none."""
        rig = Rig(cookies=True)
        cookie = rig.ask("/").set_cookie
        assert cookie.startswith("__Host-botsieve_s=")
        assert rig.ask("/", plus={b"cookie": cookie.partition(";")[0].encode()}, at_s=1).set_cookie == ""
        assert rig.ask("/", plus={b"cookie": b"__Host-botsieve_s=forged"}).set_cookie != ""
        assert rig.ask("/api", headers=CALL).set_cookie == ""
        assert rig.ask("/a.png", headers=TOOL).set_cookie == ""
        assert Rig().ask("/").set_cookie == ""

    def test_none_where_it_would_not_arrive(self) -> None:
        """An edge that cannot deliver a cookie beside the application's answer gets one with our own pages only."""
        rig = Rig(enforcing(audience="browser"), cookies=True)
        assert rig.ask("/", sight=SEES_ALL_HEADERS).set_cookie == ""
        shown = rig.ask("/items/1", headers={b"user-agent": b"curl/8", b"accept": b"text/html"}, sight=SEES_ALL_HEADERS)
        assert (shown.verdict != "allow", shown.set_cookie != "") == (True, True)

    def test_it_ends_when_it_was_idle(self) -> None:
        """After session_idle_s without a request; each request keeps it alive, the first one too."""
        rig = Rig(cookies=True)
        cookie = {b"cookie": rig.session_cookie()}
        for at_s in (1000, 2700, 4400):
            assert rig.ask("/", plus=cookie, at_s=at_s).set_cookie == ""
        assert rig.ask("/", plus=cookie, at_s=4400 + 1801).set_cookie != ""

    def test_a_settled_session_is_the_client(self) -> None:
        """Two people behind one address with one browser each are two once their sessions are 300 s old."""
        rig = Rig(cookies=True)
        one, two = (
            {b"cookie": rig.session_cookie(opened_s=-400, number=number), b"sec-fetch-site": b"same-origin"}
            for number in (1, 2)
        )
        for number in range(3):
            rig.ask(f"/items/{number}", headers=CALL, plus=one, at_s=number * 7.0)
            other = rig.ask(f"/items/{number + 3}", headers=CALL, plus=two, at_s=number * 7.0 + 3)
        assert found(other, "traversal.url_pattern") == []
        assert found(rig.ask("/items/6", headers=CALL, plus=two, at_s=30), "traversal.url_pattern") == []

    def test_a_young_session_hides_nobody(self) -> None:
        """Who opens another session every few requests stays one client."""
        rig = Rig(cookies=True)
        for number in range(6):
            cookie = {b"cookie": rig.session_cookie(opened_s=number * 5.0, number=number)}
            decision = rig.ask(f"/items/{number}", headers=CALL, plus=cookie, at_s=number * 5.0)
        assert found(decision, "traversal.url_pattern") == ["url_pattern:30"]


def test_what_a_decision_says_of_itself() -> None:
    """Policy, audience, configuration and route, as they applied."""
    rig = Rig(book=Rulebook(policies=(enforcing(name="shop", audience="api"),), config="a" * 12))
    decision = rig.ask("/items/17?x=1", headers=TOOL)
    assert (decision.policy, decision.audience, decision.config, decision.route) == ("shop", "api", "a" * 12, "/items/{n}")
    assert decision.id == "0000-0000-0000-0001"
    assert address_text(request().client) == "203.0.113.7"


class TestReputation:
    """An address on the operator's lists: shown without points, and refused only where that is asked for."""

    @staticmethod
    def rig(action: str, *, mode: str = "enforce", **policy: Any) -> Rig:
        """203.0.113.0/24 (the rig's client) is on a list."""
        lists = Reputation(RangeSet.parse(["203.0.113.0/24"]), b"\0", [Listing("spam", action)])
        policies = (enforcing(audience="browser", **policy),) if mode == "enforce" else (Policy(**policy),)
        return Rig(book=Rulebook(policies=policies, reputation=lists))

    def test_alarm_is_shown_and_changes_nothing(self) -> None:
        """The finding has no points; the verdict is that of the score."""
        decision = self.rig("alarm").ask(headers=PAGE)
        assert (decision.verdict, decision.score) == ("allow", 0)
        assert [(signal.id, signal.points, signal.detail, signal.subject) for signal in decision.signals] == [
            ("network.reputation", 0, "spam", "address")
        ]
        assert decision.reasons == ["reputation:spam"]

    def test_block_refuses_in_mode_enforce(self) -> None:
        """As a prevention: not challenged first, and no rule of the operator lifts it; elsewhere nobody is touched."""
        rig = self.rig("block", rules=(Rule(name="all", then="allow"),))
        decision = rig.ask(headers=PAGE)
        assert (decision.verdict, decision.rule, decision.level, decision.score) == ("block", "prevention", "", 0)
        assert rig.ask(headers=PAGE, client="198.51.100.7").verdict == "allow"

    def test_block_is_only_told_in_mode_monitor(self) -> None:
        """What enforce would do."""
        decision = self.rig("block", mode="monitor").ask(headers=PAGE)
        assert (decision.verdict, decision.would_be, decision.rule) == ("allow", "block", "prevention")

    def test_the_exception_list_wins(self) -> None:
        """Always."""
        rig = self.rig("block")
        rig.engine.rulebook = msgspec.structs.replace(
            rig.engine.rulebook, allow=Allowlist(networks=RangeSet.parse(["203.0.113.0/24"]))
        )
        assert rig.ask(headers=PAGE).rule == "allowlist"

    def test_a_rule_can_ask_for_it(self) -> None:
        """`when: {signal: network.reputation}` makes of an alarm what the operator wants."""
        rule = Rule(name="listed", signal="network.reputation", then="challenge")
        decision = self.rig("alarm", rules=(rule,)).ask(headers=PAGE)
        assert (decision.verdict, decision.rule) == ("challenge", "rule.listed")

    def test_whoever_wants_to_know(self) -> None:
        """`is_bad` of the rulebook: the category, or nothing; also without any list."""
        book = self.rig("alarm").engine.rulebook
        assert (book.is_bad(pack_address("203.0.113.1")), book.is_bad(pack_address("192.0.2.1"))) == ("spam", "")
        assert Rulebook().is_bad(pack_address("203.0.113.1")) == ""
