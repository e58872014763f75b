"""Everything that a visitor can send to the check and to our own paths, with everything switched on: no fault of ours, ever.

Law of the file: a sequence of hostile and of valid requests, cookies, tokens and reports against one service; what broke is told by the
journal, as in operation.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from botsieve.challenge.device_script import wanted_by
from botsieve.transports.http import NginxEdge
from botsieve.transports.http_readers import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transports.edge_harness import CURL, PERSON, Service, at, check
from tests.transports.wire import Reply, only_reply
from tests.unit.challenge.hands import movement, press

CONFIG = """
policies:
  - {name: shop, mode: enforce, audience: browser, preset: strict, paths: [/shop/]}
  - {name: api, mode: enforce, audience: api, preset: strict, challenge: none, paths: [/api/]}
  - {name: rest, mode: monitor, preset: strict}
detectors:
  surfing.rapid: {action: block, pages: 2, refreshes: 3, prevention_s: 30}
  human.interaction: {action: block, grace: 3, safe: 4, unsafe: 2}
  sessions.opening: {action: block, minimum_per_s: 0.2, reached_per_s: 0.5, prevention: [integrity, rate_limit]}
  sessions.resets: {action: block, integrity_faults: 1, cookie_deletions: 1}
  sessions.transactions: {action: block, minimum: 3, reached: 5, sessions_at_least: 10}
  browser.suspicious: {action: block, extensions: ['Scraper = chrome-extension://abcdefghijklmnopabcdefghijklmnop/a.js']}
edges:
  nginx: {listen: "127.0.0.1:1", trusted: [127.0.0.0/8], deadline_ms: 1000}
