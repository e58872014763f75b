"""The desk that takes the reports of our script: renews the device id, and says what a report shows.

Law of the file: nothing a client sends raises, is slow, or is believed to speak for anybody but its sender.  A report earns nothing,
so there is nothing to gain by repeating one; and the same texts show a fault or deletion once, so that tabs which report together,
and whoever sends a report again, count once.
"""

from __future__ import annotations

import msgspec

from botsieve.challenge.answer import Answer
from botsieve.challenge.binding import prefix_of
from botsieve.challenge.browser_facts import BY_DEVICE, BY_FINGERPRINT, COOKIE_DELETED, INTEGRITY_FAULT, SUSPICIOUS, Fact
from botsieve.challenge.browser_report import MAX_REPORT, BrowserReport, parse_report
from botsieve.challenge.browsers import Browsers
from botsieve.challenge.copies import Found, compare
from botsieve.challenge.device import Device, Devices
from botsieve.challenge.device_script import Wanted, library_answer, script_of
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.limits import PerMinute
from botsieve.challenge.marks import judge_marks
from botsieve.challenge.session import Session
from botsieve.challenge.solution import same_origin
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import Observation
from botsieve.remembered import Bounded
from botsieve.state.hashing import Hasher

# guess: a report a page view; 600 people behind one address who load two pages a minute.
REPORTS_PER_MIN = 1200
# guess: all together; a report costs 60 us, so this is 6 % of a core.
REPORTS_PER_S = 1000
MAX_TOLD = 50_000
# Tabs that report together do so within this time; a text that comes again without its cookie later than that was copied.
_TOGETHER_S = 5.0
_COPIED_AFTER_S = 30.0
COPIED = "copied"
# Set by the script right before it reports.
_TEST_COOKIE = b"botsieve_t=1"

