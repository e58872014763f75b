"""detectors/header_rules.py: what each engine never sends, by version."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from botsieve.agents import parse_agent
from botsieve.detectors.header_rules import Headers, Unlike, builtin_rules, parse_rules, unlike

RULES = builtin_rules()
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.0 Safari/605.1.15"
IOS_CHROME = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/148.0.0.0 Mobile Safari/604.1"
)
WEBVIEW = "Mozilla/5.0 (Linux; Android 14; K; wv) AppleWebKit/537.36 Version/4.0 Chrome/150.0 Mobile Safari/537.36"
EDGE = CHROME + " Edg/{0}.0.0.0"

HINTS_138 = '"Not)A;Brand";v="8", "Chromium";v="138", "Google Chrome";v="138"'
PAGE = {"fetch_mode": "navigate", "fetch_dest": "document"}
ACCEPT_CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q={}"
)
ACCEPT_PLAIN = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def judge(user_agent: str, **given: str) -> Unlike | None:
    values = {name: given.get(name, "").encode() for name in Headers._fields}
    values["user_agent"] = user_agent.encode()
    return unlike(parse_agent(values["user_agent"]), Headers(**values), RULES)


@pytest.mark.parametrize(
    ("user_agent", "headers", "rule"),
    [
        (FIREFOX.format(140), {"ch_ua": HINTS_138}, "sec_ch_ua"),
        (SAFARI.format(18), {"ch_ua": HINTS_138}, "sec_ch_ua"),
        (IOS_CHROME, {"ch_ua": HINTS_138}, "sec_ch_ua"),
        (FIREFOX.format(140), {"ch_platform": '"Windows"'}, "sec_ch_ua_platform"),
        (FIREFOX.format(140), {"ch_mobile": "?0"}, "sec_ch_ua_mobile"),
        (CHROME.format(138), {"te": "trailers"}, "te"),
        (SAFARI.format(18), {"te": "trailers"}, "te"),
        (CHROME.format(140), {"ch_ua": HINTS_138}, "sec_ch_ua_version"),
        (CHROME.format(138), {"ch_ua": '"HeadlessChrome";v="138", "Chromium";v="138"'}, "sec_ch_ua_headless"),
        (EDGE.format(138), {"ch_ua": HINTS_138}, "sec_ch_ua_brand"),
        (CHROME.format(138), {"ch_ua": HINTS_138, "ch_platform": '"macOS"'}, "sec_ch_ua_platform"),
        (CHROME.format(138), {"ch_ua": HINTS_138, "ch_mobile": "?1"}, "sec_ch_ua_mobile"),
        (CHROME.format(46), {"fetch_mode": "cors"}, "sec_fetch_since_version"),
        (SAFARI.format(9), {"fetch_dest": "empty"}, "sec_fetch_since_version"),
        (CHROME.format(70), {"ch_ua": '"Chromium";v="70"'}, "sec_ch_ua_since_version"),
        (CHROME.format(100), {"accept_encoding": "gzip, deflate, br, zstd"}, "zstd_since_version"),
        (SAFARI.format(17), {"accept_encoding": "gzip, deflate, br, zstd"}, "zstd_since_version"),
        (CHROME.format(138), {"fetch_mode": "navigate", "fetch_dest": "image"}, "sec_fetch_dest"),
        (CHROME.format(138), {**PAGE, "accept": ACCEPT_PLAIN}, "accept"),
        (FIREFOX.format(140), {**PAGE, "accept": ACCEPT_CHROME.format("0.7")}, "accept"),
        (SAFARI.format(18), {**PAGE, "accept": ACCEPT_CHROME.format("0.9")}, "accept"),
        (CHROME.format(130), {**PAGE, "accept": ACCEPT_CHROME.format("0.9")}, "accept_until_version"),
    ],
)
def test_contradictions(user_agent: str, headers: dict[str, str], rule: str) -> None:
    """Each rule finds its contradiction, and names itself."""
    found = judge(user_agent, **headers)
    assert found is not None
    assert found.rule == rule


@pytest.mark.parametrize(
    ("user_agent", "headers"),
    [
        # Nothing present is nothing to contradict.
        (CHROME.format(138), {}),
        (FIREFOX.format(140), {}),
        # Right as it is.
        (CHROME.format(138), {"ch_ua": HINTS_138, "ch_platform": '"Windows"', "ch_mobile": "?0"}),
        (CHROME.format(138), {**PAGE, "accept": ACCEPT_CHROME.format("0.7")}),
        (CHROME.format(100), {**PAGE, "accept": ACCEPT_CHROME.format("0.9")}),
        (SAFARI.format(18), {**PAGE, "accept": ACCEPT_PLAIN}),
        # Newer than anything that was observed: unknown.
        (CHROME.format(160), {**PAGE, "accept": ACCEPT_PLAIN}),
        (CHROME.format(160), {**PAGE, "accept": ACCEPT_CHROME.format("0.9")}),
        (SAFARI.format(30), {"accept_encoding": "gzip, deflate, br, zstd"}),
        # Scripts set Accept as they like; a service worker passes a navigation on with an empty destination.
        (CHROME.format(138), {"fetch_mode": "cors", "fetch_dest": "empty", "accept": ACCEPT_PLAIN}),
        (CHROME.format(138), {"fetch_mode": "navigate", "fetch_dest": "empty", "accept": "*/*"}),
        # Forks that hide behind Chrome, brands that nobody knows, hints of other platforms' desktop sites.
        (CHROME.format(138), {"ch_ua": '"Chromium";v="138", "Microsoft Edge";v="138"'}),
        (CHROME.format(138), {"ch_ua": '"Chromium";v="138", "Brave";v="138"'}),
        (
            CHROME.format(138).replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64"),
            {"ch_ua": HINTS_138, "ch_platform": '"Android"'},
        ),
        (CHROME.format(138), {"ch_ua": "nonsense"}),
        # Apps do what they want with the headers of their web views.
        (WEBVIEW, {"ch_ua": HINTS_138, "te": "trailers", "accept": ACCEPT_PLAIN, **PAGE}),
        # No browser named, none to contradict.
        ("curl/8", {"ch_ua": HINTS_138, "te": "trailers"}),
        ("Mozilla/5.0", {"ch_ua": HINTS_138}),
    ],
)
def test_no_contradiction(user_agent: str, headers: dict[str, str]) -> None:
    """What a browser may send, and what is unknown, is no finding."""
    assert judge(user_agent, **headers) is None


def test_the_facts_keep_their_distance() -> None:
    """The generated limits lie before the releases that brought the header (MDN): trials roll out earlier."""
    chromium = RULES["chromium"].not_until
    assert chromium["sec-ch-ua"] < 89
    assert chromium["sec-fetch-mode"] < 76
    assert chromium["sec-fetch-dest"] < 80
    assert chromium["accept-encoding:zstd"] < 123
    assert RULES["gecko"].not_until["accept-encoding:zstd"] < 126
    assert RULES["webkit"].not_until["sec-fetch-mode"] < 16


def test_the_packaged_file_has_every_engine() -> None:
    """The data file is complete: three engines, each with its observed hellos beside the header rules."""
    document = json.loads(resources.files("botsieve").joinpath("data/header_rules.json").read_text())
    assert set(document["engines"]) == {"chromium", "gecko", "webkit"} == set(parse_rules(document))
    assert all(facts["ja4_b"] and "h2" in facts["alpn"] for facts in document["engines"].values())
