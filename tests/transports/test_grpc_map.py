"""service/botsieve/transports/grpc_map.py: what a gateway tells, in our own values."""

from __future__ import annotations

import math
from typing import Any

import pytest
from botsieve import observation as seen
from botsieve.errors import InvalidObservation
from botsieve.observation import Observation, pack_address
from botsieve.transports.grpc_map import to_observation
from botsieve.v1 import decision_pb2 as pb
from botsieve.v1 import error_reason_pb2
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.grpc_harness import header, observation

NOW_S = 1_700_000_000.0


def mapped(**fields: Any) -> Observation:
    return to_observation(observation(**fields).SerializeToString(), now_s=NOW_S)


def refused(**fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidObservation) as caught:
        mapped(**fields)
    return caught.value.reason, caught.value.field


def test_every_field_arrives() -> None:
    """What a gateway sees of a request stands in the observation, under the names of the core."""
    o = mapped(
        peer_address=bytes(15) + b"\x01",
        edge_time_s=NOW_S - 1,
        request_id=b"r-1",
        scheme=b"https",
        host=b"Shop.Example:8443",
        http_version=pb.HTTP_VERSION_2,
        headers=[header(b"User-Agent", b"x\xff"), header(b"Accept", b"text/html"), header(b"ACCEPT", b"b")],
        header_order=b"0123456789abcdef",
        tls=pb.TlsFingerprint(ja3_md5=b"A" * 32, ja4=b"t13d", tls_sig=b"s", error=b"e"),
        sight=[pb.SIGHT_TLS, pb.SIGHT_HTTP_VERSION, 99],
        lease_id=b"0123456789abcdef",
    )
    assert o.client == pack_address("203.0.113.7")
    assert o.peer == pack_address("::1")
    assert o.edge_time_s == NOW_S - 1
    assert (o.edge, o.request_id, o.scheme, o.host, o.http) == ("grpc", b"r-1", b"https", b"shop.example", b"HTTP/2.0")
    assert (o.method, o.uri, o.path, o.query, o.kind) == (b"GET", b"/items/17?ref=a", b"/items/17", b"ref=a", "navigation")
    assert o.headers == {b"user-agent": b"x\xff", b"accept": b"text/html"}
    assert o.duplicated == {b"accept"}
    assert (o.ja3, o.ja4, o.tls_sig, o.tls_error) == (b"a" * 32, b"t13d", b"s", b"e")
    assert o.header_order == b"0123456789abcdef"
    assert o.sight == seen.SEES_TLS | seen.SEES_HTTP_VERSION | seen.DELIVERS_COOKIE
    assert not o.lacks(b"accept-encoding")


def test_absence_is_not_known() -> None:
    """A message with the required fields only says nothing else: no peer of its own, no time, nothing seen."""
    o = mapped()
    assert o.peer == o.client
    assert not o.behind_proxy
    assert o.edge_time_s == NOW_S
    assert o.sight == seen.DELIVERS_COOKIE
    assert (o.http, o.scheme, o.host, o.ja3, o.ja4, o.tls_sig, o.request_id) == (b"", b"", b"", b"", b"", b"", b"")


def test_the_profile_of_the_edge_stands_in_for_an_empty_sight() -> None:
    """Empty `sight`: the configured profile applies; a list, even of unknown values only, replaces it."""
    nothing, unknown = observation().SerializeToString(), observation(sight=[77]).SerializeToString()
    assert to_observation(nothing, now_s=NOW_S, sees=seen.SEES_TLS).sight == seen.SEES_TLS | seen.DELIVERS_COOKIE
    assert to_observation(unknown, now_s=NOW_S, sees=seen.SEES_TLS).sight == seen.DELIVERS_COOKIE


