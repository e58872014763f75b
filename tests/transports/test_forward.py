"""botsieve.transports.forward: Traefik, Caddy, APISIX and what attackers make of them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from botsieve.observation import Observation, pack_address
from botsieve.transports.forward import ForwardEdge
from botsieve.transports.http_readers import Request
from hypothesis import example, given
from hypothesis import strategies as st

from tests.transports.edge_harness import CURL, PERSON, Service, ask
from tests.transports.wire import listening

GATEWAY = "10.1.2.3"
CLIENT = "203.0.113.7"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def edge(service: Service) -> ForwardEdge:
    return ForwardEdge(service.service, service.settings("forward"), "/.botsieve/")


def forwarded(
    headers: dict[str, str] | None = None,
    *,
    peer: str = GATEWAY,
    target: str = "/v1/check/forward",
    method: str = "GET",
    body: bytes = b"",
    **changed: str,
) -> Request:
    """What a gateway asks.  `changed`: For, Method, Uri, Host, Proto; "-" leaves one out."""
    told = {"For": CLIENT, "Method": "GET", "Uri": "/", "Host": "shop.example", "Proto": "https"} | changed
    lines = {f"x-forwarded-{name.lower()}": value for name, value in told.items() if value != "-"}
    lines |= {name.lower(): value for name, value in (PERSON if headers is None else headers).items()}
    raw = {name.encode("latin-1"): value.encode("latin-1") for name, value in lines.items()}
    return Request(method, target.encode("latin-1"), raw, body, pack_address(peer) if peer else b"")


def observed(edge: ForwardEdge, request: Request) -> Observation:
    """What the edge makes of a request."""
    return edge._asked(request)


# ---- the answer


def test_a_person_passes(edge: ForwardEdge) -> None:
    """200 and empty, with verdict, id and the session's cookie."""
    reply = ask(edge, forwarded())
    assert (reply.status, reply.verdict, reply.body) == (200, "allow", b"")
    assert reply.one("X-Botsieve-Id")
    assert reply.one("Set-Cookie").startswith("__Host-botsieve_s=")


def test_the_page_at_once(edge: ForwardEdge) -> None:
    """A document gets the page with the first answer; it is never a redirect."""
    reply = ask(edge, forwarded(CURL | {"Accept": "text/html"}))
    assert reply.status == 403
    assert reply.one("Content-Type").startswith("text/html")
    assert b"<html" in reply.body
    assert reply.all("Location") == []
    assert "no-store" in reply.one("Cache-Control")


@pytest.mark.parametrize(("uri", "code"), [("/", "botsieve_challenge"), ("/strict/a", "botsieve_block")])
def test_the_problem_at_once(edge: ForwardEdge, uri: str, code: str) -> None:
    """Anything else gets the problem document."""
    reply = ask(edge, forwarded(CURL, Uri=uri))
    assert (reply.status, json.loads(reply.body)["code"]) == (403, code)


def test_accept_encoding_is_not_judged(edge: ForwardEdge) -> None:
    """Go proxies send one of their own: its absence or presence is no evidence here."""
    scores = set()
    for headers in (CURL, CURL | {"Accept-Encoding": "gzip"}):
        request = forwarded(headers)
        decision = edge.service.judge(observed(edge, request))
        assert "headers.no_accept_encoding" not in [signal.id for signal in decision.signals]
        scores.add(decision.score)
    assert scores == {60}


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_a_gateway_that_asks_with_the_visitors_method(edge: ForwardEdge, method: str) -> None:
    """HEAD gets no body; POST is judged like GET."""
    reply = ask(edge, forwarded(CURL, method=method, Uri="/strict/", target="/v1/check/forward?x"))
    assert reply.status == 403
    assert (reply.body == b"") == (method == "HEAD")


def test_own_paths(edge: ForwardEdge) -> None:
    """Script, solution and wait are answered where the gateway routes them; others are 404."""
    assert ask(edge, forwarded(target="/.botsieve/c.js")).status == 200
    assert ask(edge, forwarded(target="/.botsieve/c.js", method="HEAD")).body == b""
    solved = ask(edge, forwarded(target="/.botsieve/solve", method="POST", body=b"{}"))
    assert 400 <= solved.status < 500
    assert ask(edge, forwarded(target="/.botsieve/wait")).status in (200, 400, 403)
    for target in ("/", "/v1/page", "/v1/check/nginx", "/v1/check/forwardx", "*"):
        assert ask(edge, forwarded(target=target)).status == 404, target


