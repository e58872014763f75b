"""CrowdSec's Lua bouncer beside our includes, by its example: stood in for always, the real one by `make test-crowdsec`."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from botsieve.cli import main

from tests.nginx.conftest import StandIn
from tests.nginx.crowdsec.bouncer import BAN, CAPTCHA, REAL, STANDIN, lay_out
from tests.nginx.crowdsec.lapi import Lapi
from tests.nginx.neighbours import FOLDER, Example
from tests.nginx.raw import ask
from tests.servers import wait_until

PERSON, BANNED, DOUBTED = "127.0.0.1", "127.0.0.2", "127.0.0.3"
PLACES = ["/", "/account/"]
VERDICTS = ["challenge", "block"]
# The application says what it was told.
APP = """access_by_lua_block { return } client_body_buffer_size 1m; location / { content_by_lua_block {
    ngx.req.read_body()
    ngx.say("app ", ngx.var.http_x_botsieve_verdict or "", " ", ngx.req.get_method(), " ", ngx.req.get_body_data() or "")
} }"""
ITS_FILE = "include  conf.d/crowdsec_nginx.conf;"
PAGE = "page {} 7k3m-9x2q-f4d1-p8wz\n"

Start = Callable[..., Example]


@pytest.fixture(params=[STANDIN, pytest.param(REAL, marks=pytest.mark.crowdsec)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which bouncer."""
    return str(request.param)


@pytest.fixture
def lapi() -> Iterator[Lapi]:
    """The local API with a ban and a captcha."""
    with Lapi({BANNED: "ban", DOUBTED: "captcha"}) as server:
        yield server


@pytest.fixture
def start(kind: str, lapi: Lapi, standin: StandIn, tmp_path: Path) -> Iterator[Start]:
    """Starts the example with the bouncer; further words are lines of its settings."""
    with ExitStack() as stack:

        def begin(*, places: dict[str, str] | None = None, url: str = lapi.url, **settings: str) -> Example:
            lay_out(tmp_path, kind, url, **settings)
            site = Example(tmp_path, "crowdsec", standin.socket, app=APP, lua_folder=tmp_path, places=places)
            return stack.enter_context(site)

        yield begin


