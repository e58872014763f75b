"""service/botsieve/client.py: what a gateway written in Python calls.

One call at a time against grpcio-testing, where the test plays the service; then against the real edge.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc_testing
import pytest
from botsieve.client import BotsieveClient, Outcome, describe
from botsieve.observation import pack_address
from botsieve.transports.grpc_map import to_observation
from botsieve.v1 import decision_pb2 as pb
from botsieve.v1 import decision_service_pb2
from hypothesis import given
from hypothesis import strategies as st

from tests.pace import in_time
from tests.transports.grpc_harness import Judge, on_socket

SERVICE = decision_service_pb2.DESCRIPTOR.services_by_name["DecisionService"]
CHECK = SERVICE.methods_by_name["Check"]
PAGE = describe(client="203.0.113.7", method="GET", uri="/items/17?ref=a", headers=[("User-Agent", "curl/8.5.0")])


def one_call(
    code: grpc.StatusCode,
    response: Any = None,
    trailing: tuple[tuple[str, str], ...] = (),
    on_failure: str = "allow",
    **more: Any,
) -> tuple[Any, Outcome]:
    """What the service was asked, and the client's outcome, when the service ends the call so."""
    channel = grpc_testing.channel([SERVICE], grpc_testing.strict_real_time())
    client = BotsieveClient("unused", on_failure=on_failure, channel=channel)
    with ThreadPoolExecutor(1) as pool:
        outcome: Future[Outcome] = pool.submit(client.check, PAGE, **more)
        _, request, call = channel.take_unary_unary(CHECK)
        call.send_initial_metadata(())
        call.terminate(response, trailing, code, "")
        return request, outcome.result(10)


@pytest.mark.parametrize(
    ("told", "word"), [(pb.VERDICT_ALLOW, "allow"), (pb.VERDICT_CHALLENGE, "challenge"), (pb.VERDICT_BLOCK, "block")]
)
def test_a_decision_is_told_in_words(told: pb.Verdict, word: str) -> None:
    """The outcome holds the verdict as the rest of Botsieve spells it, and the whole decision."""
    decision = pb.Decision(id="7k3m-9x2q-f4d1-p8wz", verdict=told, score=55)
    request, outcome = one_call(grpc.StatusCode.OK, decision_service_pb2.CheckResponse(decision=decision))
    assert outcome == Outcome(word, True, decision, "")
    assert request == decision_service_pb2.CheckRequest(observation=PAGE)


def test_an_answer_is_asked_for_only_when_wanted() -> None:
    """`want_answer` travels to the service."""
    allowed = decision_service_pb2.CheckResponse(decision=pb.Decision(verdict=pb.VERDICT_ALLOW))
    request, _ = one_call(grpc.StatusCode.OK, allowed, want_answer=True)
    assert request.want_answer


