"""detectors/claim.py: claim against evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botsieve.decision import Signal
from botsieve.detectors import headers as header_detectors
from botsieve.detectors.catalogue import Catalogue
from botsieve.detectors.claim import false_crawler
from botsieve.detectors.settings import FalseCrawler, NoAcceptEncoding, NoAcceptLanguage
from botsieve.observation import pack_address
from botsieve.verifications import HELD, REFUTED, UNVERIFIED, VERIFIED
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import findings, header_sets, hello_facts, observe, read_lines, view_of

CATALOGUE = Catalogue.builtin()
DATA = Path(__file__).parents[2] / "data"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
CHROME_100 = CHROME.replace("140", "100")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
IOS_FIREFOX = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/150.0 Mobile Safari/605.1.15"
)


def claim(user_agent: str, name: str = "", *, cleared: bool = False, **facts: Any) -> list[str]:
    """What `claim.contradiction` says of a User-Agent with the hello of a catalogue row."""
    if name:
        row = CATALOGUE.row(name)
        facts = {
            "ja3": row.ja3.encode(),
            "ja4": row.ja4.encode(),
            "tls_sig": row.tls_sig.encode(),
            "http": row.http.encode(),
            **facts,
        }
    found = findings(observe({"user-agent": user_agent}, **facts), cleared=cleared)
    return [f"{signal.points} {signal.reason}" for signal in found if signal.id == "claim.contradiction"]


@pytest.mark.parametrize(
    ("user_agent", "name", "reason"),
    [
        (CHROME, "python-requests-2.34", "contradiction:chrome/python"),
        (FIREFOX, "curl-7.88", "contradiction:firefox/curl"),
        (SAFARI, "go-1.19", "contradiction:safari/go"),
        (CHROME, "okhttp-5", "contradiction:chrome/okhttp"),
        (FIREFOX, "chromium-156", "contradiction:firefox/chromium"),
        (CHROME, "firefox-153", "contradiction:chrome/gecko"),
        (SAFARI, "chromium-156", "contradiction:safari/chromium"),
        (IOS_FIREFOX, "firefox-153", "contradiction:firefox/gecko"),
    ],
)
def test_another_s_hello(user_agent: str, name: str, reason: str) -> None:
    """A known tool's hello, or another engine's, contradicts the browser named: 45 points."""
    assert claim(user_agent, name) == [f"45 {reason}"]


def test_what_is_left_once_cleared() -> None:
    """Who has solved a challenge keeps 15: people behind TLS interception look like this."""
    assert claim(CHROME, "python-requests-2.34", cleared=True) == ["15 contradiction:chrome/python"]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "chromium-156"),
        (FIREFOX, "firefox-153"),
        (FIREFOX, "tor-145"),
        (SAFARI, "safari-260"),
        (IOS_FIREFOX, "safari-260"),
    ],
)
def test_the_right_hello(user_agent: str, name: str) -> None:
    """The engine's own hello is no contradiction, of whatever version."""
    assert claim(user_agent, name) == []


def test_unknown_is_neutral() -> None:
    """A hello that nobody recorded contradicts nothing, and neither does none."""
    new = {"ja4": b"t13d1799h2_aaaaaaaaaaaa_bbbbbbbbbbbb"}
    assert claim(CHROME, **new) == claim(FIREFOX, **new) == claim(CHROME) == []
    # A Chromium of tomorrow: its ciphers are known from Chromium and from Tor, so they prove nothing against Firefox either.
    assert claim(FIREFOX, ja4=b"t13d1599h2_8daaf6152771_bbbbbbbbbbbb") == []


def test_who_names_no_browser_cannot_contradict_it() -> None:
    """Programs, crawlers and a bare `Mozilla/5.0` claim nothing that could be wrong."""
    for user_agent in ("curl/8", "", "Mozilla/5.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"):
        assert claim(user_agent, "python-requests-2.34") == []