def test_a_challenge_can_be_solved_where_it_was_given(edge: ForwardEdge) -> None:
    """The token of a page is accepted on our own path for the same visitor: only the work is found missing."""
    problem = json.loads(ask(edge, forwarded(CURL)).body)
    body = json.dumps({"token": problem["challenge"]["token"], "answers": [0] * problem["challenge"]["puzzles"]}).encode()
    headers = CURL | {"Content-Type": "application/json", "Origin": "https://shop.example", "Host": "shop.example"}
    reply = ask(edge, forwarded(headers, target="/.botsieve/solve", method="POST", body=body))
    assert json.loads(reply.body)["code"] == "botsieve_work"


# ---- who is believed


@pytest.mark.parametrize("on_late", ["allow", "block"])
def test_strangers_are_not_believed(edge: ForwardEdge, service: Service, on_late: str) -> None:
    """A peer outside of `trusted` gets no verdict, whatever it says; our own paths refuse it."""
    edge.settings = msgspec.structs.replace(edge.settings, on_late=on_late)
    reply = ask(edge, forwarded(peer="192.0.2.66", For="10.0.0.1"))
    assert (reply.status, reply.verdict) == (200 if on_late == "allow" else 403, "unjudged")
    assert ask(edge, forwarded(peer="192.0.2.66", target="/.botsieve/solve", method="POST")).status == 403
    assert service.unjudged("forward") == {"edge_fault": 1}
    assert service.decisions() == 0


@pytest.mark.parametrize(
    ("chain", "client", "peer"),
    [
        ("203.0.113.7", "203.0.113.7", GATEWAY),
        ("1.1.1.1, 203.0.113.7", "203.0.113.7", GATEWAY),
        ("203.0.113.7, 10.9.9.9", "203.0.113.7", "10.9.9.9"),
        ("1.1.1.1, 203.0.113.7, 10.9.9.9, 10.8.8.8", "203.0.113.7", "10.9.9.9"),
        ("2001:db8::7", "2001:db8::7", GATEWAY),
        ("2001:db8::7, fd00::1", "2001:db8::7", "fd00::1"),
        ("10.5.5.5", "10.5.5.5", GATEWAY),
        ("garbage, 203.0.113.7", "203.0.113.7", GATEWAY),
        ("garbage, 10.5.5.5", "10.5.5.5", GATEWAY),
        (" 203.0.113.7 ,\t10.9.9.9 ", "203.0.113.7", "10.9.9.9"),
    ],
)
def test_the_last_address_that_nobody_stands_for(edge: ForwardEdge, chain: str, client: str, peer: str) -> None:
    """From the right, past trusted addresses, to the first that is none; who stands before it is the peer."""
    o = observed(edge, forwarded(For=chain))
    assert (o.client, o.peer) == (pack_address(client), pack_address(peer))


@given(prefix=st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=400))
@example(prefix="10.0.0.1")
@example(prefix="1.1.1.1, " * 200 + "1.1.1.1")
@example(prefix="203.0.113.8, fd00::1")
def test_no_prefix_changes_the_client(tmp_path_factory: pytest.TempPathFactory, prefix: str) -> None:
    """Whatever the visitor wrote into X-Forwarded-For before the gateway added its address: the client is the same."""
    edge = shared_edge(tmp_path_factory)
    for chain in (CLIENT, f"{CLIENT}, 10.9.9.9"):
        plain = observed(edge, forwarded(For=chain))
        forged = observed(edge, forwarded(For=f"{prefix}, {chain}"))
        assert (forged.client, forged.peer) == (plain.client, plain.peer)


_SHARED: list[ForwardEdge] = []


def shared_edge(folders: pytest.TempPathFactory) -> ForwardEdge:
    """One service for all examples of a property."""
    if not _SHARED:
        service = Service(folders.mktemp("shared"))
        _SHARED.append(ForwardEdge(service.service, service.settings("forward"), "/.botsieve/"))
    return _SHARED[0]


@pytest.mark.plain
def test_a_header_of_the_visitors_before_the_gateways(edge: ForwardEdge) -> None:
    """A gateway that adds a line instead of an element: the last line is still the gateway's."""
    with listening(edge) as there:
        lines = (
            b"X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https\r\n"
        )
        seen: list[Observation] = []
        judge = edge.service.judge_in_time
        edge.service.judge_in_time = lambda o, until_s: (seen.append(o), judge(o, until_s))[1]  # type: ignore[method-assign]
        request = (
            b"GET /v1/check/forward HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\n%bX-Forwarded-For: 203.0.113.7\r\n\r\n"
        )
        there.ask(request % lines)
    assert seen[0].client == pack_address(CLIENT)


@pytest.mark.parametrize("changed", [{"For": "-"}, {"For": "unknown"}, {"For": ""}, {"Method": "-"}, {"Uri": "-"}])
@pytest.mark.parametrize("peer", [GATEWAY, ""])
def test_a_gateway_that_does_not_tell(edge: ForwardEdge, service: Service, changed: dict[str, str], peer: str) -> None:
    """What a gateway must say and does not is its fault: never a verdict on the gateway's own address."""
    assert ask(edge, forwarded(peer=peer, **changed)).verdict == "unjudged"
    assert service.unjudged("forward") == {"edge_fault": 1}


