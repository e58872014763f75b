"""Lines of the built-in formats."""

from __future__ import annotations

import json

import pytest
from botsieve.errors import InputError
from botsieve.observation import SEES_ACCEPT_ENCODING, SEES_HEADER_ORDER, SEES_HTTP_VERSION, SEES_TLS, Observation, address_text
from botsieve.replay.formats import BUILT_IN, FACTS, Combined, Common, JsonLog, detect, facts_seen
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.samples import START_S, botsieve, combined

COMMON = b'203.0.113.7 - alice [17/May/2015:10:05:40 +0000] "GET /a?b=1 HTTP/1.1" 200 -'


def read(parser: object, line: bytes) -> Observation:
    """The observation of a line that must be readable."""
    o = parser.parse(line)  # type: ignore[attr-defined]
    assert isinstance(o, Observation)
    return o


def test_combined() -> None:
    """Address, time, method, target, Referer and User-Agent; nothing else is seen."""
    o = read(Combined(), combined(uri="/items/17?ref=a", referer="https://shop.example/"))
    assert (address_text(o.client), o.edge_time_s, o.method, o.uri) == ("203.0.113.7", START_S, b"GET", b"/items/17?ref=a")
    assert o.header(b"referer") == b"https://shop.example/"
    assert o.user_agent.startswith(b"Mozilla/5.0")
    assert not o.lacks(b"accept-language")
    assert not o.lacks(b"sec-fetch-mode")
    assert (o.kind, o.edge, o.sight) == ("navigation", "replay", 0)


def test_combined_dash_means_absent() -> None:
    """`-` is nginx's and Apache's word for a header that was not sent: a fact."""
    o = read(Combined(), combined(agent="-"))
    assert o.lacks(b"user-agent")
    assert o.lacks(b"referer")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (rb"a \x22quoted\x22 b", b'a "quoted" b'),  # nginx
        (rb"a \"quoted\" b", b'a "quoted" b'),  # Apache
        (b"caf\xe9 \x7f", b"caf\xe9 \x7f"),
    ],
)
def test_combined_escapes(agent: bytes, expected: bytes) -> None:
    """The header comes back as the client sent it."""
    assert read(Combined(), combined(agent="@").replace(b"@", agent)).user_agent == expected


@pytest.mark.parametrize("tail", [b' "198.51.100.1"', b' "-" 0.004', b" 12"])
def test_combined_with_more_behind(tail: bytes) -> None:
    """Many add the forwarded address (nginx's own packaged `main` does) or the time taken."""
    assert read(Combined(), combined() + tail).user_agent.startswith(b"Mozilla")


def test_common() -> None:
    """No header is seen, so none is missing."""
    o = read(Common(), COMMON)
    assert (o.method, o.path, o.query) == (b"GET", b"/a", b"b=1")
    assert not o.lacks(b"user-agent")
    assert Common().parse(combined()) is None  # it would lose the User-Agent
    assert Combined().parse(COMMON) is None


@pytest.mark.parametrize(
    "request_line",
    [b"-", b"", rb"\x16\x03\x01\x02\x00", b"GET", b"GET  HTTP/1.1"],
)
def test_what_is_no_request_is_unreadable(request_line: bytes) -> None:
    """A TLS hello on port 80 or an empty request never reached a decision."""
    assert Combined().parse(combined().replace(b"GET / HTTP/1.1", request_line)) is None


def test_odd_targets_are_requests() -> None:
    """A target may hold spaces, be absolute, or come without a version."""
    for target, path in [(b"/a b", b"/a b"), (b"http://x.example/y", b"/y"), (b"*", b"/*")]:
        assert read(Combined(), combined().replace(b"GET / HTTP", b"GET " + target + b" HTTP")).path == path
    assert read(Combined(), combined().replace(b"GET / HTTP/1.1", b"GET /old")).path == b"/old"


def test_host_name_in_place_of_an_address_is_unreadable() -> None:
    """Apache with HostnameLookups: there is nobody to judge."""
    assert Combined().parse(combined(client="crawler.example.com")) is None
    assert read(Combined(), combined(client="2001:db8::7")).client[:4] == b"\x20\x01\x0d\xb8"