def test_behind_a_balancer_nothing_is_known() -> None:
    """Where the peer is not the client, neither its fingerprint nor its HTTP version is held against the client."""
    assert claim(CHROME, "go-1.19", peer=pack_address("198.51.100.1"), http=b"HTTP/1.0") == []


@pytest.mark.parametrize(
    ("user_agent", "ja4", "http", "reason"),
    [
        (CHROME, b"t13d1599h1_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/2.0", "chrome/http"),  # a browser offers h2 first
        (CHROME, b"t13d1599h2_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/1.0", "chrome/http"),
        (CHROME.replace("140", "40"), b"t12d1599h2_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/2.0", "chrome/http"),
        (CHROME_100, b"t13d159900_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/1.1", "chrome/alpn"),
        # A WebSocket's hello offers http/1.1 only; a server without HTTP/2 is no contradiction; newer versions are unknown.
        (CHROME, b"t13d1599h1_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/1.1", ""),
        (CHROME, b"t13d1599h2_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/1.1", ""),
        (CHROME.replace("140", "199"), b"t13d159900_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/1.1", ""),
        (IOS_FIREFOX, b"t13d1599h2_aaaaaaaaaaaa_bbbbbbbbbbbb", b"HTTP/2.0", ""),
    ],
)
def test_alpn_and_http_version(user_agent: str, ja4: bytes, http: bytes, reason: str) -> None:
    """A connection that this browser never opens contradicts it, whoever's hello it was."""
    assert claim(user_agent, ja4=ja4, http=http) == ([f"45 contradiction:{reason}"] if reason else [])


def test_headers_name_their_rule() -> None:
    """`unlike_headers` names the family as its detail, and in its evidence the rule with both values."""
    o = observe({"user-agent": CHROME, "sec-ch-ua": '"Chromium";v="99"'})
    (signal,) = findings(o)
    assert (signal.reason, signal.points) == ("unlike_headers:chrome", 25)
    assert [(measure.name, measure.value, measure.limit) for measure in signal.measures] == [("sec_ch_ua_version", 99, 140)]


def test_headers_added_on_the_way() -> None:
    """TE is a connection's header: behind somebody else's connection it says nothing of the client."""
    headers = {"user-agent": CHROME, "te": "trailers"}
    assert [signal.reason for signal in findings(observe(headers))] == ["unlike_headers:chrome"]
    assert findings(observe(headers, peer=pack_address("198.51.100.1"))) == []


def _samples() -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    for row in read_lines(DATA / "headers/browsers.jsonl.gz"):
        yield from header_sets(row)


def test_real_header_sets_are_themselves() -> None:
    """No recorded header set of a real browser contradicts itself, on the kind of request where it was recorded."""
    count = 0
    for headers, facts in _samples():
        count += 1
        assert findings(observe(headers, **facts)) == [], (headers, facts)
    assert count > 600


def test_real_hellos_agree_with_their_browser() -> None:
    """No recorded hello contradicts the User-Agent and headers that came with it."""
    rows = [row for row in read_lines(DATA / "tls/browsers.jsonl.gz") if row.get("headers")]
    assert len(rows) > 20
    for row in rows:
        assert findings(observe(dict(row["headers"]), **hello_facts(row))) == [], row["client"]


def _everything(headers: dict[str, str], facts: dict[str, Any]) -> list[Signal]:
    o = observe(headers, **facts)
    view = view_of(o)
    missing = (
        header_detectors.no_accept_language(o, view, NoAcceptLanguage()),
        header_detectors.no_accept_encoding(o, view, NoAcceptEncoding()),
    )
    return findings(o) + [signal for signal in missing if signal is not None]


REMOVED = {"user-agent": "no_useragent", "accept-language": "no_accept_language", "accept-encoding": "no_accept_encoding"}