@pytest.mark.parametrize("packed", [bytes([203, 0, 113, 7]), bytes(10) + b"\xff\xff" + bytes([203, 0, 113, 7])])
def test_both_spellings_of_an_ipv4_address_are_one_client(packed: bytes) -> None:
    """4 bytes and the mapped 16 bytes are the same client."""
    assert mapped(client_address=packed).client == pack_address("203.0.113.7")


@pytest.mark.parametrize("told_s", [0.0, -1.0, NOW_S - 5.1, NOW_S + 5.1, math.nan, math.inf, -math.inf])
def test_a_clock_that_is_far_off_is_not_used(told_s: float) -> None:
    """No time, or one more than 5 s away: the time of arrival here."""
    assert mapped(edge_time_s=told_s).edge_time_s == NOW_S


@pytest.mark.parametrize("told_s", [NOW_S - 5, NOW_S + 5])
def test_a_clock_within_5_s_is_used(told_s: float) -> None:
    """Up to 5 s away, both inclusive, the edge's own clock measures intervals."""
    assert mapped(edge_time_s=told_s).edge_time_s == told_s


def test_cut_headers_prove_no_absence() -> None:
    """`headers_cut`: nothing is concluded from a missing header, and a GET without Accept may be a page load."""
    sent = [header(b"user-agent", b"x")]
    assert mapped(headers=sent).lacks(b"accept-language")
    assert mapped(headers=sent, sight=[pb.SIGHT_ACCEPT_ENCODING]).lacks(b"accept-encoding")
    assert mapped(headers=sent).kind == "api"
    cut = mapped(headers=sent, headers_cut=True)
    assert not cut.lacks(b"accept-language")
    assert cut.kind == "navigation"


def test_accept_encoding_is_missed_only_where_it_is_seen() -> None:
    """A Go proxy adds an Accept-Encoding of its own: without SIGHT_ACCEPT_ENCODING its absence is never evidence."""
    assert not mapped().lacks(b"accept-encoding")
    assert mapped().lacks(b"user-agent")
    whole = mapped(sight=[pb.SIGHT_ACCEPT_ENCODING])
    assert whole.lacks(b"accept-encoding")
    assert whole.sight == seen.SEES_ACCEPT_ENCODING | seen.SEES_ALL_HEADERS | seen.DELIVERS_COOKIE


def test_the_stable_form_of_a_fingerprint_is_the_ja4_where_there_is_no_better() -> None:
    """Without `tls_sig` the JA4 is the key of the fingerprint's state."""
    assert mapped(tls=pb.TlsFingerprint(ja4=b"t13d")).tls_sig == b"t13d"


def test_split_cookies_are_one_list() -> None:
    """HTTP/2 may split Cookie into several fields; they are one header, so that no session is lost, and no duplicate."""
    o = mapped(headers=[header(b"cookie", b"a=1"), header(b"Cookie", b"b=2")])
    assert o.headers[b"cookie"] == b"a=1; b=2"
    assert not o.duplicated


def test_what_only_an_edge_may_say_is_not_taken_from_a_client() -> None:
    """Pseudo-header fields, nameless fields and headers of the edge's own names are no headers of the client."""
    names = (b":path", b"", b"X-Botsieve-Verdict", b"x_botsieve_client_addr", b"X-JA3-Fingerprint", b"x-ja4-fingerprint")
    assert mapped(headers=[header(name, b"v") for name in names]).headers == {}


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (b"A.example", b"a.example"),
        (b"a.example.", b"a.example"),
        (b"a.example:80", b"a.example"),
        (b"[2001:db8::1]:443", b"[2001:db8::1]"),
        (b"[2001:db8::1]", b"[2001:db8::1]"),
        (b"2001:db8::1", b"2001:db8::1"),
        (b"a:b", b"a:b"),
        (b"\xff\xfe", b"\xff\xfe"),
    ],
)
def test_the_host_is_spelt_as_policies_spell_it(told: bytes, meant: bytes) -> None:
    """Lower case, no port, no final dot; anything else stays what it is."""
    assert mapped(host=told).host == meant


