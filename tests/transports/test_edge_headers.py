"""botsieve.transports.edge_headers: the first table of docs/headers.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from botsieve.errors import InvalidObservation
from botsieve.observation import (
    DELIVERS_COOKIE,
    MAX_URI,
    SEES_ACCEPT_ENCODING,
    SEES_ALL_HEADERS,
    SEES_HEADER_ORDER,
    SEES_HTTP_VERSION,
    SEES_TLS,
    Observation,
    pack_address,
)
from botsieve.transports import edge_headers
from botsieve.transports.edge_headers import observation_of
from hypothesis import given
from hypothesis import strategies as st

NOW_S = 1_800_000_000.0
TOLD = {
    b"x-botsieve-client-addr": b"203.0.113.7",
    b"x-botsieve-peer-addr": b"203.0.113.7",
    b"x-botsieve-method": b"GET",
    b"x-botsieve-uri": b"/items/17?ref=a",
    b"x-botsieve-host": b"shop.example",
    b"x-botsieve-scheme": b"https",
    b"x-botsieve-http": b"HTTP/2.0",
    b"x-botsieve-time": b"1800000001.250",
    b"x-botsieve-request-id": b"f00",
    b"x-botsieve-edge": b"1 order tls",
    b"x-ja3-fingerprint": b"cd08e31494f9531f560d64c695473da9",
    b"x-ja4-fingerprint": b"t13d1516h2_8daaf6152771_d8a2da3f94cd",
    b"x-botsieve-tls-sig": b"t13d1515h2_8daaf6152771_31ec0a762479",
    b"x-botsieve-tls-error": b"why",
    b"x-botsieve-header-order": b"0123456789abcdef",
}


def observe(**changed: bytes | None) -> Observation:
    """`changed`: short names with `_`; None leaves the header out."""
    headers = dict(TOLD)
    for name, value in changed.items():
        key = next(key for key in TOLD if key.endswith(name.replace("_", "-").encode()))
        headers.pop(key)
        if value is not None:
            headers[key] = value
    return observation_of(headers, NOW_S)


def test_every_header_arrives() -> None:
    """Each row of the table is a field of the observation."""
    o = observe()
    assert (o.client, o.peer) == (pack_address("203.0.113.7"),) * 2
    assert (o.method, o.uri, o.path, o.query) == (b"GET", b"/items/17?ref=a", b"/items/17", b"ref=a")
    assert (o.host, o.scheme, o.http, o.request_id) == (b"shop.example", b"https", b"HTTP/2.0", b"f00")
    assert o.edge_time_s == 1_800_000_001.25
    assert o.sight == SEES_ALL_HEADERS | SEES_ACCEPT_ENCODING | SEES_HTTP_VERSION | SEES_HEADER_ORDER | SEES_TLS
    assert (o.ja3, o.ja4) == (TOLD[b"x-ja3-fingerprint"], TOLD[b"x-ja4-fingerprint"])
    assert (o.tls_sig, o.tls_error, o.header_order) == (TOLD[b"x-botsieve-tls-sig"], b"why", b"0123456789abcdef")
    assert not o.behind_proxy


def test_the_table_of_the_docs_is_what_is_read(root: Path) -> None:
    """Every trusted header that the code reads stands in docs/headers.md, and the other way round."""
    table = (root / "docs" / "headers.md").read_text().split("## Botsieve to nginx")[0]
    named = {name.lower() for name in re.findall(r"^\| `(X-[A-Za-z0-9-]+)` \|", table, re.MULTILINE)}
    source = (root / "service/botsieve/transports/edge_headers.py").read_text()
    read = set(re.findall(r'b"(x-(?:botsieve|ja)[a-z0-9-]*)"', source))
    assert read | {"x-botsieve-unjudged"} == named


@pytest.mark.parametrize("name", ["client_addr", "method", "uri"])
@pytest.mark.parametrize("value", [None, b""])
def test_required(name: str, value: bytes | None) -> None:
    """What is required and missing or empty is an edge fault that names its header."""
    with pytest.raises(InvalidObservation) as error:
        observe(**{name: value})
    assert error.value.field == "X-Botsieve-" + name.title().replace("_", "-")
    assert "accepted" in str(error.value)


def test_optional() -> None:
    """What is absent is not known, and harms nobody: the peer is then the client, the time that of arrival."""
    needed = {key: TOLD[key] for key in (b"x-botsieve-client-addr", b"x-botsieve-method", b"x-botsieve-uri")}
    o = observation_of(needed, NOW_S)
    assert (o.peer, o.edge_time_s, o.host, o.scheme, o.http, o.request_id) == (o.client, NOW_S, b"", b"", b"", b"")
    assert (o.ja3, o.ja4, o.tls_sig, o.header_order) == (b"", b"", b"", b"")
    assert o.sight == SEES_ALL_HEADERS | SEES_ACCEPT_ENCODING | SEES_HTTP_VERSION
    assert not o.has_fingerprint


def test_another_peer() -> None:
    """A peer that is not the client: the fingerprint is not the client's."""
    o = observe(peer_addr=b"192.0.2.1")
    assert o.behind_proxy
    assert not o.has_fingerprint


