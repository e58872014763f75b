"""A parser made of an nginx `log_format` string.

Law of the file: the string is cut into literals and variables once; a line is then read from left to right in one pass, without
a pattern that could backtrack.  A string that cannot name a client, a time and a request is refused with what is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from botsieve.errors import InputError, InvalidObservation
from botsieve.observation import (
    SEES_ACCEPT_ENCODING,
    SEES_HEADER_ORDER,
    SEES_HTTP_VERSION,
    SEES_TLS,
    SIGHT_WORDS,
    Observation,
    pack_address,
)
from botsieve.replay.formats import observe, split_request
from botsieve.replay.stamps import LOCAL_LENGTH, TimeParser, parse_msec, parse_time_iso8601, parse_time_local
from botsieve.replay.wording import unescape

MAX_FORMAT = 16384
ESCAPES = ("default", "json", "none")

_TIMES: dict[str, tuple[TimeParser, float]] = {
    "msec": (parse_msec, 0.001),
    "time_iso8601": (parse_time_iso8601, 1.0),
    "time_local": (parse_time_local, 1.0),
}
_VARIABLE = re.compile(r"\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))", re.IGNORECASE)
# Three variables that together are the request target; nothing stands between them that a line could be cut at.
_TARGET = re.compile(r"\$\{?uri\}?\$\{?is_args\}?\$\{?(?:args|query_string)\}?")
_FACTS = {
    "scheme": "scheme",
    "host": "host",
    "http_host": "host",
    "server_protocol": "http",
    "request_id": "request_id",
    "botsieve_ja3": "ja3",
    "botsieve_ja4": "ja4",
    "botsieve_tls_sig": "tls_sig",
    "botsieve_tls_error": "tls_error",
    "botsieve_header_order": "header_order",
}


class LogFormat:
    """`literals[i]` stands before `variables[i]`; the last literal ends the line."""

    # docs/replay.md: none of the three named forms.
    name = "mixed"

    def __init__(self, text: str, escape: str = "default") -> None:
        """Errors: InputError for a string that cannot be read back or that lacks what a judgement needs."""
        if len(text) > MAX_FORMAT:
            raise InputError(f"--format has {len(text)} characters; accepted: at most {MAX_FORMAT}")
        if escape not in ESCAPES:
            raise InputError(f"--format: escape={escape}; accepted: {', '.join(ESCAPES)}")
        self._literals, self._variables = _cut(text)
        self._unescape = _UNESCAPE[escape]
        self._escaped = escape != "none"
        self._time = _required_time(self._variables)
        self.resolution_s = _TIMES[self._time][1]
        self._headers = {name: _header_name(name) for name in self._variables if name.startswith("http_")}
        self._seen = frozenset(self._headers.values())

    def parse(self, line: bytes) -> Observation | None:
        """The request of one line, None if the line does not fit the format."""
        values = self._values(line)
        if values is None:
            return None
        time_s = _TIMES[self._time][0](values[self._time])
        request = _request_of(values)
        if time_s is None or request is None:
            return None
        headers = {header: values[name] for name, header in self._headers.items() if values[name]}
        return observe(values["remote_addr"], time_s, request, headers, self._seen, _facts_of(values))

    def _values(self, line: bytes) -> dict[str, bytes] | None:
        literals, variables = self._literals, self._variables
        if not line.startswith(literals[0]):
            return None
        values: dict[str, bytes] = {}
        at = len(literals[0])
        last = len(variables) - 1
        for index, name in enumerate(variables):
            literal = literals[index + 1]
            end = len(line) - len(literal) if index == last else self._end_of(name, literal, line, at)
            if end < at or not line.startswith(literal, end):
                return None
            value = line[at:end]
            values[name] = self._unescape(value) if name not in _TIMES else value
            at = end + len(literal)
        return values

    def _end_of(self, name: str, literal: bytes, line: bytes, at: int) -> int:
        """Where the value that begins at `at` ends; -1 if nowhere."""
        if name == "time_local":
            return at + LOCAL_LENGTH
        if not literal:  # only $host$request_uri gets here: the target begins with a slash
            return line.find(b"/", at)
        end = line.find(literal, at)
        while self._escaped and literal[:1] == b'"' and end > at and _is_escaped(line, at, end):
            end = line.find(literal, end + 1)
        return end


def _is_escaped(line: bytes, start: int, quote: int) -> bool:
    """An odd number of backslashes stands before the quotation mark."""
    before = line[start:quote]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _cut(text: str) -> tuple[list[bytes], list[str]]:
    text = _TARGET.sub("$request_uri", text)
    literals, variables, at = [], [], 0
    for found in _VARIABLE.finditer(text):
        literals.append(text[at : found.start()].encode())
        variables.append((found[1] or found[2]).lower())
        at = found.end()
    literals.append(text[at:].encode())
    if not variables:
        raise InputError(
            "--format holds no variable; accepted: a log_format of nginx, such as '$remote_addr [$time_local] \"$request\"'"
        )
    for index, (literal, name) in enumerate(zip(literals[1:-1], variables[1:], strict=True)):
        if not literal and name != "request_uri" and variables[index] != "time_local":
            raise InputError(f"--format: nothing stands between ${variables[index]} and ${name}: a line cannot be cut there")
    return literals, variables


def _required_time(variables: list[str]) -> str:
    missing = []
    if "remote_addr" not in variables:
        missing.append("$remote_addr")
    if not {"request", "request_uri", "uri"} & set(variables):
        missing.append("$request (or $request_method and $request_uri)")
    times = [name for name in _TIMES if name in variables]
    if not times:
        missing.append("$msec, $time_iso8601 or $time_local")
    if missing:
        raise InputError(f"--format lacks {' and '.join(missing)}: without it a request cannot be judged")
    return times[0]


def _request_of(values: dict[str, bytes]) -> tuple[bytes, bytes] | None:
    if "request" in values:
        return split_request(values["request"])
    target = values.get("request_uri") or values.get("uri", b"")
    arguments = values.get("args") or values.get("query_string", b"")
    if arguments and "request_uri" not in values:
        target += b"?" + arguments
    return values.get("request_method", b"GET"), target


def _facts_of(values: dict[str, bytes]) -> dict[str, object]:
    facts: dict[str, object] = {fact: values[name] for name, fact in _FACTS.items() if name in values}
    if "host" in facts:
        facts["host"] = (values.get("host") or values.get("http_host", b"")).lower()
    sight = 0
    for word in values.get("botsieve_edge", b"").decode("latin-1").split():
        sight |= SIGHT_WORDS.get(word, 0)
    if values.get("botsieve_ja4"):
        sight |= SEES_TLS
    if values.get("botsieve_header_order"):
        sight |= SEES_HEADER_ORDER
    if "http_accept_encoding" in values:
        sight |= SEES_ACCEPT_ENCODING
    if "server_protocol" in values:
        sight |= SEES_HTTP_VERSION
    facts["sight"] = sight
    if values.get("realip_remote_addr"):
        try:
            facts["peer"] = pack_address(values["realip_remote_addr"].decode("latin-1"))
        except InvalidObservation:
            facts["peer"] = b""
    return facts


def _header_name(variable: str) -> bytes:
    return variable[5:].replace("_", "-").encode()


def _plain(value: bytes) -> bytes:
    return value


def _default(value: bytes) -> bytes:
    return b"" if value == b"-" else unescape(value)


def _json(value: bytes) -> bytes:
    if b"\\" not in value:
        return value
    try:
        return str(json.loads(b'"' + value.decode("latin-1").encode() + b'"')).encode("latin-1")
    except ValueError:
        return value


_UNESCAPE: dict[str, Callable[[bytes], bytes]] = {"default": _default, "json": _json, "none": _plain}
