"""detectors/tls.py: a tool's fingerprint where browsers are expected."""

from __future__ import annotations

import pytest
from botsieve.detectors.catalogue import Catalogue
from botsieve.detectors.settings import SuspiciousJa3
from botsieve.detectors.tls import suspicious_ja3
from botsieve.observation import pack_address

from tests.evidence import observe, view_of

CATALOGUE = Catalogue.builtin()
EPIPHANY = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"
WEBVIEW = "Mozilla/5.0 (Linux; Android 14; K; wv) AppleWebKit/537.36 Version/4.0 Chrome/150.0 Mobile Safari/537.36"


def reason(name: str, user_agent: str = "", settings: SuspiciousJa3 | None = None, **facts: object) -> str:
    row = CATALOGUE.row(name)
    given = {"ja3": row.ja3.encode(), "ja4": row.ja4.encode(), "tls_sig": row.tls_sig.encode(), **facts}
    o = observe({"user-agent": user_agent}, **given)
    signal = suspicious_ja3(o, view_of(o), settings or SuspiciousJa3())
    return f"{signal.points} {signal.reason}" if signal else ""


@pytest.mark.parametrize(
    "name", ["curl-7.88", "python-requests-2.34", "go-1.19", "node-20", "okhttp-5", "java-17", "wget-1.21"]
)
def test_tools(name: str) -> None:
    """A recorded tool gives the seed's 30 points and the first 16 digits of its JA3 [S1-22]."""
    assert reason(name) == f"30 suspicious_ja3:{CATALOGUE.row(name).ja3[:16]}"


def test_browsers_and_unknown_are_neutral() -> None:
    """A browser's hello, one that nobody recorded, and none at all give nothing."""
    assert reason("chromium-156") == ""
    assert reason("firefox-153") == ""
    assert reason("curl-7.88", ja3=b"0" * 32, ja4=b"t13d9912h2_000000000000_111111111111", tls_sig=b"") == ""
    assert reason("curl-7.88", ja3=b"", ja4=b"", tls_sig=b"") == ""


def test_the_fingerprint_of_a_balancer_is_nobody_s() -> None:
    """Where somebody else opened the connection the fingerprint is not held against the client."""
    assert reason("go-1.19", peer=pack_address("198.51.100.1")) == ""


def test_the_operator_s_list() -> None:
    """Digests that the operator adds count, in any case."""
    own = SuspiciousJa3(ja3_list=("AB" * 16,))
    assert reason("chromium-156", settings=own, ja3=b"ab" * 16) == "30 suspicious_ja3:" + "ab" * 8
    assert reason("chromium-156", settings=own, ja3=b"cd" * 16) == ""


def test_browsers_that_stand_on_a_tool_s_library() -> None:
    """WebKitGTK has GnuTLS and Android's web views the app's own client; Safari has neither."""
    assert reason("gnutls-3.7", EPIPHANY) == ""
    assert reason("okhttp-5", WEBVIEW) == ""
    assert reason("gnutls-3.7", SAFARI) != ""
    assert reason("curl-7.88", WEBVIEW) != ""
