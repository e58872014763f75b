"""The example that puts our script into pages: one request per verdict, the tag in each way, our own page without it."""

from __future__ import annotations

import gzip

import pytest

from tests.nginx.raw import ask
from tests.nginx.test_examples import PAGE, Start, start  # noqa: F401 - the fixture

TAG = '<script src="/.botsieve/b.js" defer></script>'
NONCED = '<script src="/.botsieve/b.js" defer nonce="n0nce"></script>'
APP = """
    location / {
        default_type text/html;
        add_header Content-Security-Policy "script-src 'nonce-n0nce'";
        return 200 "<html><head></head>$http_accept_encoding $http_x_botsieve_verdict</html>";
    }
"""


@pytest.mark.parametrize(("path", "tag", "verdict"), [("/", TAG, ""), ("/account/", NONCED, ""), ("/desk/", NONCED, "allow")])
def test_script_in_pages(start: Start, path: str, tag: str, verdict: str) -> None:  # noqa: F811
    """Allow: the page with the tag, packed for the visitor, plain from the application.  Challenge and block: ours alone."""
    site = start("script-in-pages", app=APP)
    answer = ask(site.port, path, "X-Want: allow", "Accept-Encoding: gzip")
    assert (answer.status, answer.all("Content-Encoding")) == (200, ["gzip"])
    body = answer.body
    if "chunked" in answer.all("Transfer-Encoding"):
        size, _, body = body.partition(b"\r\n")
        body = body[: int(size, 16)]
    assert gzip.decompress(body).decode() == f"<html><head>{tag}</head> {verdict}</html>"
    for refused in ("challenge", "block"):
        answer = ask(site.port, path, f"X-Want: {refused}")
        assert (answer.status, answer.body.decode()) == (403, PAGE.format(refused))
