"""botsieve.transports.http: the conversation of docs/headers.md with a whole service behind it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, MAX_REASONS, Decision, Signal
from botsieve.observation import Observation
from botsieve.transports.http import NginxEdge, verdict_answer
from botsieve.transports.http_readers import Request
from botsieve.values import replace
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.edge_harness import CURL, PERSON, Service, ask, at, by, check, shared_edge, with_on_late
from tests.transports.wire import only_reply

ALWAYS = {
    "Content-Length",
    "X-Botsieve-Verdict",
    "X-Botsieve-Would-Be",
    "X-Botsieve-Mode",
    "X-Botsieve-Score",
    "X-Botsieve-Reasons",
    "X-Botsieve-Id",
}
ID = re.compile(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}")
DATA = CURL | {"Accept": "application/json"}


# ---- the verdict


@pytest.mark.parametrize(
    ("uri", "status", "verdict", "would_be", "mode"),
    [
        ("/", 403, "challenge", "challenge", "enforce"),
        ("/strict/a", 403, "block", "block", "enforce"),
        ("/watched/a", 200, "allow", "challenge", "monitor"),
    ],
)
def test_verdicts_of_curl(edge: NginxEdge, uri: str, status: int, verdict: str, would_be: str, mode: str) -> None:
    """Status, and exactly the headers of docs/headers.md, for challenge, block, and what monitor would have done."""
    reply = ask(edge, check(uri, CURL))
    assert (reply.status, reply.body) == (status, b"")
    assert {name for name, _ in reply.headers} == ALWAYS
    assert len(reply.headers) == len(ALWAYS)
    assert (reply.verdict, reply.one("X-Botsieve-Would-Be"), reply.one("X-Botsieve-Mode")) == (verdict, would_be, mode)
    assert reply.one("X-Botsieve-Score") == "75"
    assert reply.one("X-Botsieve-Reasons") == "bot_useragent:curl,no_accept_language,no_accept_encoding"
    assert ID.fullmatch(reply.one("X-Botsieve-Id"))


def test_verdict_of_a_person(edge: NginxEdge) -> None:
    """A page load of a browser: allowed, no reasons, and one cookie for the session; nothing else."""
    reply = ask(edge, check())
    assert (reply.status, reply.verdict, reply.one("X-Botsieve-Reasons"), reply.one("X-Botsieve-Score")) == (
        200,
        "allow",
        "",
        "0",
    )
    assert sorted(name for name, _ in reply.headers) == sorted(ALWAYS | {"Set-Cookie"})
    assert reply.one("Set-Cookie").startswith("__Host-botsieve_s=")


def test_no_cookie_where_the_edge_cannot_deliver_it(edge: NginxEdge) -> None:
    """Plain protect.conf cannot add a header to the application's answer: no cookie is made for nothing."""
    assert ask(edge, check(Edge="1 order tls")).all("Set-Cookie") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "application/json"},
        {"Upgrade": "websocket", "Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"},
    ],
)
def test_cookies_on_navigations_only(edge: NginxEdge, headers: dict[str, str]) -> None:
    """What is no page load gets no cookie: a cache may keep it."""
    assert ask(edge, check("/a", PERSON | headers)).all("Set-Cookie") == []


def test_a_session_gets_no_second_cookie(edge: NginxEdge) -> None:
    """A cookie that came back is not set again."""
    cookie = ask(edge, check()).one("Set-Cookie").partition(";")[0]
    assert ask(edge, check("/b", PERSON | {"Cookie": cookie})).all("Set-Cookie") == []


def test_one_request_id_is_one_request(edge: NginxEdge, service: Service) -> None:
    """nginx asks again after an internal redirect: the same decision, counted once."""
    ids = {ask(edge, check("/r", CURL, Request_Id="f00")).one("X-Botsieve-Id") for _ in range(3)}
    assert len(ids) == 1
    assert service.decisions() == 1
    assert ask(edge, check("/r", CURL, Request_Id="f01")).one("X-Botsieve-Id") not in ids


@given(
    details=st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=120), max_size=40),
    cookie=st.sampled_from(["", "__Host-botsieve_s=" + "x" * 700]),
    verdict=st.sampled_from([ALLOW, CHALLENGE, BLOCK]),
)
def test_answers_stay_small(details: list[str], cookie: str, verdict: str) -> None:
    """However many findings: at most 2 KB, reasons at most 512 bytes, whole ones, the first ones."""
    signals = tuple(Signal("agent.bot_useragent", 40, detail) for detail in details)
    decision = Decision(
        "7k3m-9x2q-f4d1-p8wz", verdict, verdict, "enforce", 100, True, signals, "r", "p", "mixed", "c", set_cookie=cookie
    )
    raw = verdict_answer(decision)
    reasons = only_reply(raw).one("X-Botsieve-Reasons")
    assert len(raw) <= 2048
    assert len(reasons) <= MAX_REASONS
    whole = ",".join(decision.reasons)
    assert whole == reasons or (whole.startswith(reasons) and whole[len(reasons)] == ",")


