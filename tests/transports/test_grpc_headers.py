"""service/botsieve/transports/grpc_headers.py: a client's header fields."""

from __future__ import annotations

import pytest
from botsieve.errors import InvalidObservation
from botsieve.observation import MAX_HEADER_BYTES, MAX_HEADER_VALUE, MAX_HEADERS
from botsieve.transports import grpc_headers
from botsieve.transports.gateway_headers import SHOWN
from botsieve.transports.grpc_headers import fields_of, of_block, shown_beside, to_headers
from botsieve.v1 import decision_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st


def raw(name: bytes, value: bytes = b"") -> bytes:
    return pb.Header(name=name, value=value).SerializeToString()


NAMES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"Cookie", b"cookie", b"Accept", b"accept", b":path", b"X-Botsieve-Id", b"x-ja4-fingerprint", b"n" * 256]),
)
VALUES = st.one_of(st.binary(max_size=20), st.sampled_from([bytes(320), bytes(MAX_HEADER_VALUE)]))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_names_and_values(fields: list[tuple[bytes, bytes]]) -> None:
    """The first value of each of the client's own names, lower case; cookies joined; what came twice is said; read twice, the same."""
    if sum(len(name) + len(value) for name, value in fields) > MAX_HEADER_BYTES:
        return
    meant: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        lower = name.lower()
        if lower and not lower.startswith((b":", b"x-botsieve-", b"x-ja4-fingerprint")):
            meant.setdefault(lower, []).append(value)
    raws = [raw(name, value) for name, value in fields]
    for _ in range(2):
        headers, duplicated = to_headers(raws)
        assert headers == {name: b"; ".join(values) if name == b"cookie" else values[0] for name, values in meant.items()}
        assert duplicated == {name for name, values in meant.items() if len(values) > 1} - {b"cookie"}


def block(raws: list[bytes]) -> bytes:
    """Header messages as an Observation holds them: tag and length before each."""
    return b"".join(pb.Observation(headers=[pb.Header()]).SerializeToString()[:1] + varint(len(one)) + one for one in raws)


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


LIKE_A_FIELD = b"R\x06\x0a\x01a\x12\x01b"
OWN = [
    b"Cookie",
    b"cookie",
    b"Referer",
    b"referer",
    b"AUTHORIZATION",
    b"proxy-authorization",
    b"cookie2",
    b"referer" + LIKE_A_FIELD,
]
BROWSERS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([b"accept", b"Accept", b"dnt", b"te", b"a", b":path", b""]), st.sampled_from(OWN)),
        st.one_of(st.sampled_from([b"", b"1", LIKE_A_FIELD, bytes(321), bytes(5000)]), st.binary(max_size=8)),
    ),
    max_size=6,
)


@given(BROWSERS, BROWSERS)
def test_a_block_means_its_fields(first: list[tuple[bytes, bytes]], second: list[tuple[bytes, bytes]]) -> None:
    """Whoever was read before: names, values, their order and what came twice are those of the fields, one by one."""
    for fields in (first, second, first, [(name, b"other") for name, _ in first]):
        raws = [raw(name, value) for name, value in fields]
        headers, duplicated = of_block(block(raws))
        meant, twice = to_headers(raws)
        assert (list(headers.items()), duplicated) == (list(meant.items()), twice)
        headers[b"own copy"] = b""  # what one request does with its headers is no other's


def test_names_do_not_pass_for_the_fields_behind_them() -> None:
    """A name that looks like another visitor's fields is read as what it is: nobody is given another's headers."""
    honest = [raw(b"cookie", b"1"), raw(b"dnt", b"2"), raw(b"te", b"3")]
    copied = [raw(b"cookie" + block(honest[1:]), b"x")]
    for raws in (copied, honest, copied, honest):
        assert of_block(block(raws)) == to_headers(raws)


@given(st.lists(st.binary(max_size=12), max_size=4))
def test_any_block_gives_headers_or_the_declared_error(raws: list[bytes]) -> None:
    """A block of anything: what its fields give, one by one, or their error."""
    try:
        meant = to_headers(raws)
    except InvalidObservation:
        with pytest.raises(InvalidObservation, match="no Header; accepted"):
            of_block(block(raws))
        return
    assert of_block(block(raws)) == meant
    assert fields_of(block(raws)) == raws


