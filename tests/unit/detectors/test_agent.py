"""detectors/agent.py: what the User-Agent says itself."""

from __future__ import annotations

import pytest
from botsieve.detectors.agent import bot_useragent, known_crawler, no_useragent, printable, token_in
from botsieve.detectors.settings import DEFAULTS, BotUseragent, KnownCrawler, NoUseragent
from botsieve.observation import make_observation
from botsieve.policy import Policy
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import CLIENT, findings, observe, view_of
from tests.unit.rig import Rig, enforcing

SEED = BotUseragent().tokens


def reasons(user_agent: str) -> list[str]:
    return [signal.reason for signal in findings(observe({"user-agent": user_agent}))]


@pytest.mark.parametrize(
    ("user_agent", "reason"),
    [
        ("python-requests/2.34.2", "bot_useragent:python-requests"),
        ("curl/7.88.1", "bot_useragent:curl"),
        ("Wget/1.21.3", "bot_useragent:wget"),
        ("Go-http-client/2.0", "bot_useragent:Go-http-client"),
        ("JAVA/1.8", "bot_useragent:Java/"),
        ("okhttp/5.1.0", "bot_useragent:okhttp"),
        ("axios/1.7.2", "bot_useragent:axios"),
        ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "bot_useragent:node-fetch"),
        ("my curl and wget", "bot_useragent:curl"),
        ("", "no_useragent"),
        ("  ", "no_useragent"),
    ],
)
def test_seed_tokens(user_agent: str, reason: str) -> None:
    """Each of the seed's eight tokens, in any case and anywhere, and no User-Agent: 40 points, one finding [S1-15..17]."""
    found = findings(observe({"user-agent": user_agent}))
    assert [(signal.reason, signal.points) for signal in found] == [(reason, 40)]


def test_absent_where_it_cannot_be_seen_is_no_finding() -> None:
    """A log without User-Agents does not make everybody a nobody."""
    o = make_observation(
        client=CLIENT, method=b"GET", uri=b"/", headers={}, edge_time_s=0.0, headers_seen=frozenset([b"referer"])
    )
    assert no_useragent(o, view_of(o), NoUseragent()) is None


def test_tokens_are_the_operator_s() -> None:
    """Another list finds what it names and nothing else; what it shows is printable."""
    o = observe({"user-agent": "acme,probe/1"})
    own = BotUseragent(tokens=("Acme,Probe",), points=7)
    signal = bot_useragent(o, view_of(o), own)
    assert signal is not None
    assert (signal.reason, signal.points) == ("bot_useragent:Acme_Probe", 7)
    assert bot_useragent(o, view_of(o), BotUseragent(tokens=())) is None


def test_who_posts_does_not_crawl() -> None:
    """Stripe, PayPal and Shopify stand on the list, and deliver what was paid; one that reads counts under each of its methods."""
    stripe = {b"user-agent": b"Stripe/1.0 (+https://stripe.com/docs/webhooks)"}
    for method, points in ((b"POST", 0), (b"GET", 40), (b"HEAD", 40), (b"PUT", 40)):
        rig = Rig(enforcing())
        for at_s in (0.0, 1.0, 2.0):
            rig.ask("/hooks", headers=stripe, at_s=at_s, method=b"GET")
            assert rig.ask("/hooks", headers=stripe, at_s=at_s, method=method).score == points, method


def test_known_crawler() -> None:
    """A crawler that cannot be verified is named; one that can be is left to the verification."""
    assert reasons("Mozilla/5.0 (compatible; MJ12bot/v1.4.4; http://www.majestic12.co.uk/bot.php?+)") == [
        "known_crawler:MJ12bot"
    ]
    assert reasons("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)") == ["known_crawler:AhrefsBot"]
    assert reasons("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)") == []


def test_a_program_is_not_counted_twice() -> None:
    """A crawler whose User-Agent holds a program's token is that program; without the token it is the crawler."""
    user_agent = "Mozilla/5.0 (compatible; MJ12bot/v1.4.4; curl)"
    assert reasons(user_agent) == ["bot_useragent:curl"]
    o = observe({"user-agent": user_agent})
    without = Policy(detectors={**DEFAULTS, "agent.bot_useragent": BotUseragent(tokens=("wget",))})
    signal = known_crawler(o, view_of(o, policy=without), KnownCrawler())
    assert signal is not None
    assert signal.reason == "known_crawler:MJ12bot"


@given(st.binary(max_size=1500), st.lists(st.text(min_size=1, max_size=12), max_size=8))
def test_the_search_is_case_blind_and_anywhere(user_agent: bytes, tokens: list[str]) -> None:
    """Remembered or not, the answer is the first token that stands in the User-Agent."""
    expected = next((token for token in tokens if token.lower().encode() in user_agent[:1024].lower()), "")
    assert token_in(tuple(tokens), user_agent) == expected
    assert token_in(tuple(tokens), user_agent) == expected


@given(st.text(max_size=60))
def test_a_reason_is_printable(token: str) -> None:
    """Whatever an operator writes, the reason is printable ASCII without comma or blank, at most 32 characters."""
    shown = printable(token)
    assert len(shown) <= 32
    assert all("!" <= mark <= "~" and mark != "," for mark in shown)


def test_seed_order() -> None:
    """The list is the seed's, in its order [S1-15]."""
    assert SEED == ("python-requests", "curl", "wget", "Go-http-client", "Java/", "okhttp", "axios", "node-fetch")