def test_one_header_removed() -> None:
    """A real header set less one header gives the finding that names it, or nothing; never another's name."""
    named = set()
    for headers, facts in _samples():
        if _everything(headers, facts):
            continue
        for name in headers:
            less = {other: value for other, value in headers.items() if other != name}
            if observe(less, **facts).kind != observe(headers, **facts).kind:
                continue  # a WebSocket upgrade without Upgrade is another kind of request
            reasons = {signal.reason for signal in _everything(less, facts)}
            assert reasons <= {REMOVED.get(name)}, (name, reasons, headers)
            named |= reasons
    assert named == set(REMOVED.values())


# A header, a value that contradicts it, and the rules that may say so.
CONTRADICTED = [
    ("sec-ch-ua", '"Chromium";v="7", "Google Chrome";v="7"', {"sec_ch_ua_version", "sec_ch_ua"}),
    ("sec-ch-ua-platform", '"iOS"', {"sec_ch_ua_platform"}),
    ("sec-ch-ua-mobile", "?1", {"sec_ch_ua_mobile"}),
    ("te", "trailers", {"te"}),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", {"accept"}),
    ("accept-encoding", "gzip, deflate, br, zstd", {"zstd_since_version"}),
    ("sec-fetch-dest", "script", {"sec_fetch_dest", "sec_fetch_since_version"}),
    ("sec-fetch-mode", "navigate", {"sec_fetch_dest", "sec_fetch_since_version", "accept"}),
]


@pytest.mark.parametrize(("name", "value", "rules"), CONTRADICTED, ids=[entry[0] for entry in CONTRADICTED])
def test_one_header_contradicted(name: str, value: str, rules: set[str]) -> None:
    """A real header set with one header contradicted gives `unlike_headers` of that browser by that rule, or nothing."""
    hits = 0
    for headers, facts in _samples():
        o = observe({**headers, name: value}, **facts)
        family = view_of(o).agent.family
        for signal in findings(o):
            assert signal.reason == f"unlike_headers:{family}"
            assert signal.measures[0].name in rules, (headers, signal)
            hits += 1
    assert hits > 0


@pytest.mark.parametrize("claimed", [CHROME_100, FIREFOX, SAFARI])
def test_another_browser_s_user_agent(claimed: str) -> None:
    """A real header set under another User-Agent contradicts that browser or nothing; most page loads are found."""
    judged = found = 0
    for headers, facts in _samples():
        reasons = {signal.reason.partition(":")[0] for signal in findings(observe({**headers, "user-agent": claimed}, **facts))}
        assert reasons <= {"unlike_headers"}
        if "sec-ch-ua" in headers and facts["uri"] == b"/shop":
            judged += 1
            found += bool(reasons)
    assert judged > 20
    assert found > judged // 2


@given(
    st.sampled_from([CHROME, FIREFOX, SAFARI, "Mozilla/5.0", ""]),
    st.dictionaries(
        st.sampled_from(
            ["sec-ch-ua", "sec-ch-ua-platform", "sec-ch-ua-mobile", "sec-fetch-mode", "sec-fetch-dest", "accept", "te"]
        ),
        st.text(st.characters(codec="latin-1"), max_size=40),
    ),
    st.binary(max_size=40),
)
def test_any_bytes(user_agent: str, headers: dict[str, str], ja4: bytes) -> None:
    """Whatever a client or an edge sends, the answer is a list of findings, and twice the same."""
    o = observe({"user-agent": user_agent, **headers}, ja4=ja4, tls_sig=ja4)
    assert findings(o) == findings(o)


def test_a_false_crawler_is_who_was_refuted() -> None:
    """Only the word of the book of verifications makes it; the detail is the crawler's name from our own list."""
    o = observe({"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"})
    view = view_of(o)
    for word, wanted in ((REFUTED, "false_crawler:Googlebot"), (HELD, None), (UNVERIFIED, None), (VERIFIED, None)):
        view.claim = word
        signal = false_crawler(o, view, FalseCrawler())
        assert (signal.reason if signal else None) == wanted
