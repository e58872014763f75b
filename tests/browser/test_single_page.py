"""An application that loads no second page, and the few lines that docs/challenge.md gives it."""

from __future__ import annotations

import grp
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CONFIG, FORM
from tests.conftest import ROOT
from tests.servers import ServiceProcess, Site


def _lines(name: str = "asked") -> str:
    """What stands in the page, for an application below `/shop/`."""
    page = (ROOT / "docs/challenge.md").read_text()
    found = re.search(rf"\n( {{4}}async function {name}\(.*?\n {{4}}\}})\n", page, re.DOTALL)
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


# What nginx/examples/other-origin.conf has in its server.
_CORS = """
if ($http_origin ~ "^http://www[.]shop[.]localhost:[0-9]+$") { set $allowed_origin $http_origin; }
add_header Access-Control-Allow-Origin $allowed_origin always;
add_header Access-Control-Allow-Credentials true always;
add_header Access-Control-Allow-Headers Content-Type always;
add_header Vary Origin always;
"""


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[Site]:
    """One nginx for www.shop.localhost and api.shop.localhost, whose answers pages of www may read."""
    with tempfile.TemporaryDirectory(prefix="botsieve-") as name:
        folder = Path(name)
        (folder / "state").mkdir()
        (folder / "site").mkdir()
        group = grp.getgrgid(os.getegid()).gr_name
        config = folder / "botsieve.yaml"
        config.write_text(CONFIG.format(socket=folder / "check.sock", state=folder / "state", group=group))
        app = f"default_type text/html; return 200 '{FORM}';"
        preflight = "if ($request_method = OPTIONS) { return 204; }"
        locations = f"location / {{ PROTECT {preflight} TO_APP }}"
        with (
            ServiceProcess(config),
            Site(folder / "site", folder / "check.sock", app=app, server=_CORS, locations=locations, patient=True) as running,
        ):
            yield running


def test_a_call_to_another_host_of_the_site(two_hosts: Site, visit: Any) -> None:
    """Refused, with a document that the script can read; then the frame of that host passes the check, and the call is made again."""
    someone = visit()
    api = f"http://api.shop.localhost:{two_hosts.http_port}"
    someone.page.goto(f"http://www.shop.localhost:{two_hosts.http_port}/app")
    someone.page.evaluate("document.body.append('unsaved')")
    plain = f"fetch('{api}/shop/data', {{credentials: 'include'}})"
    assert someone.page.evaluate(f"{plain}.then(answer => answer.json()).then(told => told.code)") == "botsieve_challenge"
    options = "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}"
    told = f"askedOf('{api}', '/shop/data', {options}).then(answer => answer.text())"
    assert "POST /shop/data" in someone.page.evaluate(f"() => {{ {_lines('askedOf')}; return {told}; }}")
    assert "unsaved" in someone.text()
    assert someone.page.locator("iframe").count() == 0
    assert someone.page.evaluate(f"{plain}.then(answer => answer.status)") == 200


def test_another_site_s_page_cannot_frame_it(two_hosts: Site, visit: Any) -> None:
    """Neither shown nor solved there: no cookie comes of it."""
    someone = visit()
    api = f"http://api.shop.localhost:{two_hosts.http_port}"
    someone.page.goto(f"http://other.localhost:{two_hosts.http_port}/app")
    load = "frame => new Promise(done => { frame.onload = done; document.body.append(frame); })"
    someone.page.evaluate(f"({load})(Object.assign(document.createElement('iframe'), {{src: '{api}/shop/x'}}))")
    someone.page.wait_for_timeout(1000)
    assert not [url for url in someone.requested if url.endswith("/.botsieve/solve")]
    assert someone.context.cookies(api) == []