def test_a_scheme_that_only_a_client_can_invent_is_not_known() -> None:
    """The scheme of HTTP/2 is the client's word: an odd one is judged, not refused."""
    assert mapped(scheme=b"gopher\xff").scheme == b""


# The example of the page that introduced JA3 (salesforce/ja3, README).
KNOWN_JA3 = b"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"


def test_the_md5_of_ja3_is_made_where_only_the_string_was_told() -> None:
    """The string alone is enough; what is no MD5 counts as absent."""
    assert mapped(tls=pb.TlsFingerprint(ja3=KNOWN_JA3)).ja3 == b"ada70206e40642a3e4461f35503241d5"
    assert mapped(tls=pb.TlsFingerprint(ja3_md5=b"not a hash")).ja3 == b""


HEADERS_201 = [header(b"a", b"")] * 201
HEADERS_64K = [header(b"a", bytes(16383))] * 4


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"client_address": b""}, "FIELD_MISSING", "client_address"),
        ({"client_address": b"203.0.113.7"}, "ADDRESS_MALFORMED", "client_address"),
        ({"peer_address": b"1"}, "ADDRESS_MALFORMED", "peer_address"),
        ({"method": b""}, "FIELD_MISSING", "method"),
        ({"method": b"M" * 33}, "FIELD_TOO_LONG", "method"),
        ({"uri": b""}, "FIELD_MISSING", "uri"),
        ({"uri": b"/" * 16385}, "FIELD_TOO_LONG", "uri"),
        ({"host": b"h" * 256}, "FIELD_TOO_LONG", "host"),
        ({"request_id": b"r" * 65}, "FIELD_TOO_LONG", "request_id"),
        ({"header_order": b"o" * 33}, "FIELD_TOO_LONG", "header_order"),
        ({"lease_id": b"l" * 17}, "FIELD_TOO_LONG", "lease_id"),
        ({"tls": pb.TlsFingerprint(ja3_md5=b"0" * 33)}, "FIELD_TOO_LONG", "tls.ja3_md5"),
        ({"tls": pb.TlsFingerprint(ja3=b"0" * 4097)}, "FIELD_TOO_LONG", "tls.ja3"),
        ({"tls": pb.TlsFingerprint(ja4=b"0" * 4097)}, "FIELD_TOO_LONG", "tls.ja4"),
        ({"tls": pb.TlsFingerprint(tls_sig=b"0" * 4097)}, "FIELD_TOO_LONG", "tls.tls_sig"),
        ({"tls": pb.TlsFingerprint(error=b"e" * 65)}, "FIELD_TOO_LONG", "tls.error"),
        ({"headers": [header(b"n" * 257, b"")]}, "FIELD_TOO_LONG", "headers.name"),
        ({"headers": [header(b"n", bytes(16385))]}, "FIELD_TOO_LONG", "headers.value"),
        ({"headers": HEADERS_201}, "TOO_MANY_HEADERS", "headers"),
        ({"headers": [*HEADERS_64K, header(b"a", b"")]}, "TOO_MANY_HEADERS", "headers"),
    ],
)
def test_a_mistake_of_the_gateway_is_named(fields: dict[str, Any], reason: str, field: str) -> None:
    """Every bound of the proto has its error, one step beyond it."""
    assert refused(**fields) == (reason, field)
    assert error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}") > 0


def test_the_bounds_themselves_are_accepted() -> None:
    """At most N means that N is fine."""
    tls = pb.TlsFingerprint(error=b"e" * 64, ja3_md5=b"0" * 32)
    longest = {"request_id": b"r" * 64, "host": b"h" * 255, "uri": b"/" * 16384, "method": b"M" * 32, "lease_id": b"l" * 16}
    mapped(**longest, header_order=b"o" * 32, tls=tls, headers=HEADERS_64K)
    mapped(headers=HEADERS_201[:200])
    mapped(headers=[header(b"n" * 256, bytes(16384))])