def test_signature_from_ja4() -> None:
    """Without the stable form the JA4 stands in."""
    assert observe(tls_sig=None).tls_sig == TOLD[b"x-ja4-fingerprint"]


@pytest.mark.parametrize(
    "text", [b"", b"x", b"nan", b"inf", b"-inf", b"1e400", b"0", b"1700000000.0", b"1800000006.0", b"\xff"]
)
def test_clocks_that_are_not_believed(text: bytes) -> None:
    """No number, or more than 5 s away: the time of arrival."""
    assert observe(time=text).edge_time_s == NOW_S


def test_configured_sight_wins() -> None:
    """What the operator says that the edge sees stands above what it says itself."""
    assert observation_of(TOLD, NOW_S, "nginx", SEES_TLS).sight == SEES_TLS
    cookie = TOLD | {b"x-botsieve-edge": b"1 order cookie"}
    assert observation_of(cookie, NOW_S, "nginx", SEES_TLS).sight == SEES_TLS | DELIVERS_COOKIE


def test_words_that_are_unknown() -> None:
    """Words of a later version are not understood and not refused; many different ones are not remembered."""
    base = SEES_ALL_HEADERS | SEES_ACCEPT_ENCODING | SEES_HTTP_VERSION
    for number in range(200):
        assert observe(edge=b"1 order word%d" % number).sight == base | SEES_HEADER_ORDER
    assert len(edge_headers._sights) <= 64


def test_forwarded_words_are_the_clients() -> None:
    """X-Real-IP, X-Forwarded-* and X-Original-* are not read here."""
    forged = dict.fromkeys((b"x-real-ip", b"x-forwarded-for", b"x-original-uri", b"x-forwarded-uri"), b"192.0.2.99")
    o = observation_of(TOLD | forged, NOW_S)
    assert (o.client, o.path) == (pack_address("203.0.113.7"), b"/items/17")


def test_long_values_are_cut() -> None:
    """Whatever length: judged by the beginning."""
    o = observe(**dict.fromkeys(("uri", "host", "scheme", "http", "request_id", "method"), b"/" + b"x" * 20000))
    assert len(o.uri) == MAX_URI
    assert max(len(o.host), len(o.scheme), len(o.http), len(o.request_id), len(o.method)) <= 255


@given(headers=st.dictionaries(st.sampled_from(sorted(TOLD)), st.binary(max_size=60), max_size=15), whole=st.booleans())
def test_any_bytes(headers: dict[bytes, bytes], whole: bool) -> None:
    """Any values give an observation, or InvalidObservation for what is the edge's fault; nothing else."""
    told = TOLD | headers if whole else headers
    try:
        o = observation_of(told, NOW_S)
    except InvalidObservation:
        return
    assert len(o.client) == len(o.peer) == 16
    assert abs(o.edge_time_s - NOW_S) <= edge_headers.MAX_SKEW_S
