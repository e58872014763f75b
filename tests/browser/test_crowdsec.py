"""A person behind CrowdSec's bouncer and us: a real browser, real nginx, the real service; the bouncer stood in for, and real by
`make test-crowdsec`."""

from __future__ import annotations

import grp
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CONFIG
from tests.nginx.crowdsec.bouncer import REAL, STANDIN, lay_out
from tests.nginx.crowdsec.lapi import Lapi
from tests.nginx.neighbours import Example
from tests.servers import ServiceProcess, wait_until

# What a provider's captcha comes down to: the visitor posts a word of the provider to the page that he asked for.
CAPTCHA = (
    "<!doctype html><p>captcha</p><form method=post><input name=g-recaptcha-response value=1><button>here</button></form>\n"
)

Start = Callable[..., Example]


@pytest.fixture(params=[STANDIN, pytest.param(REAL, marks=pytest.mark.crowdsec)])
def site(request: pytest.FixtureRequest) -> Iterator[Start]:
    """The example with the bouncer, whose API wants `decision` for this machine, and the service, which challenges in /shop/."""
    with ExitStack() as stack:

        def begin(decision: str) -> Example:
            # A short name: a socket's address holds 107 bytes.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="botsieve-")))
            socket, state = folder / "check.sock", folder / "state"
            state.mkdir()
            group = grp.getgrgid(os.getegid()).gr_name
            (folder / "botsieve.yaml").write_text(CONFIG.format(socket=socket, state=state, group=group))
            (folder / "form.html").write_text(CAPTCHA)
            lapi = stack.enter_context(Lapi({"127.0.0.1": decision}))
            keys = {"SITE_KEY": "site", "SECRET_KEY": "secret", "CAPTCHA_PROVIDER": "recaptcha"}
            page = {"CAPTCHA_TEMPLATE_PATH": str(folder / "form.html")}
            lay_out(folder, request.param, lapi.url, MODE="stream", **keys, **page)
            stack.enter_context(ServiceProcess(folder / "botsieve.yaml"))
            app = "access_by_lua_block { return } location / { default_type text/html; return 200 'app $request_uri'; }"
            return stack.enter_context(Example(folder, "crowdsec", socket, app=app, lua_folder=folder))

        yield begin


def test_a_challenge_and_a_captcha(site: Start, visit: Any) -> None:
    """Who gets both passes both: our page solves itself, theirs is answered, and the shop opens, also for the next pages."""
    running, someone = site("captcha"), visit()
    url = f"http://127.0.0.1:{running.port}"
    wait_until(lambda: someone.page.goto(f"{url}/") and "captcha" in someone.text(), at_most_s=60, what="CrowdSec's first list")
    answer = someone.page.goto(f"{url}/shop/shoes")
    assert answer.status == 403, "ours first"
    someone.wait_for("captcha")
    someone.page.get_by_role("button").click()
    someone.wait_for("app /shop/shoes")
    assert someone.page.goto(f"{url}/shop/other").status == 200
    assert someone.text() == "app /shop/other"
    assert someone.complaints == []


def test_a_ban(site: Start, visit: Any) -> None:
    """Who is banned and solves our challenge sees the ban."""
    running, someone = site("ban"), visit()
    url = f"http://127.0.0.1:{running.port}"
    wait_until(lambda: someone.page.goto(f"{url}/") and "banned" in someone.text(), at_most_s=60, what="CrowdSec's first list")
    someone.page.goto(f"{url}/shop/shoes")
    someone.wait_for("banned by crowdsec")