_NO_STORE = (("Cache-Control", "no-store"),)
_JSON = ("Content-Type", "application/json")
_REFUSALS = {
    "off": Answer(404, _NO_STORE),
    "cross_site": Answer(403, _NO_STORE),
    "too_large": Answer(413, _NO_STORE),
    "content_type": Answer(415, _NO_STORE),
    "too_many": Answer(429, (*_NO_STORE, ("Retry-After", "60"))),
    "malformed": Answer(400, _NO_STORE),
}


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What became of one report.  `device`: the one that its browser has from now on; `is_new`: it was given out right now."""

    answer: Answer
    facts: tuple[Fact, ...] = ()
    device: Device | None = None
    is_new: bool = False


class DeviceDesk:
    """Script, reports and ids; `devices` and `browsers` are what the engine asks."""

    def __init__(self, keys: KeyRing, hasher: Hasher, catalogue: Catalogue) -> None:
        self.devices = Devices(keys)
        self.browsers = Browsers(hasher)
        self.wanted = Wanted()
        self._catalogue = catalogue
        self.script = b""
        self._reports = PerMinute()
        self._second, self._in_second = 0, 0
        self._told: Bounded[bytes, float] = Bounded(MAX_TOLD)

    def apply(self, wanted: Wanted, keys: KeyRing, valid_s: int) -> None:
        """Takes new settings and keys; what is remembered stays."""
        self.wanted = wanted
        self.script = script_of(wanted)
        self.devices.apply(keys, valid_s)

    def asset(self, path: bytes) -> Answer | None:
        """The library; `path` is the canonical path with the prefix.  None if it is not that, or switched off."""
        prefix = self.wanted.prefix.encode()
        return library_answer(self.wanted, path[len(prefix) :]) if path.startswith(prefix) else None

    def hear(self, o: Observation, body: bytes, now_s: float, random12: bytes, session: Session | None) -> Heard:
        """`POST d`: 200 with the id to store, 204 where ids are off, 4xx for what is no report.  `random12`: 12 random bytes.

        Cost: 57 us, 96 us for the dearest; a refusal 0.5 us.
        """
        refusal = self._unheard(o, body, now_s)
        if refusal:
            return Heard(_REFUSALS[refusal])
        self._reports.count(prefix_of(o), now_s)
        self._in_second += 1
        report = parse_report(body)
        if report is None:
            return Heard(_REFUSALS["malformed"])
        wanted, facts = self.wanted, []
        device, is_new = None, False
        answer = Answer(204, _NO_STORE)
        if wanted.copies:
            found = self._compared(o, report, now_s)
            is_new = found.device is None
            device = self.devices.renew(found.device, now_s, random12, returned=found.cookie_came)
            facts += self._of_copies(found, now_s)
            text = self.devices.text_of(o, device)
            cookie = self.devices.cookie(o, text)
            answer = Answer(200, (_JSON, *_NO_STORE, ("Set-Cookie", cookie)), b'{"id":"%b"}' % text.encode())
        browser = b""
        if wanted.fingerprint and report.fingerprint:
            browser, deleted = self._browser(o, report.fingerprint, device, session, now_s, is_new=is_new)
            if deleted:
                facts.append(Fact(COOKIE_DELETED, BY_FINGERPRINT, b"", browser, "fingerprint"))
        suspicion = self._suspicion(o, report, device, browser)
        if suspicion is not None:
            facts.append(suspicion)
        facts = [msgspec.structs.replace(fact, browser=browser) for fact in facts] if browser else facts
        return Heard(answer, tuple(facts), device, is_new)

    # ---- parts of a report

    def _unheard(self, o: Observation, body: bytes, now_s: float) -> str:
        """Why a report is not even read, "" if it is."""
        if not self.wanted.is_any:
            return "off"
        if not same_origin(o):
            return "cross_site"
        if len(body) > MAX_REPORT:
            return "too_large"
        if not o.header(b"content-type").lower().startswith(b"application/json"):
            return "content_type"
        if int(now_s) != self._second:
            self._second, self._in_second = int(now_s), 0
        is_room = self._in_second < REPORTS_PER_S and self._reports.allows(prefix_of(o), REPORTS_PER_MIN, now_s)
        return "" if is_room else "too_many"

    def _compared(self, o: Observation, report: BrowserReport, now_s: float) -> Found:
        stored = (report.local.encode("utf-8", "replace"), report.indexed.encode("utf-8", "replace"))
        sends_cookies = _TEST_COOKIE in o.header(b"cookie")
        return compare(self.devices, o, stored, now_s, sends_cookies=sends_cookies)

    def _of_copies(self, found: Found, now_s: float) -> list[Fact]:
        # A new id is nobody's yet: what a report without any of ours shows is held against whoever sent it.
        facts, device_id = [], b"" if found.device is None else found.device.id
        if found.deleted:
            first_s = self._told.get(b"d" + found.witness)
            if first_s is None:
                self._told.put(b"d" + found.witness, now_s)
                facts.append(Fact(COOKIE_DELETED, BY_DEVICE, device_id, detail="device"))
            elif now_s - first_s > _COPIED_AFTER_S:
                # This text was replaced long ago: who still shows it has a copy.
                found = msgspec.structs.replace(found, faults=(*found.faults, COPIED))
        for fault in found.faults:
            name = fault.encode() + found.witness
            told_s = self._told.get(name)
            if told_s is None or now_s - told_s > _TOGETHER_S:
                self._told.put(name, now_s)
                facts.append(Fact(INTEGRITY_FAULT, BY_DEVICE, device_id, detail=fault))
        return facts

    def _browser(
        self, o: Observation, fingerprint: str, device: Device | None, session: Session | None, now_s: float, *, is_new: bool
    ) -> tuple[bytes, bool]:
        """The key of the browser, and whether its cookies seem to be deleted."""
        key = self.browsers.key_of(o, fingerprint)
        if device is not None:
            member = b"d" + device.id
        elif session is not None:
            member, is_new = b"s" + session.id, now_s - session.opened_s < _COPIED_AFTER_S
        else:
            return key, False
        return key, self.browsers.heard(key, member, now_s, self.devices.valid_s, is_new=is_new)

    def _suspicion(self, o: Observation, report: BrowserReport, device: Device | None, browser: bytes) -> Fact | None:
        listed = [probe.name for probe in self.wanted.probes if probe.name in report.extensions]
        marked = judge_marks(o, report, self._catalogue) if self.wanted.marks else None
        is_marked = marked is not None and marked.is_suspicious
        if not listed and not is_marked:
            return None
        names = [*dict.fromkeys(listed), *(marked.marks if marked is not None and is_marked else ())]
        return Fact(
            SUSPICIOUS,
            device=b"" if device is None else device.id,
            browser=browser,
            detail="+".join(names)[:200],
            points=marked.points if marked is not None else 0,
            is_listed=bool(listed),
        )
