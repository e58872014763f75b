"""observation.py: any bytes that a web server lets through give an Observation; an edge's mistake the declared error."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote_from_bytes

import pytest
from botsieve.errors import InvalidObservation
from botsieve.observation import (
    COUNTED_KINDS,
    KINDS,
    MAX_URI,
    _is_plain_at_a_glance,
    address_text,
    canonical_path,
    classify,
    is_plain,
    make_observation,
    network_of,
    network_text,
    pack_address,
    widen_address,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rig import CALL, PAGE, TOOL, request

# Pieces that make addresses and paths nearly right.
path_bytes = st.lists(
    st.one_of(
        st.sampled_from([b"/", b"..", b".", b"%2e", b"%2F", b"%", b"%25", b"?", b"#", b"a", b"http://", b";"]),
        st.binary(max_size=4),
    ),
    max_size=20,
).map(b"".join)
NAMES = [
    b"accept",
    b"sec-fetch-mode",
    b"sec-fetch-dest",
    b"sec-fetch-site",
    b"upgrade",
    b"x-requested-with",
    b"sec-purpose",
    b"purpose",
]
some_headers = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        st.sampled_from([b"navigate", b"cors", b"document", b"image", b"empty", b"websocket", b"text/html"]),
        st.binary(max_size=8),
    ),
)


class TestAddress:
    @given(st.ip_addresses())
    def test_round_trip(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        """Every address of the standard library packs as it does, IPv4 as IPv4-mapped, and comes back as text."""
        packed = pack_address(str(address))
        wide = address if address.version == 6 else ipaddress.IPv6Address(f"::ffff:{address}")
        assert packed == wide.packed
        mapped = wide.ipv4_mapped
        assert address_text(packed) == str(mapped or wide)
        assert widen_address(address.packed) == packed

    @given(st.one_of(st.text(max_size=20), st.text("0123456789.:abf%[]/ \n\u0661", max_size=40)))
    def test_any_text_gives_an_address_or_the_error(self, text: str) -> None:
        """As the standard library: what it reads packs the same, anything else is ADDRESS_MALFORMED."""
        try:
            known = ipaddress.ip_address(text)
        except ValueError:
            known = None
        if known is None or "%" in text:
            with pytest.raises(InvalidObservation) as refused:
                pack_address(text)
            assert refused.value.reason == "ADDRESS_MALFORMED"
            assert len(text) < 3 or text not in str(refused.value)
        else:
            assert pack_address(text) == widen_address(known.packed)

    @pytest.mark.parametrize("text", ["::ffff:203.0.113.7", "::FFFF:cb00:7107", "203.0.113.7"])
    def test_ipv4_in_ipv6_clothes(self, text: str) -> None:
        """A dual-stack socket of nginx writes ::ffff:203.0.113.7 for an IPv4 client; it was refused once."""
        assert address_text(pack_address(text)) == "203.0.113.7"

    @pytest.mark.parametrize(
        "text", ["unix:", "", "fe80::1%eth0", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "\u0661.1.1.1"]
    )
    def test_what_is_no_address(self, text: str) -> None:
        """Sockets, zones, leading zeros, other digits."""
        with pytest.raises(InvalidObservation):
            pack_address(text)

    @given(st.binary(max_size=20))
    def test_widen(self, packed: bytes) -> None:
        """4 or 16 bytes, nothing else."""
        if len(packed) in (4, 16):
            assert len(widen_address(packed)) == 16
        else:
            with pytest.raises(InvalidObservation):
                widen_address(packed)

    def test_networks(self) -> None:
        """/24 of IPv4, /48 of IPv6, as bytes and as text."""
        four, six = pack_address("203.0.113.7"), pack_address("2001:db8:1:2::3")
        assert (len(network_of(four)), len(network_of(six))) == (15, 6)
        assert (network_text(four), network_text(six)) == ("203.0.113.0/24", "2001:db8:1::/48")
        assert network_of(four) == network_of(pack_address("203.0.113.250")) != network_of(pack_address("203.0.114.7"))
        assert network_of(six) == network_of(pack_address("2001:db8:1:ffff::")) != network_of(pack_address("2001:db8:2::"))


class TestCanonicalPath:
    @given(st.one_of(path_bytes, st.binary(max_size=60)))
    def test_absolute_and_settled(self, uri: bytes) -> None:
        """Begins with one slash, holds no empty, `.` or `..` segment, and is its own canonical form when quoted."""
        path = canonical_path(uri)
        assert path.startswith(b"/")
        assert not {b"", b".", b".."} & set(path[1:].split(b"/")[:-1])
        assert path.split(b"/")[-1] not in (b".", b"..")
        assert canonical_path(quote_from_bytes(path, safe=b"/").encode()) == path

    @given(st.one_of(path_bytes, st.binary(max_size=60)).map(lambda path: path.partition(b"?")[0]))
    def test_letter_by_letter_is_at_a_glance(self, path: bytes) -> None:
        """Both ways of telling a path that needs no work say the same, and such a path is its own canonical form."""
        assert is_plain(path) == _is_plain_at_a_glance(path)
        if is_plain(path):
            assert canonical_path(path) == path

    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            (b"/a/b?c=/d", b"/a/b"),
            (b"/a//b", b"/a/b"),
            (b"//admin/../items/1", b"/items/1"),
            (b"/a/./b/", b"/a/b/"),
            (b"/a/b/..", b"/a/"),
            (b"/a/..", b"/"),
            (b"/../../etc/passwd", b"/etc/passwd"),
            (b"/%2e%2e/a", b"/a"),
            (b"/a%2fb", b"/a/b"),
            (b"/a%252fb", b"/a%2fb"),
            (b"/%61dmin", b"/admin"),
            (b"/a%", b"/a%"),
            (b"/a#b", b"/a"),
            (b"/\xff", b"/\xff"),
            (b"/a..b/.c", b"/a..b/.c"),
            (b"http://shop.example/a?b", b"/a"),
            (b"http://shop.example", b"/"),
            (b"*", b"/*"),
            (b"/a;b=1/c", b"/a;b=1/c"),
        ],
    )
    def test_the_table(self, uri: bytes, path: bytes) -> None:
        """What nginx maps to one file is one path."""
        assert canonical_path(uri) == path


class TestKind:
    @given(st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"\xff"]), path_bytes, some_headers, st.booleans())
    def test_any_request_has_a_kind(self, method: bytes, uri: bytes, headers: dict[bytes, bytes], seen: bool) -> None:
        """One of KINDS, whatever the client says."""
        assert classify(method, canonical_path(uri), headers, accept_seen=seen) in KINDS

    @pytest.mark.parametrize(
        ("kind", "method", "uri", "headers"),
        [
            ("navigation", b"GET", b"/items/17", PAGE),
            ("navigation", b"GET", b"/photo.jpg", PAGE),
            ("navigation", b"GET", b"/", {b"accept": b"text/html"}),
            ("navigation", b"GET", b"/", {**PAGE, b"sec-fetch-dest": b"iframe"}),
            ("xhr", b"GET", b"/api/items/17", CALL),
            ("xhr", b"POST", b"/", {b"accept": b"*/*", b"x-requested-with": b"XMLHttpRequest"}),
            ("api", b"GET", b"/api/items/17", TOOL),
            ("api", b"DELETE", b"/api/items/17", TOOL),
            ("api", b"POST", b"/hook", {}),
            ("subresource", b"GET", b"/a.js", TOOL),
            ("subresource", b"GET", b"/v/seg-17.ts", CALL),
            ("subresource", b"GET", b"/tiles/3/4/5.PNG", CALL),
            ("subresource", b"GET", b"/video", {**CALL, b"sec-fetch-mode": b"no-cors", b"sec-fetch-dest": b"video"}),
            ("subresource", b"GET", b"/robots.txt", TOOL),
            ("feed", b"GET", b"/blog/feed", TOOL),
            ("feed", b"GET", b"/news.rss", TOOL),
            ("preflight", b"OPTIONS", b"/api", {b"access-control-request-method": b"GET"}),
            ("other", b"OPTIONS", b"/api", {}),
            ("other", b"HEAD", b"/", {b"accept": b"text/html"}),
            ("other", b"GET", b"/live", {b"upgrade": b"WebSocket"}),
        ],
    )
    def test_the_table(self, kind: str, method: bytes, uri: bytes, headers: dict[bytes, bytes]) -> None:
        """Fetch Metadata first, then the file ending, then Accept."""
        assert classify(method, canonical_path(uri), headers) == kind

    def test_a_log_without_accept(self) -> None:
        """Where no Accept can be seen, a GET of no static file is a page load."""
        assert classify(b"GET", b"/items/17", {}, accept_seen=False) == "navigation"
        assert classify(b"GET", b"/a.css", {}, accept_seen=False) == "subresource"


class TestObservation:
    @given(
        st.binary(min_size=1, max_size=32),
        st.binary(min_size=1, max_size=80),
        st.dictionaries(st.binary(max_size=9), st.binary(max_size=9)),
    )
    def test_any_bytes_of_a_client_give_an_observation(self, method: bytes, uri: bytes, headers: dict[bytes, bytes]) -> None:
        """Every property answers; nothing of a client is an error, and nothing is changed."""
        o = make_observation(client=b"\0" * 16, method=method, uri=uri, headers=headers, edge_time_s=0.0)
        assert (o.uri, o.method, o.headers) == (uri, method, headers)
        assert o.is_counted in (True, False)
        assert o.is_prefetch in (True, False)
        assert o.is_foreign in (True, False)
        assert o.wants_document in (True, False)
        assert o.kind in KINDS

    @pytest.mark.parametrize(
        ("changes", "reason", "field"),
        [
            ({"method": b""}, "FIELD_MISSING", "method"),
            ({"uri": b""}, "FIELD_MISSING", "uri"),
            ({"method": b"X" * 33}, "FIELD_TOO_LONG", "method"),
        ],
    )
    def test_an_edges_mistake(self, changes: dict[str, bytes], reason: str, field: str) -> None:
        """Says what, where, and what would be accepted."""
        whole = {"client": b"\0" * 16, "method": b"GET", "uri": b"/", **changes}
        with pytest.raises(InvalidObservation, match="accepted:") as refused:
            make_observation(headers={}, edge_time_s=0.0, **whole)
        assert (refused.value.reason, refused.value.field) == (reason, field)

    def test_a_long_target_is_judged_by_its_beginning(self) -> None:
        """A client's doing, never the edge's fault."""
        o = request(b"/items/17?" + b"a" * 20_000)
        assert len(o.uri) == MAX_URI
        assert o.path == b"/items/17"

    def test_absence_is_a_fact_only_where_it_would_have_been_seen(self) -> None:
        """An edge that cannot show a header does not accuse anybody of lacking it; an empty one lacks."""
        assert request(headers={}).lacks(b"accept")
        assert request(headers={b"accept": b""}).lacks(b"accept")
        assert not request(headers={b"accept": b"*/*"}).lacks(b"accept")
        assert not request(headers={}, headers_seen=frozenset([b"referer"])).lacks(b"accept")

    def test_whose_fingerprint(self) -> None:
        """A hello is the client's only if the client itself opened the connection."""
        assert request(ja4=b"t13").has_fingerprint
        assert not request(ja4=b"t13", peer=b"\1" * 16).has_fingerprint
        assert request(peer=b"\1" * 16).behind_proxy
        assert not request().has_fingerprint

    def test_prefetches_are_not_counted(self) -> None:
        """The browser fetched ahead; the person did not ask."""
        for header in ({b"sec-purpose": b"prefetch;prerender"}, {b"purpose": b"prefetch"}, {b"x-moz": b"prefetch"}):
            assert not request(plus=header).is_counted
        assert request(plus={b"sec-purpose": b"other"}).is_counted
        assert {"navigation", "xhr", "api"} == COUNTED_KINDS

    def test_who_is_foreign(self) -> None:
        """Cross-site calls and frames are; a followed link is not."""
        cross = {b"sec-fetch-site": b"cross-site"}
        assert request(headers=CALL, plus=cross).is_foreign
        assert request(plus={**cross, b"sec-fetch-dest": b"iframe"}).is_foreign
        assert not request(plus=cross).is_foreign
        assert not request(headers=CALL).is_foreign

    @pytest.mark.parametrize(
        ("uri", "site", "dest", "method", "expected"),
        [
            ("/logo.PNG?v=2", b"cross-site", b"image", b"GET", True),
            ("/app.css", b"same-site", b"style", b"GET", True),
            ("/app.css", b"same-origin", b"style", b"GET", False),
            ("/app.css", b"", b"", b"GET", False),
            ("/api/items/17", b"cross-site", b"image", b"GET", False),
            ("/api/v1.png/items", b"cross-site", b"image", b"GET", False),
            ("/logo.png", b"cross-site", b"image", b"POST", False),
            ("/logo.png", b"cross-site", b"document", b"GET", False),
        ],
    )
    def test_is_embedded_file(self, uri: str, site: bytes, dest: bytes, method: bytes, expected: bool) -> None:
        """By the ending of its path, and by where its page is; what a header alone calls an image is none."""
        mode = b"navigate" if dest == b"document" else b"no-cors"
        o = request(uri, method=method, headers={b"sec-fetch-site": site, b"sec-fetch-dest": dest, b"sec-fetch-mode": mode})
        assert o.is_embedded_file is expected

    def test_who_can_be_shown_a_page(self) -> None:
        """A document or frame; without Fetch Metadata a GET or a form that accepts HTML."""
        assert request().wants_document
        assert request(plus={b"sec-fetch-dest": b"iframe"}).wants_document
        assert request(headers={b"accept": b"text/html"}).wants_document
        assert not request(headers={b"accept": b"text/html"}, method=b"POST").wants_document
        form = {b"accept": b"text/html,*/*;q=0.8", b"content-type": b"multipart/form-data; boundary=x"}
        assert request(headers=form, method=b"POST").wants_document
        assert not request(headers={**form, b"content-type": b"application/json"}, method=b"POST").wants_document
        assert not request(headers={**form, b"x-requested-with": b"XMLHttpRequest"}, method=b"POST").wants_document
        assert not request(headers={**form, b"x-requested-with": b"XMLHttpRequest"}).wants_document
        assert not request(headers=CALL).wants_document
        assert not request(headers={**CALL, b"accept": b"text/html"}).wants_document
        assert request(plus={b"sec-fetch-dest": b"empty"}).wants_document, "a service worker passes it on"
        assert not request(plus={b"sec-fetch-dest": b"empty"}, without=[b"accept"]).wants_document, "a download"
        assert not request(headers=TOOL).wants_document