# ---- what visitors try


def test_a_long_method_is_judged(edge: ForwardEdge) -> None:
    """A method of the visitor's own making is no fault of the gateway: no way round the check."""
    reply = ask(edge, forwarded(CURL, Uri="/strict/", Method="X" * 33))
    assert reply.status == 403
    assert reply.all("X-Botsieve-Verdict") == []


def test_a_request_id_of_the_visitors(edge: ForwardEdge, service: Service) -> None:
    """X-Request-Id comes from the visitor: repeating one does not make requests count once."""
    for _ in range(5):
        ask(edge, forwarded(PERSON | {"X-Request-Id": "same"}))
    assert service.decisions() == 5


def test_edge_words_of_the_visitors(edge: ForwardEdge) -> None:
    """X-Botsieve-* and fingerprint headers that the operator did not name are not read here."""
    forged = {
        "X-Botsieve-Client-Addr": "10.0.0.1",
        "X-JA4-Fingerprint": "t13d",
        "X-Botsieve-Tls-Sig": "t",
        "X-Real-IP": "10.0.0.1",
    }
    o = observed(edge, forwarded(PERSON | forged))
    assert (o.client, o.ja3, o.ja4, o.tls_sig) == (pack_address(CLIENT), b"", b"", b"")


def test_fingerprints_of_the_operators(edge: ForwardEdge) -> None:
    """A header that the operator named holds the client's own fingerprint, although the peer is another."""
    edge.settings = msgspec.structs.replace(edge.settings, ja4_header=b"cf-ja4", ja3_header=b"cf-ja3")
    o = observed(edge, forwarded(PERSON | {"Cf-JA4": "t13d1516h2_8daaf6152771_d8a2da3f94cd", "Cf-JA3": "cd08"}))
    assert (o.has_fingerprint, o.ja3) == (True, b"cd08")


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        ("Shop.Example:8443", b"shop.example"),
        ("shop.example", b"shop.example"),
        ("[2001:DB8::7]:8443", b"[2001:db8::7]"),
        ("[2001:db8::7]", b"[2001:db8::7]"),
        ("", b""),
        (":80", b""),
        ("a:b", b"a:b"),
    ],
)
def test_the_host_without_its_port(edge: ForwardEdge, sent: str, host: bytes) -> None:
    """As a policy names it: lower case, no port."""
    assert observed(edge, forwarded(Host=sent)).host == host


@pytest.mark.parametrize(
    ("sent", "scheme"), [("https", b"https"), ("HTTPS", b"https"), ("wss", b"https"), ("ws", b"http"), ("x", b"")]
)
def test_the_scheme(edge: ForwardEdge, sent: str, scheme: bytes) -> None:
    """Cookies depend on it: a WebSocket is what it runs over, anything else is not known."""
    assert observed(edge, forwarded(Proto=sent)).scheme == scheme


@pytest.mark.parametrize("on_late", ["allow", "block"])
def test_too_late(edge: ForwardEdge, service: Service, on_late: str) -> None:
    """After the deadline: as on_late says, counted."""
    edge.settings = msgspec.structs.replace(edge.settings, on_late=on_late, deadline_ms=0)
    assert ask(edge, forwarded(CURL)).status == (200 if on_late == "allow" else 403)
    assert service.unjudged("forward") == {"deadline": 1}


@given(
    headers=st.dictionaries(st.binary(min_size=1, max_size=20), st.binary(max_size=100), max_size=8),
    method=st.binary(max_size=50),
    uri=st.binary(max_size=100),
    host=st.binary(max_size=60),
    proto=st.binary(max_size=10),
    target=st.sampled_from([b"/v1/check/forward", b"/.botsieve/solve", b"/.botsieve/wait"]),
)
def test_any_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    headers: dict[bytes, bytes],
    method: bytes,
    uri: bytes,
    host: bytes,
    proto: bytes,
    target: bytes,
) -> None:
    """Whatever a visitor sends through a gateway: an answer, never 5xx, and a verdict for whatever has a method and a path."""
    edge = shared_edge(tmp_path_factory)
    told = {b"x-forwarded-for": CLIENT.encode(), b"x-forwarded-method": method, b"x-forwarded-uri": uri}
    told |= {b"x-forwarded-host": host, b"x-forwarded-proto": proto}
    before = edge.service.journal.metrics.unjudged_total
    reply = ask(edge, Request("GET", target, headers | told, b"", pack_address(GATEWAY)))
    assert reply.status < 500
    if target == b"/v1/check/forward" and method and uri:
        assert edge.service.journal.metrics.unjudged_total == before
