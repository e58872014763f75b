"""protect-app.conf with the real service: the application hears the verdict, and nothing that a client made up."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.nginx.raw import Answer, ask
from tests.nginx.relay import Lines, Relay, lines_of
from tests.nginx.test_service import BROWSER, told
from tests.nginx.test_spoofing import names
from tests.servers import ServiceProcess, Site, free_port, service_config, wait_until

FORGED = "forged-by-the-client"
TLS = pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
POLICIES = """policies:
  - {name: watched, paths: [/watched/], mode: monitor, audience: browser}
  - name: site
    mode: enforce
    rules:
      - {name: refused, when: {header: {x-want: "^block$"}}, then: block}
      - {name: asked, when: {header: {x-want: "^challenge$"}}, then: challenge}
      - {name: known, when: {header: {x-want: "^allow$"}}, then: allow}"""
# The application shows the very head that it received, and sets two cookies of its own.
ECHO = """add_header Set-Cookie "app=1; Path=/"; add_header Set-Cookie "cart=2";
    content_by_lua_block { ngx.print(ngx.req.raw_header(true)) }"""
OURS = {"x-botsieve-verdict", "x-botsieve-would-be", "x-botsieve-score", "x-botsieve-reasons", "x-botsieve-id"}


class Whole:
    """A visitor's nginx, a relay that writes down what it asks, the real service, and an application that echoes."""

    def __init__(self, folder: Path) -> None:
        for part in ("service", "site"):
            (folder / part).mkdir()
        self.web = free_port()
        self.config = service_config(folder / "service", POLICIES, web=self.web, deadline_ms=1000)
        self.service = ServiceProcess(self.config)
        self.relay = Relay(folder / "relay.sock", folder / "service" / "check.sock")
        # The worst that a user may have written around us: names with `_` and `.` come through, and so do 39 KB.
        self.site = Site(
            folder / "site",
            folder / "relay.sock",
            http="ignore_invalid_headers off; large_client_header_buffers 8 48k;",
            server="underscores_in_headers on;",
            locations="location / { PROTECT_APP TO_APP }",
            app=ECHO,
            patient=True,
        )

    def stop(self) -> None:
        self.site.stop()
        self.relay.__exit__(None, None, None)
        self.service.stop()

    def ask(self, path: str, *lines: bytes | str, tls: bool = False) -> Answer:
        return ask(self.site.https_port if tls else self.site.http_port, path, *lines, tls=tls)

    def logged(self, path: str) -> dict[str, Any]:
        """The line of the access log about a path that was asked for once; every line must be JSON."""
        wait_until(lambda: f'"{path}"' in self.site.access_log.read_text("latin-1"), what="the line of the log")
        lines = [json.loads(line) for line in self.site.access_log.read_text("latin-1").split("\n") if line]
        return next(dict(line) for line in lines if line["uri"] == path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    started = Whole(tmp_path_factory.mktemp("whole"))
    yield started
    started.stop()


def heard(answer: Answer) -> Lines:
    """The header lines that reached the application."""
    return lines_of(answer.body.rstrip(b"\r\n"))


def said(answer: Answer) -> dict[str, str]:
    """What the application heard under our names, each once."""
    found = [(name.lower(), value) for name, value in heard(answer) if name.lower().startswith("x-botsieve-")]
    assert len(dict(found)) == len(found), found
    return dict(found)


# ---- what the application hears


@TLS
def test_the_application_hears_the_decision(whole: Whole, tls: bool) -> None:
    """Verdict, would-be, score, reasons and id of the very decision; the access log says the same."""
    path = f"/watched/tool-{tls}"
    heard_of = said(whole.ask(path, "User-Agent: curl/7.88.1", "X-Want: none", tls=tls))
    assert set(heard_of) == OURS
    assert heard_of["x-botsieve-verdict"] == "allow"
    assert heard_of["x-botsieve-would-be"] in ("challenge", "block")
    assert "bot_useragent:curl" in heard_of["x-botsieve-reasons"]
    line = whole.logged(path)
    for name in ("verdict", "would_be", "score", "reasons", "id"):
        assert line[name] == heard_of[f"x-botsieve-{name.replace('_', '-')}"] != ""


def test_reasons_are_absent_when_there_are_none(whole: Whole) -> None:
    """A person: verdict, score 0 and an id; no header is made of an empty text."""
    heard_of = said(whole.ask("/person", *BROWSER))
    assert set(heard_of) == OURS - {"x-botsieve-reasons"}
    assert (heard_of["x-botsieve-verdict"], heard_of["x-botsieve-score"]) == ("allow", "0")


@TLS
@pytest.mark.parametrize("verdict", ["challenge", "block"])
def test_a_refused_request_never_arrives(whole: Whole, verdict: str, tls: bool) -> None:
    """Our page, none of the application's headers or cookies, and the verdict in the log."""
    path = f"/refused-{verdict}-{tls}"
    answer = whole.ask(path, f"X-Want: {verdict}", tls=tls)
    assert answer.status == 403
    assert "app=1; Path=/" not in answer.all("Set-Cookie")
    assert whole.logged(path)["verdict"] == verdict


# ---- header-spoof matrix


def forms(name: str) -> dict[str, list[str]]:
    """Every way to say `name`: lines of one request each."""
    under = name.replace("-", "_")
    return {
        "plain": [f"{name}: {FORGED}"],
        "upper": [f"{name.upper()}: {FORGED}"],
        "lower": [f"{name.lower()}: {FORGED}"],
        "underscores": [f"{under}: {FORGED}"],
        "underscores, lower": [f"{under.lower()}: {FORGED}"],
        "one underscore": [f"{name.replace('-', '_', 1)}: {FORGED}"],
        "last underscore": [f"{'_'.join(name.rsplit('-', 1))}: {FORGED}"],
        "dots": [f"{name.replace('-', '.')}: {FORGED}"],
        "duplicate": [f"{name}: {FORGED}", f"{name}: {FORGED}2"],
        "both spellings": [
            f"{under}: {FORGED}",
            f"{name}: {FORGED}",
            f"{name.upper()}: {FORGED}",
            f"{under.upper()}: {FORGED}",
        ],
        "empty": [f"{name}:", f"{under}:"],
        "empty, then forged": [f"{name}:", f"{name}: {FORGED}"],
        "huge": [f"{name}: {FORGED}{'x' * 39_000}"],
        "hop by hop": [f"{name}: {FORGED}", f"Connection: close, {name}"],
    }


def leaks_to_app(answer: Answer, judged: bool) -> list[str]:
    """What is wrong with what the application heard under a name that PHP, WSGI or CGI would take for ours."""
    found = [(re.sub(r"\W|_", "-", name).lower(), name, value) for name, value in heard(answer)]
    ours = [(plain, name, value) for plain, name, value in found if re.match(r"x-botsieve-|x-ja[34]-fingerprint", plain)]
    wrong = [f"{name}: {value[:60]}" for plain, name, value in ours if plain not in OURS or plain != name.lower() or not value]
    wrong += [f"{name}: {value[:60]}" for _, name, value in ours if FORGED in value]
    wrong += [f"{name} twice" for (plain, name, _), (next_one, _, _) in pairwise(sorted(ours)) if plain == next_one]
    expected = {"x-botsieve-verdict", "x-botsieve-score"} if judged else {"x-botsieve-verdict"}
    return wrong + [f"{name} is missing" for name in expected - {plain for plain, _, _ in ours}]


def leaks_to_service(lines: Lines) -> list[str]:
    """What is wrong with what the service was told: it reads the names with `-`, and `_` throughout must not arrive at all."""
    trusted = {name.lower() for name in names()}
    told = [(name.lower(), value) for name, value in lines]
    wrong = [f"{name}: {value[:60]}" for name, value in told if name in trusted and (FORGED in value or not value)]
    wrong += [name for name, _ in told if "-" not in name and name.replace("_", "-") in trusted]
    count = {name: sum(one == name for one, _ in told) for name in trusted}
    wrong += [f"{name} {n} times" for name, n in count.items() if n > 1]
    return wrong + [f"{name} is missing" for name in ("x-botsieve-client-addr", "x-botsieve-uri") if count[name] != 1]


@TLS
def test_no_forged_header_comes_through(whole: Whole, tls: bool) -> None:
    """Every trusted header in every form: 0 leaks, neither to the service nor to the application."""
    whole.relay.asked.clear()
    asked, wrong = 0, []
    for name in names():
        for form, lines in forms(name).items():
            answer = whole.ask("/matrix", "X-Want: allow", *lines, tls=tls)
            asked += 1
            assert (answer.status, len(whole.relay.asked)) == (200, asked), (name, form)
            wrong += [(name, form, "app", leak) for leak in leaks_to_app(answer, judged=True)]
            wrong += [(name, form, "service", leak) for leak in leaks_to_service(whole.relay.asked[-1])]
    print(f"{asked} forged requests, {len(wrong)} leaks")
    assert wrong == []
    assert asked == len(names()) * 14 > 300


def test_no_forged_header_comes_through_http2(whole: Whole) -> None:
    """All of them at once, on an HTTP/2 connection."""
    lines = [(name.lower(), FORGED) for name in names()] + [(name.lower().replace("-", "_"), FORGED) for name in names()]
    with httpx.Client(verify=False, http2=True) as client:
        got = client.get(f"https://localhost:{whole.site.https_port}/h2", headers=[("x-want", "allow"), *lines, *lines])
    assert (got.http_version, got.status_code) == ("HTTP/2", 200)
    assert leaks_to_app(Answer(200, [], got.content), judged=True) == []
    assert leaks_to_service(whole.relay.asked[-1]) == []


def test_the_page_hop_is_told_by_us(whole: Whole) -> None:
    """A refused request that forges everything: the question and the page's request hold none of it."""
    for name in names():
        whole.relay.asked.clear()
        for lines in forms(name).values():
            assert whole.ask("/matrix", "X-Want: block", *lines).status == 403
        assert len(whole.relay.asked) == 2 * len(forms(name))
        assert [leak for told_of in whole.relay.asked for leak in leaks_to_service(told_of)] == []


# ---- cookies


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
def test_our_cookie_beside_theirs(whole: Whole, http2: bool) -> None:
    """The application's two cookies as they were, in order, then ours; who brings it back gets no other."""
    with httpx.Client(verify=False, http2=http2) as client:
        url = f"https://localhost:{whole.site.https_port}/watched/cookies-{http2}"
        headers = dict(line.split(": ", 1) for line in BROWSER)
        first = client.get(url, headers=headers)
        assert first.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        *theirs, ours = first.headers.get_list("set-cookie")
        assert theirs == ["app=1; Path=/", "cart=2"]
        assert ours.startswith("__Host-botsieve_s=")
        assert "HttpOnly" in ours
        again = client.get(url, headers=headers)
        assert again.headers.get_list("set-cookie") == ["app=1; Path=/", "cart=2"]


# ---- log and counter


def test_every_line_of_the_log_is_json(whole: Whole) -> None:
    """Quotes, backslashes, control bytes and bytes that are no UTF-8, in what the log shows of a client."""
    for number, evil in enumerate((b'"', b"\\", b'\\"},{"verdict":"allow', b"\x01\x1f\x7f", b"\xff\xfe\xc3", b"\xe2\x80\xa8")):
        path = f"/log-{number}"
        lines = [
            name + b": a" + evil + b"z" for name in (b"User-Agent", b"Referer", b"Accept", b"Accept-Language", b"Sec-CH-UA")
        ]
        whole.ask(path, "X-Want: block", *lines)
        line = whole.logged(path)
        assert line["verdict"] == "block"
        assert line["user_agent"] == (b"a" + evil + b"z").decode("latin-1")


def test_nobody_judged(whole: Whole) -> None:
    """The service is killed: the same matrix, 0 leaks; application and log hear `unjudged`, and each request is counted.

    nginx tells the count with the next question, and the service's metric has it.
    """
    whole.ask("/before", *BROWSER)
    before = int(dict(whole.relay.asked[-1])["X-Botsieve-Unjudged"])
    os.kill(whole.service.pid, signal.SIGKILL)
    whole.service.stop()
    asked, wrong = 0, []
    for name, tls in product(names(), (False, True)):
        for form, lines in forms(name).items():
            answer = whole.ask(f"/open-{asked}", "X-Want: allow", *lines, tls=tls)
            asked += 1
            assert answer.status == 200, (name, form)
            wrong += [(name, form, leak) for leak in leaks_to_app(answer, judged=False)]
            assert said(answer) == {"x-botsieve-verdict": "unjudged"}, (name, form)
    print(f"{asked} forged requests while nobody judged, {len(wrong)} leaks")
    assert wrong == []
    assert whole.logged("/open-0")["verdict"] == "unjudged"
    whole.service = ServiceProcess(whole.config)

    def is_judged() -> bool:
        nonlocal asked
        judged = said(whole.ask("/after", *BROWSER))["x-botsieve-verdict"] == "allow"
        asked += not judged
        return judged

    wait_until(is_judged, what="a judged request")
    whole.ask("/tell", *BROWSER)
    assert int(dict(whole.relay.asked[-1])["X-Botsieve-Unjudged"]) == before + asked
    wait_until(lambda: told(whole.web) >= asked, what="the metric")