def test_blocks_that_are_held_are_bounded() -> None:
    """A flood of invented browsers pushes out only such; what is long, or has many fields, is not held; no cookie is."""
    for number in range(2000):
        of_block(block([raw(b"flood-%d" % number), raw(b"cookie", b"SECRET")]))
    before = len(grpc_headers._BLOCKS)
    assert before <= 1024
    of_block(block([raw(b"long", bytes(321))]))
    of_block(block([raw(b"many-%d" % number) for number in range(41)]))
    of_block(block([raw(b"%03d" % number, bytes(300)) for number in range(11)]))
    assert len(grpc_headers._BLOCKS) == before


def test_no_cookie_is_held() -> None:
    """Neither in what a block is found by nor in what is found."""
    of_block(block([raw(b"dnt"), raw(b"Cookie", b"SECRET"), raw(b"Referer", b"SECRET"), raw(b"Authorization", b"SECRET")]))
    blocks = [*grpc_headers._BLOCKS._young.values(), *grpc_headers._BLOCKS._old.values(), *grpc_headers._LATEST]
    held = repr([(one.pieces, one.headers, one.own) for one in blocks if one is not None])
    assert "authorization" in held
    assert "SECRET" not in held


def test_browsers_that_send_as_much_are_told_apart() -> None:
    """What is looked at first is found by the lengths of fields: it is another's, and nobody is given that one's headers."""
    for agent in (b"agent-1", b"agent-2", b"agent-1"):
        raws = [raw(b"user-agent", agent), raw(b"cookie", b"mine")]
        for _ in range(3):
            assert of_block(block(raws))[0] == {b"user-agent": agent, b"cookie": b"mine"}


@given(st.lists(st.binary(max_size=12), max_size=4))
def test_any_bytes_give_headers_or_the_declared_error(raws: list[bytes]) -> None:
    """What is no Header is InvalidObservation without a byte of it."""
    said = ""
    try:
        to_headers(raws)
    except InvalidObservation as error:
        said = f"{error.reason} {error}"
    assert not said or (said.startswith("UNSPECIFIED ") and "no Header; accepted" in said)


@pytest.mark.parametrize(
    ("raws", "reason", "field"),
    [
        ([raw(b"a")] * (MAX_HEADERS + 1), "TOO_MANY_HEADERS", "headers"),
        ([raw(b"a", bytes(MAX_HEADER_VALUE + 1))], "FIELD_TOO_LONG", "headers.value"),
        ([raw(b"n" * 257)], "FIELD_TOO_LONG", "headers.name"),
        ([raw(b":" * 257)], "FIELD_TOO_LONG", "headers.name"),
        ([raw(b"a", bytes(16383))] * 4 + [raw(b"b")], "TOO_MANY_HEADERS", "headers"),
    ],
)
def test_every_bound_has_its_error(raws: list[bytes], reason: str, field: str) -> None:
    """One step beyond each bound, also when the field is not the client's."""
    with pytest.raises(InvalidObservation) as caught:
        to_headers(raws)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_the_bounds_themselves_are_accepted() -> None:
    """At most N means that N is fine; the bytes of names and values count, not those of the wire around them."""
    assert len(to_headers([raw(b"%d" % n) for n in range(MAX_HEADERS)])[0]) == MAX_HEADERS
    assert to_headers([raw(b"a", bytes(MAX_HEADER_VALUE))])[0] == {b"a": bytes(MAX_HEADER_VALUE)}
    assert to_headers([raw(b"%d" % n, bytes(MAX_HEADER_BYTES // 4 - 1)) for n in range(4)])[1] == frozenset()


def held() -> int:
    return int(grpc_headers._known.held)


def test_a_long_list_leaves_nothing_behind() -> None:
    """Who sends more fields than any browser is read as everybody, and pushes nobody's fields out."""
    before = held()
    assert len(to_headers([raw(b"many-%d" % number) for number in range(41)])[0]) == 41
    assert held() == before


def test_what_is_held_is_bounded() -> None:
    """A flood of invented fields pushes out only fields; overlong ones are not held at all."""
    for number in range(5000):
        to_headers([raw(b"flood-%d" % number)])
    before = held()
    assert before <= 2048
    to_headers([raw(b"long", bytes(400))])
    assert held() == before


@pytest.mark.parametrize("name", [b"Cookie", b"cookie", b"Referer", b"authorization", b"Proxy-Authorization"])
def test_what_is_each_visitors_own_is_not_held(name: bytes) -> None:
    """Cookies, credentials and the page before leave nothing behind."""
    to_headers([raw(b"flood-0")])
    before = held()
    assert to_headers([raw(name, b"secret")])[0] == {name.lower(): b"secret"}
    assert held() == before


def test_what_came_proves_that_it_is_shown() -> None:
    """The common headers and those that came."""
    assert shown_beside([b"x-own"]) == SHOWN | {b"x-own"}
