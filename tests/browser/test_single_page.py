"""An application that loads no second page, and the few lines that docs/challenge.md gives it."""

from __future__ import annotations

import re
from typing import Any

from tests.conftest import ROOT
from tests.servers import Site


def _lines() -> str:
    """What stands in the page, for an application below `/shop/`."""
    found = re.search(r"\n( {4}async function asked.*?\n {4}\})\n", (ROOT / "docs/challenge.md").read_text(), re.DOTALL)
    assert found
    return found[1].replace("'/'", "'/shop/frame'")


def test_a_call_is_made_again_when_the_check_is_passed(shop: Site, visit: Any) -> None:
    """The refused call is answered, with what it carried; the page stays as it is, and the frame is gone."""
    someone = visit()
    someone.page.goto(f"http://127.0.0.1:{shop.http_port}/app")
    someone.page.evaluate("document.body.append('unsaved')")
    assert someone.page.evaluate("fetch('/shop/data').then(answer => answer.status)") == 403
    told = "asked('/shop/data', {method: 'POST', body: 'x=1'}).then(answer => answer.text())"
    assert "POST /shop/data" in someone.page.evaluate(f"() => {{ {_lines()}; return {told}; }}")
    assert "unsaved" in someone.text()
    assert someone.page.locator("iframe").count() == 0


def test_what_is_no_challenge_is_handed_on(shop: Site, visit: Any) -> None:
    """A refusal stays a refusal, and nothing is asked twice."""
    someone = visit()
    someone.page.goto(f"http://127.0.0.1:{shop.http_port}/app")
    status = someone.page.evaluate(f"() => {{ {_lines()}; return asked('/closed/data').then(answer => answer.status); }}")
    assert status == 403
    assert [url for url in someone.requested if "/closed/" in url or "/frame" in url] == [
        f"http://127.0.0.1:{shop.http_port}/closed/data"
    ]
