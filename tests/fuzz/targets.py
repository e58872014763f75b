"""The parsers of outside data, each as a function that takes any bytes and raises only when a promise is broken.

Law of the file: a target takes one `bytes`, keeps nothing from call to call that could change an outcome, and lets exactly the
declared errors pass.  The same functions serve the test suite, hypothesis and the coverage-guided fuzzer of `make fuzz`.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from botsieve.challenge.events import InvalidReport, parse_report
from botsieve.challenge.issue import Issuer
from botsieve.challenge.sequence_settings import SequenceRules
from botsieve.challenge.sequences import IRREGULAR, NO_EVIDENCE, REGULAR, score
from botsieve.config.loader import loads
from botsieve.config.settings import Loaded
from botsieve.errors import ConfigError, InputError, InvalidObservation
from botsieve.observation import KINDS, Observation, address_text, canonical_path, network_text
from botsieve.replay.formats import BUILT_IN
from botsieve.replay.log_format import LogFormat
from botsieve.transports.edge_headers import observation_of
from botsieve.transports.grpc_map import to_observation

from tests.lua.test_fingerprint import same as lua_equals_python
from tests.transports.edge_harness import START_S, Service
from tests.transports.wire import only_reply
from tests.unit.challenge import builders

LOG_FORMATS = (
    LogFormat("$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\""),
    LogFormat("$msec|$remote_addr|$request_method|$scheme://$host$request_uri|$http_user_agent"),
    LogFormat('{"t":"$time_iso8601","a":"$remote_addr","r":"$request","u":"$http_user_agent"}', "json"),
)  # fmt: skip
# One name is listed, to see that it is; nobody else can be, whatever a cookie says.
_TOLD = {b"x-botsieve-client-addr": b"203.0.113.7", b"x-botsieve-method": b"GET", b"x-botsieve-uri": b"/"}


@functools.cache
def service() -> Service:
    """One whole decision service in a folder of its own, for as long as the process lives."""
    folder = tempfile.TemporaryDirectory(prefix="bs-fuzz-")
    made = Service(Path(folder.name) / "state")
    made.folder = folder  # type: ignore[attr-defined]  # removed with the process
    return made


def headers_of(data: bytes) -> dict[bytes, bytes]:
    """Lines `name: value` as lower-case headers; a line without colon is a name without value.  The first of a name counts."""
    headers: dict[bytes, bytes] = {}
    for line in data.split(b"\n"):
        name, _, value = line.partition(b":")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers


def observation(data: bytes) -> None:
    """Header lines of an edge: an Observation whose every property answers, or InvalidObservation."""
    try:
        o = observation_of(headers_of(data), START_S)
    except InvalidObservation as fault:
        _is(fault.field.startswith(("X-Botsieve-", "client_address")), fault.field)
        return
    _look_at(o)


def message(data: bytes) -> None:
    """A gRPC message: an Observation, InvalidObservation, or no message at all."""
    try:
        o = to_observation(data, now_s=START_S)
    except InvalidObservation as fault:
        _is(str(fault).isprintable() and str(fault).isascii(), str(fault))
        return
    _look_at(o)
    _judge(o)


def judgement(data: bytes) -> None:
    """Header lines of an edge, judged: one whole answer, 200 or 403, at most 2 KB; a record that is one line of ASCII."""
    headers = {**_TOLD, **headers_of(data)}
    try:
        o = observation_of(headers, START_S)
    except InvalidObservation:
        return
    _judge(o)


def config(data: bytes) -> None:
    """A configuration file: a Loaded, or a ConfigError with at least one mistake, each with its line."""
    try:
        loaded = loads(data)
    except ConfigError as refused:
        _is(bool(refused.mistakes), "refused without a mistake")
        for mistake in refused.mistakes:
            _is("botsieve.yaml:" in mistake and mistake.isprintable(), mistake)
        return
    assert isinstance(loaded, Loaded)


def cookie(data: bytes) -> None:
    """A Cookie header, a posted solution and a token, none of which we signed: no session, no clearance, no challenge."""
    desk = builders.desk()
    o = builders.request(headers={b"cookie": data})
    assert desk.sessions.read(o, builders.NOW_S) is None
    assert desk.clearances.standing(o, builders.NOW_S) is None
    assert Issuer(builders.settings(), builders.KEYS, b"process").open(o, data) is None
    post = builders.post(headers={b"cookie": data})
    answer = desk.solve(post, data, builders.NOW_S)
    assert 400 <= answer.status < 500, answer.status
    assert not answer.header("Set-Cookie")
    wait = desk.wait(builders.request(uri=b"/.botsieve/wait?t=" + data), builders.NOW_S)
    assert not wait.header("Set-Cookie")


def report(data: bytes) -> None:
    """A report of human evidence: InvalidReport, or a finding that names the rules it rests on; nobody's token is taken."""
    heard = builders.desk().human.hear(builders.post(), data, SequenceRules(), builders.NOW_S)
    _is(400 <= heard.answer.status < 500 and heard.finding is None, str(heard.answer.status))
    try:
        events = parse_report(data).events
    except InvalidReport as refused:
        _is(str(refused).isprintable() and str(refused).isascii(), str(refused))
        return
    finding = score(events, SequenceRules())
    _is(finding.word in (REGULAR, IRREGULAR, NO_EVIDENCE), finding.word)
    _is(finding.word != IRREGULAR or bool(finding.rules), "irregular without a rule")