def test_json_line() -> None:
    """docs/access-log.md, with everything that it says."""
    line = botsieve(
        ja4="t13d1516h2_8daaf6152771_02713d6af862", tls_sig="s", header_order="9c1f0a7b22de", edge="1 order tls",
        host="Shop.Example", peer="198.51.100.1", request_id="b5", sec_ch_ua="", sec_ch_ua_platform="",
    )  # fmt: skip
    o = read(JsonLog(), line)
    assert (o.edge_time_s, o.host, o.scheme, o.http, o.request_id) == (START_S, b"shop.example", b"https", b"HTTP/1.1", b"b5")
    assert (o.ja4[:3], o.tls_sig, o.header_order) == (b"t13", b"s", b"9c1f0a7b22de")
    assert o.behind_proxy
    assert o.sight == SEES_TLS | SEES_HEADER_ORDER | SEES_HTTP_VERSION | SEES_ACCEPT_ENCODING
    assert o.header(b"sec-fetch-mode") == b"navigate"
    assert o.lacks(b"referer")  # "" means absent
    assert o.lacks(b"sec-ch-ua")


def test_json_key_that_is_not_there_was_not_seen() -> None:
    """Somebody who trims the log format does not accuse his visitors."""
    fields = json.loads(botsieve())
    del fields["accept_language"], fields["sec_fetch"]
    o = read(JsonLog(), json.dumps(fields).encode())
    assert not o.lacks(b"accept-language")
    assert not o.lacks(b"sec-fetch-mode")
    assert facts_seen(o.headers_seen, o.sight) == {"accept_encoding", "header_order", "referer", "user_agent"}


def test_json_bytes_come_through() -> None:
    """nginx copies bytes above 0x7F and 0x7F itself as they came."""
    raw = bytes(range(0x7F, 0x100))
    o = read(JsonLog(), botsieve(agent="@").replace(b"@", raw))
    assert o.user_agent == raw
    assert read(JsonLog(), botsieve(agent="caf\u00e9\u2019s")).user_agent == "caf\u00e9\u2019s".encode()
    assert read(JsonLog(), botsieve(agent="a\tb\x01")).user_agent == b"a\tb\x01"


def test_json_headers_of_a_case_file() -> None:
    """`headers` gives any header, and then all are seen."""
    o = read(JsonLog(), b'{"time":1,"client":"::1","uri":"/","headers":{"User-Agent":"curl/8","X-A":"b"}}')
    assert o.user_agent == b"curl/8"
    assert o.lacks(b"accept-language")


@pytest.mark.parametrize(
    "change",
    [
        {"client": ""},
        {"client": "unix:"},
        {"time": "soon"},
        {"time": -1},
        {"uri": ""},
        {"uri": 7},
        {"method": ""},
        {"user_agent": None, "time": None},
    ],
)
def test_json_unreadable(change: dict[str, object]) -> None:
    """A line that lacks what a judgement needs is unreadable."""
    assert JsonLog().parse(botsieve(**change)) is None


def test_json_peer_that_is_no_address() -> None:
    """`unix:` in place of the peer is nginx's, not the visitor's, doing."""
    assert not read(JsonLog(), botsieve(peer="unix:")).behind_proxy


LINES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda line, at, junk: line[: at % len(line)] + junk + line[at % len(line) :],
        st.sampled_from([combined(), COMMON, botsieve()]),
        st.integers(0, 1000),
        st.binary(max_size=6),
    ),
    st.builds(lambda line, at: line[: at % len(line)], st.sampled_from([combined(), COMMON, botsieve()]), st.integers(0, 1000)),
)


@given(LINES)
def test_any_line_gives_fields_or_is_unreadable(line: bytes) -> None:
    """No line of a log raises, in any format."""
    for parser in BUILT_IN:
        o = parser.parse(line)
        assert o is None or (len(o.client) == 16 and o.method and o.path.startswith(b"/"))


def test_detect() -> None:
    """Each file says itself what it is; some unreadable lines do not confuse it."""
    assert detect([b"junk", combined(), combined()], "a.log").name == "combined"
    assert detect([COMMON], "a.log").name == "common"
    assert detect([b"", botsieve()], "a.log").name == "botsieve"


def test_detect_unknown() -> None:
    """The message says where, what, and what to do."""
    with pytest.raises(InputError, match=r"^x\.log: line 1 does not look like combined; give --format '\.\.\.'"):
        detect([b"2026-01-01 GET /"], "x.log")


def test_facts() -> None:
    """What a report may call not seen."""
    o = read(Combined(), combined())
    assert set(FACTS) - facts_seen(o.headers_seen, o.sight) == {
        "accept_encoding",
        "accept_language",
        "header_order",
        "sec_fetch",
        "tls",
    }
    assert facts_seen(None, SEES_TLS | SEES_HEADER_ORDER) == set(FACTS)