class Got:
    """One answer."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.body = answer.read().decode()
        self.location = answer.getheader("Location")
        self.cookies = answer.headers.get_all("Set-Cookie") or []

    def __eq__(self, other: object) -> bool:
        return (self.status, self.body) == other

    def __repr__(self) -> str:
        return repr((self.status, self.body))


def visit(site: Example, who: str, path: str = "/", want: str = "allow", *, post: str | None = None, **headers: str) -> Got:
    """One request from that address of loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30, source_address=(who, 0))
    form = {} if post is None else {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("GET" if post is None else "POST", path, body=post, headers={"X-Want": want, **form, **headers})
    return Got(connection.getresponse())


def told(path: str) -> str:
    """What the application hears of the verdict there."""
    return "allow" if path == "/account/" else ""


def everybody_gets_his_own(site: Example) -> None:
    """A person meets the application, a banned one CrowdSec's ban; whom we refuse sees our page, banned or not."""
    for path in PLACES:
        forged = {"X-Botsieve-Verdict": "forged"} if path == "/account/" else {}
        assert visit(site, PERSON, path, **forged) == (200, f"app {told(path)} GET \n")
        assert visit(site, BANNED, path) == (403, BAN)
        for who in (PERSON, BANNED):
            for verdict in VERDICTS:
                assert visit(site, who, path, verdict) == (403, PAGE.format(verdict))


def questions(standin: StandIn) -> int:
    """How often we were asked so far."""
    return len([seen for seen in standin.seen() if seen["target"] == "/v1/check/nginx"])


def test_live(start: Start, lapi: Lapi, standin: StandIn) -> None:
    """In live mode; CrowdSec is asked only about those whom we allow, and never about our own question."""
    site = start()
    assert visit(site, PERSON, "/", "block") == (403, PAGE.format("block"))
    assert lapi.asked == []
    before = questions(standin)
    everybody_gets_his_own(site)
    assert questions(standin) == before + 2 * 6
    assert {f"GET /v1/decisions?ip={who}" for who in (PERSON, BANNED)} == set(lapi.asked)


def test_stream(start: Start, lapi: Lapi) -> None:
    """In stream mode; a ban that is lifted is over."""
    site = start(MODE="stream")
    wait_until(lambda: visit(site, BANNED) == (403, BAN), at_most_s=60, what="the first list")
    everybody_gets_his_own(site)
    assert lapi.asked[0] == "GET /v1/decisions/stream?startup=true"
    del lapi.decisions[BANNED]
    wait_until(lambda: visit(site, BANNED).status == 200, at_most_s=60, what="the end of the ban")


@pytest.mark.parametrize("mode", ["live", "stream"])
def test_its_api_is_down(mode: str, start: Start, tmp_path: Path) -> None:
    """CrowdSec lets everybody pass, as it does without us; we go on."""
    site = start(MODE=mode, url="http://127.0.0.1:1")
    for path in PLACES:
        assert visit(site, BANNED, path) == (200, f"app {told(path)} GET \n")
        for verdict in VERDICTS:
            assert visit(site, BANNED, path, verdict) == (403, PAGE.format(verdict))


def test_our_service_is_down(start: Start) -> None:
    """Nobody is judged; CrowdSec's bans hold, with its own page or with none."""
    site = start()
    for path in PLACES:
        assert visit(site, PERSON, path, "close").status == 200
        assert visit(site, BANNED, path, "close") == (403, BAN)


def test_a_ban_of_any_form(start: Start, tmp_path: Path) -> None:
    """Without a page of its own nginx's, a status of its own, a redirect: CrowdSec's answer is never taken for ours."""
    site = start(BAN_TEMPLATE_PATH="")
    for path in PLACES:
        for want in ("allow", "close"):
            bare = visit(site, BANNED, path, want)
            assert (bare.status, "<center>nginx" in bare.body) == (403, True), bare


@pytest.mark.parametrize(
    ("settings", "status", "location"),
    [({"BAN_TEMPLATE_PATH": "", "RET_CODE": "404"}, 404, None), ({"REDIRECT_LOCATION": "/sorry"}, 302, "/sorry")],
    ids=["status", "redirect"],
)
def test_a_ban_elsewhere(settings: dict[str, str], status: int, location: str | None, start: Start) -> None:
    """RET_CODE and REDIRECT_LOCATION."""
    site = start(**settings)
    for path in PLACES:
        answer = visit(site, BANNED, path)
        assert answer.status == status
        assert (answer.location or "").endswith(location or "")
    assert visit(site, BANNED, "/", "block") == (403, PAGE.format("block"))


def test_captcha(start: Start) -> None:
    """Whom CrowdSec asks for a captcha and we for a challenge can pass both: first ours, then theirs."""
    # In live mode v1.0.9 of the bouncer lets the first request of such a visitor pass.
    site = start(MODE="stream", SITE_KEY="site", SECRET_KEY="secret", CAPTCHA_PROVIDER="recaptcha")
    wait_until(lambda: visit(site, DOUBTED, "/shop") == (200, CAPTCHA), at_most_s=60, what="the first list")
    assert visit(site, DOUBTED, "/", "challenge") == (403, PAGE.format("challenge"))
    assert visit(site, DOUBTED, "/.botsieve/solve", post="{}").status == 204, "our page's own requests get no captcha"
    assert visit(site, DOUBTED, "/shop") == (200, CAPTCHA)
    assert visit(site, DOUBTED, "/shop", "block") == (403, PAGE.format("block"))
    assert visit(site, DOUBTED, "/.botsieve/solve", post="{}").status == 204
    # The captcha's provider cannot be asked here; the bouncer then believes the visitor.
    solved = visit(site, DOUBTED, "/shop", post="g-recaptcha-response=1")
    assert (solved.status, (solved.location or "").endswith("/shop")) == (302, True)
    for path in PLACES:
        assert visit(site, DOUBTED, path) == (200, f"app {told(path)} GET \n")
        assert visit(site, DOUBTED, path, "challenge") == (403, PAGE.format("challenge"))


def appsec(lapi: Lapi) -> dict[str, str]:
    """The settings for it."""
    return {"APPSEC_URL": lapi.url} | {f"APPSEC_{what}_TIMEOUT": "5000" for what in ("CONNECT", "SEND", "PROCESS")}


def test_appsec(start: Start, lapi: Lapi) -> None:
    """It reads a request's body after our question, and the application gets it whole; what we refuse it is not shown."""
    site = start(**appsec(lapi))
    for path, body in zip(PLACES, ("q=shoes", "q=" + "shoes" * 20_000), strict=True):
        lapi.inspected.clear()
        assert visit(site, PERSON, path, "block", post="union select").body == PAGE.format("block")
        assert lapi.inspected == []
        assert visit(site, PERSON, path, post=body) == (200, f"app {told(path)} POST {body}\n")
        assert lapi.inspected[0][1] == body
        assert visit(site, PERSON, path, post="union select") == (403, BAN)
        lapi.inspected.clear()
        assert visit(site, PERSON, "/.botsieve/solve", post="union select").status == 204
        assert lapi.inspected == [], "what our scripts send is not the application's"


def test_internal_requests_too(start: Start, lapi: Lapi) -> None:
    """ENABLE_INTERNAL changes nothing: the hop to our page is not the bouncer's."""
    site = start(ENABLE_INTERNAL="true")
    assert visit(site, BANNED, "/", "block") == (403, PAGE.format("block"))
    assert lapi.asked == []
    everybody_gets_his_own(site)


@pytest.mark.parametrize("internal", ["false", "true"])
def test_rewritten_requests(internal: str, start: Start) -> None:
    """By default the bouncer does not look at what a `rewrite` has touched, and ENABLE_INTERNAL mends that; we judge it always."""
    site = start(places={"location / {": "rewrite ^/old /new last; location / {"}, ENABLE_INTERNAL=internal)
    assert visit(site, BANNED, "/new") == (403, BAN)
    assert visit(site, BANNED, "/old").status == (200 if internal == "false" else 403)
    for verdict in VERDICTS:
        assert visit(site, PERSON, "/old", verdict) == (403, PAGE.format(verdict))


def test_crowdsec_first(start: Start, standin: StandIn) -> None:
    """access_by_lua_no_postpone: whom CrowdSec bans we are not asked about.  Only beside protect.conf."""
    site = start(places={ITS_FILE: f"{ITS_FILE} access_by_lua_no_postpone on;"})
    before = questions(standin)
    for want in ("allow", *VERDICTS):
        assert visit(site, BANNED, "/", want) == (403, BAN)
    assert questions(standin) == before
    assert visit(site, PERSON) == (200, "app  GET \n")
    for verdict in VERDICTS:
        assert visit(site, PERSON, "/", verdict) == (403, PAGE.format(verdict))
    assert questions(standin) == before + 3


def test_its_file_may_stand_first(start: Start) -> None:
    """conf.d is read in the order of names: the bouncer's file before ours, as after."""
    ours = "include  botsieve/http.conf;\n"
    site = start(places={f"{ours}    {ITS_FILE}": f"{ITS_FILE}\n    {ours}"})
    everybody_gets_his_own(site)


def test_over_tls(start: Start, lapi: Lapi) -> None:
    """HTTPS with server-tls.conf: our Lua in the handshake, theirs in the request; HTTP/2 with a body for AppSec too."""
    listen = "listen 443 ssl http2; ssl_certificate /etc/ssl/shop.pem; ssl_certificate_key /etc/ssl/shop.key;"
    site = start(places={"listen   80;": listen, "botsieve/server.conf;": "botsieve/server-tls.conf;"}, **appsec(lapi))
    for path in PLACES:
        assert ask(site.port, path, "X-Want: allow", tls=True).body.decode() == f"app {told(path)} GET \n"
        for verdict in VERDICTS:
            assert ask(site.port, path, f"X-Want: {verdict}", tls=True).body.decode() == PAGE.format(verdict)
        with httpx.Client(verify=False, http2=True, timeout=30) as client:
            url = f"https://localhost:{site.port}{path}"
            answer = client.post(url, content="q=shoes")
            assert (answer.http_version, answer.text) == ("HTTP/2", f"app {told(path)} POST q=shoes\n")
            assert client.post(url, content="union select").text == BAN
            assert client.post(url, content="union select", headers={"X-Want": "block"}).text == PAGE.format("block")


def test_after_a_reload(start: Start) -> None:
    """init_by_lua runs anew; both go on."""
    site = start()
    old = site.worker_pids()
    site.popen.send_signal(1)
    wait_until(lambda: site.worker_pids() and not set(site.worker_pids()) & set(old), at_most_s=60, what="new workers")
    everybody_gets_his_own(site)


# ---- what a user writes by mistake

ACCOUNT = re.findall(r"^( +location /account/ \{.*?^        \}\n)", (FOLDER / "crowdsec.conf").read_text(), re.M | re.S)[0]


def named(site: Example, capsys: pytest.CaptureFixture[str]) -> str:
    """What `botsieve nginx check` says of the running configuration."""
    capsys.readouterr()
    main(["nginx", "check", str(site.conf)])
    return capsys.readouterr().out


def test_check_finds_nothing_in_the_example(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """It is how to do it."""
    assert named(start(), capsys) == "nothing found\n"


def test_a_lost_bouncer(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """protect-app.conf below CrowdSec's file: banned visitors get in there, and `nginx check` says so."""
    plain = "location /account/ { include botsieve/protect-app.conf; proxy_pass http://127.0.0.1:8000; }\n"
    site = start(places={ACCOUNT: plain})
    assert visit(site, BANNED, "/") == (403, BAN)
    assert visit(site, BANNED, "/account/") == (200, "app allow GET \n")
    assert re.search(
        r"access_by_lua of \S+/crowdsec_nginx.conf:\d+ no longer runs for visitors of `location /account/`", named(site, capsys)
    )


def test_the_wrong_order(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """The bouncer's call ends the block: below it the application would believe made-up verdicts, and `nginx check` says so."""
    ours, theirs = re.findall(r"^ +require\(.*\n", ACCOUNT, re.M)
    site = start(places={ours + theirs: theirs + ours})
    assert visit(site, PERSON, "/account/", **{"X-Botsieve-Verdict": "forged"}) == (200, "app forged GET \n")
    assert "X-Botsieve-*" in named(site, capsys)