def log_line(data: bytes) -> None:
    """Lines of an access log: each form reads them or not; what it reads is an Observation."""
    for line in data.split(b"\n"):
        for parser in (*BUILT_IN, *LOG_FORMATS):
            o = parser.parse(line)
            if o is not None:
                _look_at(o)


def log_format(data: bytes) -> None:
    """A log_format string and, behind a line break, a line to read with it: a parser or InputError; then as `log_line`."""
    text, _, line = data.partition(b"\n")
    try:
        parser = LogFormat(text.decode("utf-8", "replace"))
    except InputError as refused:
        _is(str(refused).isprintable(), str(refused))
        return
    o = parser.parse(line)
    if o is not None:
        _look_at(o)


def client_hello(data: bytes) -> None:
    """The body of a ClientHello: Lua and an independent Python say the same fingerprint, or both refuse."""
    lua_equals_python(data)


def _is(true: bool, what: str) -> None:
    assert true, what


def _look_at(o: Observation) -> None:
    assert o.kind in KINDS
    assert o.path.startswith(b"/")
    quoted = o.path.replace(b"%", b"%25").replace(b"?", b"%3F").replace(b"#", b"%23")
    assert canonical_path(quoted) == o.path
    assert len(o.client) == len(o.peer) == 16
    assert address_text(o.client)
    assert network_text(o.client)
    for answer in (o.behind_proxy, o.has_fingerprint, o.is_counted, o.is_prefetch, o.is_foreign, o.wants_document):
        assert answer in (True, False)


def _judge(o: Observation) -> None:
    from botsieve.journal.packing import pack
    from botsieve.journal.record import unpack
    from botsieve.journal.redact import Redactor
    from botsieve.journal.render import render, to_line
    from botsieve.transports.http import verdict_answer

    whole = service().service
    decision = whole.judge(o)
    answer = verdict_answer(decision)
    reply = only_reply(answer)
    assert reply.status in (200, 403)
    assert len(answer) <= 2048
    told = render(unpack(pack(o, decision, START_S, 1, 0.0)), Redactor())
    line = to_line(told)
    assert all(0x20 <= byte < 0x7F for byte in line)
    assert json.loads(line) == told
    if decision.verdict != "allow":
        page = whole.answer(o, decision)
        assert 400 <= page.status < 500 or page.status in (200, 303)
        assert all("\r" not in value and "\n" not in value for _, value in page.headers)
    assert service().journal.metrics.detector_errors == {}, service().journal.metrics.detector_errors


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "observation": observation,
        "message": message,
        "judgement": judgement,
        "config": config,
        "cookie": cookie,
        "report": report,
        "log_line": log_line,
        "log_format": log_format,
        "client_hello": client_hello,
    }
)