web: {listen: null}
"""
OWN = ("e", "d", "feedback", "solve", "wait", "b.js", "f.js", "c.js")
FORM, JSON, TEXT = "application/x-www-form-urlencoded", "application/json", "text/plain;charset=UTF-8"
HAND = json.dumps(movement() + press()).encode()
_texts = st.text(max_size=40) | st.sampled_from(["", "A" * 72, "AQ" * 36, "\0", "\x1b[2J", "=1+1", "\ud7ff", "%s%n"])
_bytes = st.binary(max_size=80) | st.sampled_from([b"", b"\xff" * 9, b"[" * 3000, b"\n0\n[]", b'{"id":1}', b"id=" + b"a" * 90])
_word = st.sampled_from(
    [
        "get /",
        "get /shop/1",
        "get /api/items/1?_=5",
        "own",
        "token",
        "hand",
        "device",
        "feedback",
        "forget",
        "later",
        "pause",
        "turn",
    ]
)


class Visitor:
    """Sends requests to one service, keeps its cookies, and may show them damaged or those of others."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.edge = NginxEdge(
            service.service, msgspec.structs.replace(service.settings("nginx"), deadline_ms=60_000), "/.botsieve/"
        )
        self.jar: dict[str, str] = {}
        self.token, self.number, self.shown = b"", 0, ""

    def headers(self, draw: st.DataObject, **more: str) -> dict[str, str]:
        sent = dict(draw.draw(st.sampled_from([PERSON, PERSON, CURL])))
        sent |= {"Sec-Fetch-Site": "same-origin", "Origin": "https://shop.example"}
        cookies = [f"{name}={draw.draw(_damaged(value))}" for name, value in self.jar.items()]
        if draw.draw(st.booleans()):
            cookies.append("__Host-botsieve_" + draw.draw(st.sampled_from("csdt")) + "=" + _latin(draw.draw(_texts)))
        sent["Cookie"] = "; ".join([*cookies, "botsieve_t=1"])
        if draw.draw(st.booleans()):
            sent["Referer"] = draw.draw(
                st.sampled_from(["https://shop.example/shop/9", "https://shop.example/api/", "http://[::", "x"])
            )
        return sent | more

    def ask(self, request: Request) -> Reply:
        reply = only_reply(self.edge.route(request))  # not `handle`, which would answer for a fault of ours
        assert reply.status < 500, reply
        for cookie in reply.all("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar[name] = value
        return reply

    def check(self, uri: str, headers: dict[str, str], client: str) -> None:
        reply = self.ask(check(uri, headers, Client_Addr=client, Peer_Addr=client))
        assert reply.status == (200 if reply.verdict == "allow" else 403)
        assert reply.verdict in ("allow", "challenge", "block")
        if self.service.engine.rulebook.paused:
            assert (reply.verdict, reply.all("X-Botsieve-Hold")) == ("allow", [])
        if reply.status == 403:
            self.shown = reply.one("X-Botsieve-Id")
            shown = at(
                "/v1/page", check(uri, headers, Client_Addr=client, Peer_Addr=client), Verdict=reply.verdict, Id=self.shown
            )
            assert self.ask(shown).status in (403, 429)

    def own(self, name: str, headers: dict[str, str], client: str, body: bytes | None = None) -> Reply:
        method = "GET" if body is None else "POST"
        asked = check("/.botsieve/" + name, headers, Client_Addr=client, Peer_Addr=client, Method=method)
        return self.ask(at("/.botsieve/" + name, asked, method=method, body=body or b""))


def _latin(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")


def _damaged(value: str) -> st.SearchStrategy[str]:
    return st.sampled_from([value, value, value, value, value[:-1], "A" + value[1:], value + "A", value.swapcase()])


def _report(draw: st.DataObject, jar: dict[str, str]) -> bytes:
    """What the script of device and browser posts, more or less."""
    copy = st.just(jar.get("__Host-botsieve_d", "")).flatmap(_damaged) | _texts
    marks = st.lists(st.sampled_from(["webdriver", "globals", "frame", "worker", "nothing"]), max_size=6)
    report: dict[str, Any] = {"local": draw.draw(copy), "indexed": draw.draw(copy), "marks": draw.draw(marks)}
    report |= {"fingerprint": draw.draw(st.sampled_from(["", "0" * 32, "f" * 32, "g" * 32])), "agent": draw.draw(_texts)}
    report |= {"languages": draw.draw(st.lists(_texts, max_size=3)), "platform": draw.draw(_texts)}
    report["extensions"] = draw.draw(st.lists(st.sampled_from(["Scraper", "", "x" * 64]), max_size=2))
    return json.dumps(report).encode()


def _step(draw: st.DataObject, visitor: Visitor) -> None:
    service, word = visitor.service, draw.draw(_word)
    client = draw.draw(st.sampled_from(["203.0.113.7", "203.0.113.7", "203.0.113.8", "2001:db8::7", "198.51.100.1"]))
    headers = visitor.headers(draw)
    if word.startswith("get "):
        for number in range(draw.draw(st.integers(1, 5))):
            visitor.check(word[4:] + draw.draw(st.sampled_from(["", str(number)])), headers, client)
    elif word == "own":
        body = draw.draw(st.none() | _bytes)
        visitor.own(
            draw.draw(st.sampled_from(OWN)),
            headers | {"Content-Type": draw.draw(st.sampled_from([FORM, JSON, TEXT]))},
            client,
            body,
        )
    elif word == "token":
        visitor.token, visitor.number = visitor.own("e", headers, client).body, 0
    elif word == "hand":
        events = draw.draw(st.sampled_from([HAND, b"[]", b"[[0,1,1],[2,0]]"]) | _bytes)
        visitor.own("e", headers, client, b"%b\n%d\n%b" % (visitor.token, visitor.number, events))
        visitor.number += draw.draw(st.integers(-1, 2)) if visitor.number else 1
    elif word == "device":
        visitor.own("d", headers | {"Content-Type": JSON}, client, _report(draw, visitor.jar))
    elif word == "feedback":
        visitor.own("feedback", headers | {"Content-Type": FORM}, client, b"id=" + visitor.shown.encode())
    elif word == "forget":
        visitor.jar.clear()
    elif word == "later":
        service.now += draw.draw(st.sampled_from([0.1, 1.0, 40.0, 400.0, 4000.0]))
        service.engine.attacks.preventions.sweep(service.now)
    elif word == "pause":
        service.service.set_paused(not service.engine.rulebook.paused)
    else:  # a reload turns one policy's mode over
        policies = [
            msgspec.structs.replace(policy, mode="monitor" if policy.mode == "enforce" else "enforce")
            for policy in service.engine.rulebook.policies
        ]
        service.service.apply(msgspec.structs.replace(service.engine.rulebook, policies=tuple(policies)))


@pytest.fixture(scope="module")
def everything_on(tmp_path_factory: pytest.TempPathFactory) -> Service:
    made = Service(tmp_path_factory.mktemp("hostile"), CONFIG)
    wanted = wanted_by(made.loaded.rulebook.policies, "/.botsieve/", copies=True, fingerprint=True)
    assert wanted.marks
    assert wanted.probes
    made.desk.device.apply(wanted, made.desk.clearances.keys, 7200)
    made.engine.devices, made.engine.browsers = made.desk.device.devices, made.desk.device.browsers
    made.engine.attacks.collector_injected = True
    return made


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_sequence_of_requests_is_a_fault_of_ours(everything_on: Service, data: st.DataObject) -> None:
    """No exception in a decision, a threshold or a path of ours; a check is answered by a verdict; a pause lets everybody pass."""
    service, visitor = everything_on, Visitor(everything_on)
    for _ in range(data.draw(st.integers(1, 25))):
        _step(data, visitor)
    assert service.unjudged() == {}
    assert service.engine._failures == 0