def test_retry_after_only_with_a_rate(edge: NginxEdge) -> None:
    """Retry-After stands on verdicts that rest on a rate, and on no other."""
    decision = Decision("i", BLOCK, BLOCK, "enforce", 100, True, (), "r", "p", "mixed", "c")
    assert only_reply(verdict_answer(decision)).all("Retry-After") == []
    limited = replace(decision, retry_after_s=7)
    assert only_reply(verdict_answer(limited)).one("Retry-After") == "7"


# ---- faults of the edge


@pytest.mark.parametrize("on_late", ["allow", "block"])
@pytest.mark.parametrize(
    "facts",
    [
        {"Client_Addr": "-"},
        {"Client_Addr": ""},
        {"Method": "-"},
        {"Uri": "-"},
        {"Client_Addr": "unix:"},
        {"Client_Addr": "1.2.3"},
        {"Client_Addr": "fe80::1%eth0"},
        {"Client_Addr": "\xff"},
        {"Peer_Addr": "nobody"},
    ],
)
def test_edge_faults(edge: NginxEdge, service: Service, on_late: str, facts: dict[str, str]) -> None:
    """A required header that is missing or malformed: as on_late says, without a verdict, counted, nothing else told."""
    reply = ask(with_on_late(edge, on_late), check("/", CURL, **facts))
    assert reply.status == (200 if on_late == "allow" else 403)
    assert reply.headers == [("Content-Length", "0"), ("X-Botsieve-Verdict", "unjudged")]
    assert service.unjudged() == {"edge_fault": 1}
    assert service.decisions() == 0


def test_an_edge_fault_is_told_once_in_10_s(edge: NginxEdge, service: Service) -> None:
    """A thousand faults: one line, and one more with the count when 10 s are over."""
    for _ in range(1_000):
        ask(edge, check(Client_Addr="-"))
    service.now += 10.5
    ask(edge, check(Client_Addr="-"))
    said = [json.loads(line) for line in service.events() if '"edge_fault"' in line]
    assert len(said) == 2
    assert said[1]["count"] == 1_000
    assert said[0]["header"] == "X-Botsieve-Client-Addr"
    assert service.unjudged() == {"edge_fault": 1_001}


def test_untrusted_peers(edge: NginxEdge, service: Service) -> None:
    """Over TCP only trusted addresses are believed: others get no verdict, no page, no solution; a Unix socket is trusted."""
    assert ask(edge, by("127.0.0.9", check())).verdict == "allow"
    assert ask(edge, check()).verdict == "allow"
    before = service.decisions()
    stranger = by("192.0.2.1", check("/", CURL))
    assert ask(edge, stranger).verdict == "unjudged"
    assert service.unjudged() == {"edge_fault": 1}
    for target, method in (("/v1/page", "GET"), ("/.botsieve/solve", "POST"), ("/.botsieve/wait", "GET")):
        reply = ask(edge, at(target, stranger, method=method))
        assert (reply.status, reply.all("Set-Cookie"), reply.all("X-Botsieve-Verdict")) == (403, [], []), target
    assert service.decisions() == before
    assert service.unjudged() == {"edge_fault": 1}


def test_the_check_takes_a_query(edge: NginxEdge) -> None:
    """An include that lets the query through still gets a verdict, never another status."""
    assert ask(edge, at("/v1/check/nginx?x=1", check())).verdict == "allow"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "X_Y"])
def test_methods_of_the_check(edge: NginxEdge, method: str) -> None:
    """However nginx is set up to ask: the verdict, without a body."""
    reply = ask(edge, at("/v1/check/nginx", check(), method=method, body=b"x"))
    assert (reply.status, reply.verdict, reply.body) == (200, "allow", b"")