def test_a_fingerprint_that_is_no_message_is_an_error() -> None:
    """Bytes that are no TlsFingerprint: InvalidObservation, for this observation alone."""
    raw = observation().SerializeToString() + bytes([13 << 3 | 2, 1, 0xFF])
    with pytest.raises(InvalidObservation) as caught:
        to_observation(raw, now_s=NOW_S)
    assert (caught.value.reason, caught.value.field) == ("UNSPECIFIED", "message")


def test_a_fingerprint_in_pieces_is_one() -> None:
    """The wire allows a message in several pieces, which are merged: the last of each field counts."""
    first, second = pb.TlsFingerprint(ja4=b"a", tls_sig=b"s"), pb.TlsFingerprint(ja4=b"b")
    raw = b"".join(observation(tls=piece).SerializeToString() for piece in (first, second))
    o = to_observation(raw, now_s=NOW_S)
    assert (o.ja4, o.tls_sig) == (b"b", b"s")


def test_no_byte_of_a_client_stands_in_a_message() -> None:
    """An error says which field and how long, never what was in it."""
    marked = b"SECRET"
    for fields in (
        {"uri": marked * 3000},
        {"host": marked * 60},
        {"method": marked * 10},
        {"headers": [header(marked * 50, b"")]},
        {"headers": [header(b"n", marked * 3000)]},
        {"client_address": marked},
    ):
        with pytest.raises(InvalidObservation) as caught:
            mapped(**fields)
        assert "SECRET" not in str(caught.value)
        assert "accepted" in str(caught.value)


SOME_BYTES = st.one_of(
    st.binary(max_size=20), st.sampled_from([b"", b"GET", b"/a?b", bytes(4), bytes(16), bytes(300), bytes(17000)])
)
MESSAGES = st.builds(
    pb.Observation,
    client_address=st.one_of(st.just(bytes(4)), st.just(bytes(16)), SOME_BYTES),
    peer_address=st.one_of(st.just(b""), st.just(bytes(4)), SOME_BYTES),
    edge_time_s=st.floats(),
    request_id=SOME_BYTES,
    method=SOME_BYTES,
    scheme=SOME_BYTES,
    host=SOME_BYTES,
    uri=SOME_BYTES,
    http_version=st.integers(-3, 9),
    headers=st.lists(st.builds(pb.Header, name=SOME_BYTES, value=SOME_BYTES), max_size=12),
    headers_cut=st.booleans(),
    header_order=SOME_BYTES,
    tls=st.none()
    | st.builds(pb.TlsFingerprint, ja3=SOME_BYTES, ja3_md5=SOME_BYTES, ja4=SOME_BYTES, tls_sig=SOME_BYTES, error=SOME_BYTES),
    sight=st.lists(st.integers(-3, 9), max_size=6),
    lease_id=SOME_BYTES,
)


def holds(raw: bytes) -> None:
    try:
        o = to_observation(raw, now_s=NOW_S)
    except InvalidObservation as error:
        error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason}")
        return
    assert len(o.client) == len(o.peer) == 16
    assert o.kind in seen.KINDS
    assert abs(o.edge_time_s - NOW_S) <= 5
    assert all(name and name == name.lower() for name in o.headers)


@given(MESSAGES)
def test_any_message_gives_an_observation_or_the_declared_error(message: pb.Observation) -> None:
    """Whatever fields hold: an Observation, or InvalidObservation with a reason that the proto knows."""
    holds(message.SerializeToString())


@given(st.binary(max_size=200))
def test_any_bytes_give_an_observation_or_the_declared_error(raw: bytes) -> None:
    """Unknown fields, unknown enum values and odd order change nothing of the promise."""
    holds(b"\x0a\x04\x7f\x00\x00\x01\x2a\x01G\x42\x01/" + raw)
