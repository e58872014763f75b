"""resty.botsieve.fingerprint: equal to an independent computation; any bytes give a value or a declared error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lua import hellos, ja
from tests.lua.runtime import Fingerprints

LUA = Fingerprints()

ERRORS = {
    "hello cut",
    "session id cut",
    "ciphers cut",
    "compression methods cut",
    "extension block length",
    "extension cut",
    "extension too long",
    "too many extensions",
    "list too long",
}


def same(body: bytes) -> None:
    """Lua and Python agree on the value, or both refuse."""
    try:
        expected: object = tuple(ja.prints_of(body))
    except ValueError:
        expected = None
    found = LUA.of(body)
    if expected is None:
        assert found in ERRORS
    else:
        assert found == expected


@pytest.mark.parametrize("name", hellos.JA3_PUBLISHED)
def test_published_ja3(name: str) -> None:
    """The examples of JA3's README give the MD5 it prints."""
    body, md5 = hellos.JA3_PUBLISHED[name]
    assert LUA.of(body)[1] == md5
    same(body)


@pytest.mark.parametrize("name", hellos.JA4_PUBLISHED)
def test_published_ja4(name: str) -> None:
    """The examples and the rules of JA4.md, one by one."""
    body, begin = hellos.JA4_PUBLISHED[name]
    assert LUA.of(body)[2].startswith(begin)
    same(body)


def test_quic_is_marked() -> None:
    """A hello with QUIC transport parameters begins with q."""
    assert LUA.of(hellos.hello(hellos.CIPHERS, [hellos.versions(0x0304), (57, b"")]))[2].startswith("q13i1502")


def test_stable_form_unites_resumed_and_padded_hellos() -> None:
    """Padding, session ticket, pre-shared key and early data change JA4; the stable form stays."""
    base = [pair for pair in hellos.SPEC if pair[0] not in (21, 35)]
    plain = LUA.of(hellos.hello(hellos.CIPHERS, base))
    for kind in (21, 35, 41, 42):
        changed = LUA.of(hellos.hello(hellos.CIPHERS, [*base, (kind, b"\0" * 8)]))
        assert changed[2] != plain[2]
        assert changed[3] == plain[3] == plain[2]


@pytest.mark.parametrize("n", [256, 257])
def test_long_lists_are_refused_not_cut(n: int) -> None:
    """Up to 256 items of a kind are read; more give an error, never a fingerprint of a part."""
    items = [0x6000 + i for i in range(n) if not ja.is_grease(0x6000 + i)]
    items += [0x9000 + i for i in range(n - len(items))]
    for body in (
        hellos.hello(items, None),
        hellos.hello([1], [(item, b"") for item in items]),
        hellos.hello([1], [(10, hellos.numbers(items))]),
        hellos.hello([1], [(13, hellos.numbers(items))]),
    ):
        assert (LUA.of(body) in ERRORS) is (n == 257)
        same(body)


def test_worst_hello_fits() -> None:
    """256 of everything with five digits and 255 formats: the longest text there is."""
    items = [50000 + i for i in range(256)]
    assert not any(map(ja.is_grease, items))
    block = [(10, hellos.numbers(items)), (11, b"\xff" + b"\xff" * 255), (13, hellos.numbers(items))]
    block += [(item, b"") for item in items[: 256 - 3]]
    same(hellos.hello(items, block))


@pytest.mark.parametrize("body", [hellos.SPEC_HELLO, hellos.GREASED_HELLO], ids=["spec", "greased"])
def test_every_truncation(body: bytes) -> None:
    """A hello cut at any byte gives the same value or refusal as in Python."""
    for size in range(len(body)):
        same(body[:size])


@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    """Any bytes give a value or a declared error."""
    same(body)


@given(
    st.sampled_from([hellos.SPEC_HELLO, hellos.GREASED_HELLO, hellos.JA3_PUBLISHED["readme 1"][0]]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes(body: bytes, changes: list[tuple[int, int]]) -> None:
    """A real hello with some bytes changed gives the same value or refusal as in Python."""
    changed = bytearray(body)
    for at, value in changes:
        changed[at % len(changed)] = value
    same(bytes(changed))


NUMBERS = st.lists(st.integers(0, 0xFFFF), max_size=40)


@given(
    st.integers(0, 0xFFFF),
    st.binary(max_size=32),
    NUMBERS,
    st.lists(st.tuples(st.sampled_from([0, 10, 11, 13, 16, 21, 35, 41, 43, 57, 0x0A0A, 27, 51]), st.binary(max_size=40))),
)
def test_any_well_formed_hello(version: int, session: bytes, ciphers: list[int], extensions: list[tuple[int, bytes]]) -> None:
    """Well-formed hellos with any content, each extension at most once as TLS demands."""
    once = list({kind: (kind, data) for kind, data in extensions}.values())
    same(hellos.hello(ciphers, once, version, session))