class Failing:
    """A detector, or anything else, that raises: the visitor's bytes are in the error."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("secret \xff")


@pytest.mark.plain
@pytest.mark.parametrize("on_late", ["allow", "block"])
def test_our_own_faults(edge: NginxEdge, service: Service, on_late: str) -> None:
    """An exception inside: as on_late says, counted, told with its place and without the text of the error."""
    edge = with_on_late(edge, on_late)
    service.engine.agents = Failing()  # type: ignore[assignment]
    reply = ask(edge, check())
    assert (reply.status, reply.verdict) == (200 if on_late == "allow" else 403, "unjudged")
    assert service.unjudged() == {"edge_fault": 1}
    (line,) = [line for line in service.events() if "service_failed" in line]
    assert "secret" not in line
    assert json.loads(line)["where"].startswith("test_http.py:")


@pytest.mark.parametrize("on_late", ["allow", "block"])
def test_too_late(edge: NginxEdge, service: Service, on_late: str) -> None:
    """A verdict after the deadline is none: as on_late says, counted as `deadline`."""
    edge.settings = msgspec.structs.replace(edge.settings, on_late=on_late, deadline_ms=0)
    reply = ask(edge, check("/", CURL))
    assert (reply.status, reply.verdict) == (200 if on_late == "allow" else 403, "unjudged")
    assert service.unjudged() == {"deadline": 1}
    assert service.decisions() == 0  # a request is counted once: judged or unjudged


@pytest.mark.parametrize("on_late", ["allow", "block"])
def test_overloaded_and_refused(edge: NginxEdge, service: Service, on_late: str) -> None:
    """Too many connections: as on_late says.  What is no request: 403.  Both counted."""
    edge = with_on_late(edge, on_late)
    reply = only_reply(edge.overloaded(check()))
    assert (reply.status, reply.verdict) == (200 if on_late == "allow" else 403, "unjudged")
    assert only_reply(edge.overloaded(at("/v1/page", check()))).status == 403
    assert only_reply(edge.refused()).status == 403
    assert service.unjudged() == {"overloaded": 1, "edge_fault": 1}


# ---- what nginx let pass by itself


def told(edge: NginxEdge, total: str, peer: str = "127.0.0.1") -> None:
    ask(edge, by(peer, check(Unjudged=total)))


def test_unjudged_by_nginx(edge: NginxEdge, service: Service) -> None:
    """The growth of nginx's counter is counted, once however often it is said, and again from 0 after a restart of nginx."""
    for total in ("0", "0", "3", "3", "10"):
        told(edge, total)
    assert service.unjudged() == {"edge_down": 10}
    service.now += 5
    for total in ("0", "2"):
        told(edge, total)
    assert service.unjudged() == {"edge_down": 12}


def test_requests_overtake_each_other(edge: NginxEdge, service: Service) -> None:
    """Two workers of one nginx: an older number that comes late is no restart."""
    for total in ("100000", "100002", "100001", "100003", "100002", "100004"):
        told(edge, total)
    assert service.unjudged() == {"edge_down": 100_004}


def test_several_nginx(edge: NginxEdge, service: Service) -> None:
    """Each nginx over TCP has a counter of its own."""
    for _ in range(3):
        told(edge, "5", "127.0.0.1")
        told(edge, "900", "127.0.0.2")
        service.now += 3
    assert service.unjudged() == {"edge_down": 905}


@pytest.mark.parametrize("text", ["", "x", "-1", "1e9", "9" * 40, "\xb2"])
def test_numbers_that_are_none(edge: NginxEdge, service: Service, text: str) -> None:
    """What is no number is not counted, and the verdict comes all the same."""
    assert ask(edge, check(Unjudged=text)).verdict == "allow"
    assert service.unjudged() == {}


# ---- any bytes


_NAMES = [
    b"user-agent",
    b"accept",
    b"accept-language",
    b"cookie",
    b"referer",
    b"sec-fetch-mode",
    b"sec-fetch-dest",
    b"sec-fetch-site",
    b"sec-ch-ua",
    b"sec-ch-ua-platform",
    b"upgrade",
    b"x-requested-with",
    b"x-botsieve-host",
    b"x-botsieve-scheme",
    b"x-botsieve-http",
    b"x-botsieve-time",
    b"x-botsieve-request-id",
    b"x-botsieve-edge",
    b"x-botsieve-tls-sig",
    b"x-botsieve-tls-error",
    b"x-botsieve-header-order",
    b"x-botsieve-unjudged",
    b"x-ja3-fingerprint",
    b"x-ja4-fingerprint",
]


@given(
    headers=st.dictionaries(st.sampled_from(_NAMES) | st.binary(min_size=1, max_size=20), st.binary(max_size=200), max_size=12),
    uri=st.binary(min_size=1, max_size=200),
    method=st.binary(min_size=1, max_size=40),
)
def test_any_header_bytes(
    tmp_path_factory: pytest.TempPathFactory, headers: dict[bytes, bytes], uri: bytes, method: bytes
) -> None:
    """Whatever a client writes: a verdict with 200 or 403, at most 2 KB, nothing of the client in it; never an exception."""
    edge = shared_edge(tmp_path_factory)
    base = {b"x-botsieve-client-addr": b"203.0.113.9", b"x-botsieve-method": method, b"x-botsieve-uri": uri}
    raw = edge.handle(Request("GET", b"/v1/check/nginx", headers | base, b"", b""))
    reply = only_reply(raw)
    assert reply.status in (200, 403)
    assert reply.verdict != "unjudged", edge.service.journal.metrics.unjudged
    assert len(raw) <= 2048
    page = ask(edge, Request("GET", b"/v1/page", headers | base, b"", b""))
    assert page.status == 403


@pytest.mark.plain
def test_observation_keeps_the_bytes(edge: NginxEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Path, query and headers reach the engine as the client wrote them."""
    seen: list[Observation] = []
    judge = edge.service.judge_in_time
    monkeypatch.setattr(edge.service, "judge_in_time", lambda o, until_s: (seen.append(o), judge(o, until_s))[1])
    ask(edge, check("/a%2Fb?x=%ff&y=\xff", PERSON | {"Referer": "\x01\xfe"}))
    assert (seen[0].uri, seen[0].headers[b"referer"]) == (b"/a%2Fb?x=%ff&y=\xff", b"\x01\xfe")
