"""Reads case files (docs/cases.md): requests as the edge saw them, and the decision that is expected on the last.

Law of the file: a case with a key that nobody knows is refused; a misspelled expectation must not pass in silence.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import DELIVERS_COOKIE, SEES_ALL_HEADERS, SEES_TLS, Observation, make_observation, pack_address
from ruamel.yaml import YAML

from tests.cases.devices import REPORTS as DEVICE_REPORTS

HERE = Path(__file__).parent
# What `report` may say of a page: what its script saw of a hand, that the script is in every page, that one has opened.
PAGE_REPORTS = ("regular", "irregular", "injected", "opened")
# What a browser and the script in its pages may do just before a request (script.py): a word, or a word with what it is about.
STEPS = ("opens", "hand", "again", "finds", "loses", "tampers", "copies", "says_human")
Step = str | dict[str, Any]


class Repeat(msgspec.Struct, forbid_unknown_fields=True):
    """`times` requests, `every_s` apart (a list: these intervals, over and over).  What `{n}` and `{c}` become: docs/cases.md."""

    times: int
    every_s: float | list[float]
    first: int = 1
    step: int = 1
    addresses: int = 1


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of `requests`: the keys of docs/access-log.md, and `at_s`, `tls`, `headers`, `browser`, `report`, `dns`, `listed`,
    `where`, `does`, `repeat`."""

    method: str
    uri: str
    headers: dict[str, str]
    at_s: float = 0.0
    client: str = "203.0.113.7"
    peer: str = ""
    host: str = ""
    scheme: str = "https"
    http: str = ""
    tls: str = ""
    request_id: str = ""
    browser: str = ""
    report: str = ""
    dns: str = ""
    listed: str = ""
    where: str = ""
    does: list[Step] = []
    repeat: Repeat | None = None


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """What the last request must get.  None: not looked at.  `answers`: the statuses of what its script did just before."""

    verdict: str
    score: int | None = None
    reasons: list[str] | None = None
    level: str | None = None
    rule: str | None = None
    attacks: list[str] | None = None
    measures: dict[str, list[float]] | None = None
    answers: list[int] | None = None


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """`policy`: keys of the policy beside name, mode and audience.  `settings`: other sections.  `why`: for the reader."""

    name: str
    requests: list[Written]
    expect: dict[str, Expected]
    policy: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    why: str = ""


class Asked(NamedTuple):
    """One request of a case, laid out in time.  Text is Latin-1.

    `browser`: who keeps cookies under that name, "" for nobody.  `report`: what the collector of its pages said just before.
    `dns`: what DNS said just before of those who name a crawler; "": there is no DNS.
    `listed`: category and action of the list of bad addresses on which the client stands from now on, "" for no change.
    `where`: country and network (ASN) of the client, as databases tell from now on, "" for no change.
    `does`: what its browser and the script in its page do just before.
    """

    at_s: float
    method: str
    uri: str
    headers: dict[str, str]
    client: str
    peer: str
    scheme: str
    http: str
    request_id: str
    ja3: str
    ja4: str
    tls_sig: str
    browser: str
    report: str
    dns: str
    listed: str
    where: str
    does: tuple[Step, ...]

    def observation(self, start_s: float, host: str) -> Observation:
        """As the engine is told of it."""
        return make_observation(
            client=pack_address(self.client),
            peer=pack_address(self.peer) if self.peer else b"",
            method=self.method.encode(),
            uri=self.uri.encode("latin-1"),
            headers={name.lower().encode(): value.encode("latin-1") for name, value in self.headers.items()},
            edge_time_s=start_s + self.at_s,
            host=host.encode(),
            scheme=self.scheme.encode(),
            http=self.http.encode(),
            request_id=self.request_id.encode(),
            ja3=self.ja3.encode(),
            ja4=self.ja4.encode(),
            tls_sig=self.tls_sig.encode(),
            sight=SEES_ALL_HEADERS | SEES_TLS | DELIVERS_COOKIE,
        )


def read_cases(path: Path) -> list[Case]:
    """The cases of one file.  Errors: msgspec.ValidationError, with the place, for another form."""
    cases = msgspec.convert(YAML(typ="safe", pure=True).load(path.read_text()), list[Case])
    for case in cases:
        checked(case)
    return cases


def checked(case: Case) -> None:
    """Words and audiences that there are.  Errors: AssertionError."""
    assert case.requests, case.name
    assert set(case.expect) <= {"browser", "mixed", "api"}, case.name
    assert case.expect, case.name
    assert {written.dns for written in case.requests} <= {"", "asked", "verified", "refuted", "unanswered"}, case.name
    for written in case.requests:
        words = [step if isinstance(step, str) else next(iter(step)) for step in written.does]
        assert set(words) <= set(STEPS), (case.name, words)
        assert written.browser or not words, (case.name, "only a browser does something")
    assert {written.report for written in case.requests} <= {"", *PAGE_REPORTS, *DEVICE_REPORTS}, case.name


def laid_out(case: Case) -> list[Asked]:
    """Every request of a case in the order of time; equal times keep the order of the file."""
    asked = [one for written in case.requests for one in _repeated(written)]
    return sorted(asked, key=lambda one: one.at_s)


def _repeated(written: Written) -> list[Asked]:
    repeat = written.repeat
    if repeat is None:
        return [_asked(written, written.at_s, 1, 1)]
    every_s = repeat.every_s if isinstance(repeat.every_s, list) else [repeat.every_s]
    at_s = written.at_s
    asked = []
    for turn in range(repeat.times):
        asked.append(_asked(written, round(at_s, 3), repeat.first + turn * repeat.step, turn % repeat.addresses + 1))
        at_s += every_s[turn % len(every_s)]
    return asked


def _asked(written: Written, at_s: float, n: int, c: int) -> Asked:
    row = Catalogue.builtin().row(written.tls) if written.tls else None
    client = written.client.replace("{n}", str(n)).replace("{c}", str(c))
    ipaddress.ip_address(client)
    return Asked(
        at_s,
        written.method,
        written.uri.replace("{n}", str(n)).replace("{x}", str(n * n * 7 + 13)),
        {name: value.replace("{n}", str(n)) for name, value in written.headers.items()},
        client,
        written.peer,
        written.scheme,
        written.http,
        written.request_id,
        row.ja3 if row else "",
        row.ja4 if row else "",
        (row.tls_sig or row.ja4) if row else "",
        written.browser.replace("{n}", str(n)).replace("{c}", str(c)),
        written.report,
        written.dns,
        written.listed,
        written.where,
        tuple(written.does),
    )
