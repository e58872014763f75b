"""Every case of every file, through the engine and every transport: behaviour is data first."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from botsieve.transports import grpc_calls

from tests.cases.form import HERE, STEPS, Case, Expected, Written, checked, laid_out, read_cases
from tests.cases.script import Script
from tests.cases.ways import Heard, Swapped, by_engine, by_grpc, by_http, check_of, heard_by_http
from tests.service.running import place
from tests.transports.grpc_harness import Edge, check, serving
from tests.transports.wire import Connection

FILES = sorted(HERE.glob("*.yaml"))
CASES = {f"{path.stem}: {case.name}": case for path in FILES for case in read_cases(path)}
EXPECTED = [pytest.param(case, audience, id=f"{name}, {audience}") for name, case in CASES.items() for audience in case.expect]
FIRST = [
    name
    for name, case in CASES.items()
    if len(case.requests) == 1
    and not (case.policy or case.settings)
    and case.requests[0]
    == msgspec.structs.replace(case.requests[0], repeat=None, report="", dns="", listed="", where="", does=[])
]


def holds(expected: Expected, heard: Heard) -> None:
    """A reason without detail stands for any detail; what a way does not say is not looked at."""
    shown = (
        heard.reasons
        if expected.reasons is None
        else [
            reason if ":" in wanted else reason.partition(":")[0]
            for reason, wanted in zip(heard.reasons, [*expected.reasons, *heard.reasons], strict=False)
        ]
    )
    got = Expected(
        heard.verdict,
        None if expected.score is None else heard.score,
        None if expected.reasons is None else shown,
        expected.level if heard.level is None else (None if expected.level is None else heard.level),
        expected.rule if heard.rule is None else (None if expected.rule is None else heard.rule),
        expected.attacks if heard.attacks is None else (None if expected.attacks is None else heard.attacks),
        expected.measures
        if expected.measures is None or heard.measures is None
        else {name: heard.measures.get(name, []) for name in expected.measures},
        None if expected.answers is None else list(heard.answers),
    )
    assert msgspec.to_builtins(got) == msgspec.to_builtins(expected), heard.reasons


@pytest.mark.parametrize(("case", "audience"), EXPECTED)
def test_engine(case: Case, audience: str) -> None:
    """The core decides as the case says."""
    holds(case.expect[audience], by_engine(laid_out(case), audience, case.policy, case.settings))


@pytest.mark.parametrize(("case", "audience"), EXPECTED)
def test_http(case: Case, audience: str, tmp_path: Path) -> None:
    """The service behind the nginx edge decides the same, said in headers."""
    holds(case.expect[audience], by_http(laid_out(case), audience, tmp_path / "service", case.policy, case.settings))


@pytest.fixture(scope="module")
def grpc_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, Swapped]]:
    """One real gRPC server for all cases; each case brings its engine."""
    judge = Swapped()
    listen = f"unix:{tmp_path_factory.mktemp('grpc')}/grpc.sock"
    with pytest.MonkeyPatch.context() as patch, serving(judge, listen, now_s=lambda: judge.now) as edge:
        patch.setattr(grpc_calls, "MESSAGE_WAIT_S", 60.0)  # no case is about a machine that is busy
        yield edge, judge


@pytest.mark.parametrize(("case", "audience"), EXPECTED)
def test_grpc(case: Case, audience: str, grpc_edge: tuple[Edge, Swapped]) -> None:
    """A gateway that asks over gRPC hears the same."""
    edge, judge = grpc_edge
    with edge.channel() as channel:
        ask = functools.partial(check, channel)
        holds(case.expect[audience], by_grpc(laid_out(case), audience, judge, ask, case.policy, case.settings))


@pytest.fixture(scope="module")
def socket() -> Iterator[Connection]:
    """A real `botsieve serve` with a policy for each audience, by host."""
    with place() as at:
        rows = [
            f"{{name: {who}, hosts: [{who}.example], mode: enforce, audience: {who}}}" for who in ("browser", "mixed", "api")
        ]
        at.write(f"policies: [{', '.join(rows)}]\n", more="crawlers: {dns: {max_in_flight: 0}}\n")
        with at.start(), at.connect() as connection:
            yield connection


@pytest.mark.parametrize("name", FIRST)
def test_socket(name: str, socket: Connection) -> None:
    """First requests, on the wire to the running service: each case from an address of its own."""
    case = CASES[name]
    (one,) = laid_out(case)
    for number, (audience, expected) in enumerate(case.expect.items()):
        client = f"10.{FIRST.index(name)}.{number}.1" if one.client == "203.0.113.7" and not one.peer else one.client
        request = check_of(one._replace(client=client), f"{audience}.example", None)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.items())
        whole = b"GET " + request.target + b" HTTP/1.1\r\n" + lines + b"\r\n"
        holds(expected, heard_by_http(socket.send(whole).reply()))


def test_the_law_is_here() -> None:
    """The table of first requests is complete: eight clients that everybody has."""
    assert len(read_cases(HERE / "first-request.yaml")) >= 8


def test_a_misspelled_key_is_refused(tmp_path: Path) -> None:
    """An expectation that nobody looks at would pass."""
    case = "- {name: x, requests: [{method: GET, uri: /, headers: {}}], expect: {mixed: {verdict: allow, scroe: 0}}}"
    (tmp_path / "bad.yaml").write_text(case)
    with pytest.raises(msgspec.ValidationError, match="scroe"):
        read_cases(tmp_path / "bad.yaml")
    (tmp_path / "good.yaml").write_text(case.replace("scroe", "score"))
    assert read_cases(tmp_path / "good.yaml")[0].expect["mixed"].score == 0


def test_an_expectation_that_is_not_met_is_told() -> None:
    """The comparison itself can fail, on every field."""
    heard = Heard("allow", 40, ["bot_useragent:curl"], "", "threshold.allow", [], {}, (403,))
    holds(Expected("allow", 40, ["bot_useragent"], "", "threshold.allow"), heard)
    holds(Expected("allow", 40, ["bot_useragent:curl"]), heard)
    wrong = [
        Expected("block"),
        Expected("allow", 41),
        Expected("allow", 40, []),
        Expected("allow", 40, ["bot_useragent:wget"]),
        Expected("allow", 40, ["bot_useragent", "x"]),
        Expected("allow", None, None, "hard"),
        Expected("allow", None, None, None, "clearance"),
        Expected("allow", attacks=["Bot Detected"]),
        Expected("allow", measures={"pages": [31.0, 30.0]}),
        Expected("allow", answers=[204]),
    ]
    for expected in wrong:
        with pytest.raises(AssertionError):
            holds(expected, heard)


def test_every_step_of_a_case_can_be_taken() -> None:
    """The words of a case are those of the script; another one is refused, and so is a step of nobody."""
    assert all(callable(getattr(Script, f"_{word}")) for word in STEPS)
    case = Case("x", [Written("GET", "/", {}, browser="ann", does=["opens", {"hand": "mouse"}])], {"mixed": Expected("allow")})
    checked(case)
    for browser, does in (("", ["opens"]), ("ann", ["open"]), ("ann", [{"hands": "mouse"}])):
        with pytest.raises(AssertionError):
            checked(msgspec.structs.replace(case, requests=[Written("GET", "/", {}, browser=browser, does=does)]))