@pytest.mark.parametrize("on_failure", ["allow", "block"])
@pytest.mark.parametrize("code", ["DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "INTERNAL"])
def test_a_failure_gives_the_verdict_chosen_beforehand(code: str, on_failure: str) -> None:
    """Whatever went wrong: the failure mode decides, and the outcome says that nobody judged."""
    _, outcome = one_call(grpc.StatusCode[code], on_failure=on_failure)
    assert outcome == Outcome(on_failure, False, None, code)


def test_the_reason_of_a_refusal_is_told() -> None:
    """A mistake of the gateway is named in `why`, so that its log can say what to mend."""
    _, outcome = one_call(grpc.StatusCode.INVALID_ARGUMENT, trailing=(("botsieve-reason", "ERROR_REASON_ADDRESS_MALFORMED"),))
    assert outcome.why == "INVALID_ARGUMENT ERROR_REASON_ADDRESS_MALFORMED"
    assert not outcome.judged


@pytest.mark.parametrize("told", [pb.VERDICT_UNSPECIFIED, 9])
def test_a_verdict_that_nobody_knows_is_no_verdict(told: Any) -> None:
    """Neither the absent value nor one of a later contract is taken for allow."""
    response = decision_service_pb2.CheckResponse(decision=pb.Decision(verdict=told))
    _, outcome = one_call(grpc.StatusCode.OK, response, on_failure="block")
    assert outcome == Outcome("block", False, None, "unknown verdict")


@pytest.mark.parametrize(
    ("make", "accepted"),
    [
        (lambda: BotsieveClient("unix:/x", timeout_s=0), "seconds above 0"),
        (lambda: BotsieveClient("unix:/x", timeout_s=float("nan")), "seconds above 0"),
        (lambda: BotsieveClient("unix:/x", on_failure="challenge"), "'allow' or 'block'"),
        (lambda: describe(client="localhost", method="GET", uri="/"), "IPv4 or IPv6"),
        (lambda: describe(client="::1", peer="x", method="GET", uri="/"), "IPv4 or IPv6"),
    ],
)
def test_a_mistake_of_the_programmer_raises_at_once(make: Callable[[], Any], accepted: str) -> None:
    """ValueError, with what would be accepted."""
    with pytest.raises(ValueError) as caught:
        make()
    assert accepted in str(caught.value)


def test_a_request_is_described_as_the_contract_wants_it() -> None:
    """Text and bytes, addresses packed, the version as a number, headers in the order of arrival."""
    o = describe(
        client="203.0.113.7",
        peer="2001:db8::1",
        method=b"GET",
        uri=b"/\xff",
        headers=[("B", b"\xff"), (b"a", "\udcff"), ("B", "2")],
        host="shop.example",
        scheme="https",
        http="HTTP/2.0",
        request_id="r-1",
        edge_time_s=1.5,
        sight=[pb.SIGHT_TLS],
        tls=pb.TlsFingerprint(ja4=b"t13d"),
    )
    assert (o.client_address, o.peer_address) == (bytes([203, 0, 113, 7]), pack_address("2001:db8::1"))
    assert [(field.name, field.value) for field in o.headers] == [(b"B", b"\xff"), (b"a", b"\xff"), (b"B", b"2")]
    assert (o.method, o.uri, o.host, o.scheme, o.request_id) == (b"GET", b"/\xff", b"shop.example", b"https", b"r-1")
    assert (o.http_version, o.edge_time_s, list(o.sight), o.tls.ja4) == (pb.HTTP_VERSION_2, 1.5, [pb.SIGHT_TLS], b"t13d")
    assert not o.headers_cut


def test_an_overlong_request_id_is_left_out() -> None:
    """Half a name could be another request's."""
    assert describe(client="::1", method="GET", uri="/", request_id="r" * 65).request_id == b""


NAMES = st.one_of(st.text(), st.just("n" * 300))
VALUES = st.one_of(st.binary(max_size=50), st.just(b"v" * 17000), st.text())


@given(
    method=st.one_of(st.text(min_size=1), st.binary(min_size=1, max_size=100)),
    uri=st.one_of(st.text(min_size=1), st.just("/" * 20000)),
    host=st.one_of(st.text(), st.just("h" * 300)),
    headers=st.lists(
        st.tuples(
            st.one_of(st.text(), st.just("n" * 300)), st.one_of(st.binary(max_size=50), st.just(b"v" * 17000), st.text())
        ),
        max_size=8,
    ),
    copies=st.sampled_from([1, 50]),
)
def test_no_visitor_can_make_a_call_fail(method: Any, uri: str, host: str, headers: list[Any], copies: int) -> None:
    """Whatever a visitor sends is described within the bounds: the service takes it, and missing headers prove nothing then."""
    message = describe(client="203.0.113.7", method=method, uri=uri, host=host, headers=headers * copies)
    o = to_observation(message.SerializeToString(), now_s=1e9)
    if len(message.headers) < len(headers) * copies:
        assert message.headers_cut
        assert not o.lacks(b"accept-language")


def test_against_the_real_edge(tmp_path: Path) -> None:
    """One client, many threads: each gets its verdict, and the answer to show."""
    with (
        on_socket(tmp_path) as edge,
        BotsieveClient(edge.target, timeout_s=5.0, on_failure="block") as client,
        ThreadPoolExecutor(4) as pool,
    ):
        refused = client.check(PAGE, want_answer=True)
        assert (refused.verdict, refused.judged) == ("block", True)
        assert refused.decision is not None
        assert refused.decision.answer.status == 403
        person = describe(client="203.0.113.8", method="GET", uri="/", headers=[("User-Agent", "Mozilla/5.0")])
        assert {outcome.verdict for outcome in pool.map(client.check, [person] * 40)} == {"allow"}


def test_a_mistake_reaches_the_gateways_log(tmp_path: Path) -> None:
    """The real edge refuses an observation without uri; the client fails open and says why."""
    with on_socket(tmp_path) as edge, BotsieveClient(edge.target, timeout_s=5.0) as client:
        outcome = client.check(pb.Observation(client_address=bytes(4), method=b"GET"))
    assert outcome == Outcome("allow", False, None, "INVALID_ARGUMENT ERROR_REASON_FIELD_MISSING")


def test_no_service_at_all(tmp_path: Path) -> None:
    """A socket that does not exist: the failure mode, at once."""
    with BotsieveClient(f"unix:{tmp_path}/none.sock", on_failure="block") as client:
        outcome = client.check(PAGE)
    assert (outcome.verdict, outcome.judged) == ("block", False)
    assert outcome.why in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


@pytest.mark.realtime
def test_a_service_that_hangs_costs_the_timeout_and_no_more(tmp_path: Path) -> None:
    """A listener that accepts and never answers: the caller goes on after about timeout_s."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/silent.sock")
        silent.listen()
        with BotsieveClient(f"unix:{tmp_path}/silent.sock", timeout_s=0.05) as client:
            begun_s = time.monotonic()
            outcome = client.check(PAGE)
            assert in_time(time.monotonic() - begun_s, 1.0)
    assert outcome == Outcome("allow", False, None, "DEADLINE_EXCEEDED")


@pytest.mark.realtime
def test_a_service_that_comes_back_is_found_again(tmp_path: Path) -> None:
    """After a restart the client judges again within a second or so, without being made anew."""
    with BotsieveClient(f"unix:{tmp_path}/grpc.sock", timeout_s=1.0) as client:
        with on_socket(tmp_path):
            assert client.check(PAGE).judged
        assert not client.check(PAGE).judged
        with on_socket(tmp_path, Judge()):
            back = threading.Event()
            end_s = time.monotonic() + 60
            while not back.is_set() and time.monotonic() < end_s:
                if client.check(PAGE).judged:
                    back.set()
                time.sleep(0.02)
            assert back.is_set()
