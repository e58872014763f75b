"""Who sent a request, by what it carries: session, clearance, device, and the browser that these are known by.

Law of the file: a cookie that does not hold is nobody's.  The client is the narrowest identity that the evidence supports: settled
device, clearance, settled browser, session that has settled or is there beside others, else address, TLS signature and User-Agent
(docs/decisions/0002, 0010 and 0011).
"""

from __future__ import annotations

from collections.abc import Callable, Container

import msgspec

from botsieve.challenge.browsers import Browsers, name_of
from botsieve.challenge.clearance import Clearances, Standing
from botsieve.challenge.cookies import carried_cookies
from botsieve.challenge.device import Device, Devices
from botsieve.challenge.session import Session, Sessions
from botsieve.observation import Observation
from botsieve.state.world import WINDOW_S, World

# A session, device or browser names a client of its own once it is as old as the windows are long: a scraper that takes another one
# every few requests stays one client.  A clearance does at once: it was earned.
SETTLES_S = WINDOW_S


class Who(msgspec.Struct, frozen=True, gc=False):
    """Who sent one request.

    `key`: the World's key of its client.  `name`: the device or browser that thresholds count on, b"" for none.  `vouched`: it
    holds a clearance, or a session or device that has settled.
    """

    key: bytes
    session: Session | None = None
    standing: Standing | None = None
    name: bytes = b""
    vouched: bool = False


class Identities:
    """Reads them.  What is None is switched off.  `session_idle_s`: a session without requests for so long has ended.

    `shared_sessions`: ids of sessions that a cache gave to many.  `is_beside`: whether a session that has not settled, under the key
    of a client without it, is there beside others (attacks/doors.py).
    """

    def __init__(self, world: World, clearances: Clearances | None, sessions: Sessions | None, session_idle_s: float) -> None:
        self.world = world
        self.clearances = clearances
        self.sessions = sessions
        self.session_idle_s = session_idle_s
        self.devices: Devices | None = None
        self.browsers: Browsers | None = None
        self.shared_sessions: Container[bytes] = frozenset()
        self.is_beside: Callable[[bytes, Session, float], bool] = _alone

    def who(self, o: Observation, now_s: float) -> Who:
        """Who sent this request."""
        clearances, sessions, devices = carried_cookies(o)
        if not (sessions or devices or clearances):
            return Who(self.world.client_key(o))
        device = self.devices.of(devices, o, now_s) if self.devices is not None else None
        return self._known(o, device, sessions, clearances, now_s)

    def who_with(self, o: Observation, device: Device | None, now_s: float) -> Who:
        """Who sent it, if the device is this one."""
        clearances, sessions, _ = carried_cookies(o)
        return self._known(o, device, sessions, clearances, now_s)

    def _known(
        self, o: Observation, device: Device | None, sessions: list[bytes], clearances: list[bytes], now_s: float
    ) -> Who:
        """`sessions`, `clearances`: the values of these cookies."""
        session = self.sessions.of(sessions, o.host, now_s) if self.sessions is not None else None
        browser, known_s = b"", 0.0
        if session is not None and session.id in self.shared_sessions:
            session = None
        if self.browsers is not None and (device is not None or session is not None):
            browser, known_s = self._browser(self.browsers, device, session)
        if session is not None and self._is_over(o, session, device, browser, now_s):
            session = None  # the next page load opens another
        standing = self.clearances.of(clearances, o, now_s) if self.clearances is not None else None
        settled_session = session is not None and now_s - session.opened_s >= SETTLES_S
        settled_device = device is not None and device.is_settled(now_s, SETTLES_S)
        named = b""
        if device is not None and settled_device:
            named = b"d" + device.id
        elif standing is not None:
            named = b"c" + standing.id
        elif browser and now_s - known_s >= SETTLES_S:
            named = b"b" + browser
        elif session is not None and settled_session:
            named = b"s" + session.id
        vouched = standing is not None or settled_session or settled_device
        name = device.id if device is not None else name_of(browser) if browser else b""
        key = self.world.client_key(o, named)
        if session is not None and not named and self.is_beside(key, session, now_s):
            key = self.world.client_key(o, b"s" + session.id)
        return Who(key, session, standing, name, vouched)

    def _browser(self, browsers: Browsers, device: Device | None, session: Session | None) -> tuple[bytes, float]:
        if device is not None:
            return browsers.of(b"d" + device.id)
        return browsers.of(b"s" + session.id) if session is not None else (b"", 0.0)

    def _is_over(self, o: Observation, session: Session, device: Device | None, browser: bytes, now_s: float) -> bool:
        """Nobody came with it for too long, under whichever name its client is remembered."""
        if now_s - session.opened_s <= self.session_idle_s:
            return False
        names = [b"s" + session.id]
        if device is not None:
            names.append(b"d" + device.id)
        if browser:
            names.append(b"b" + browser)
        last_s = max(self.world.last_seen_s(self.world.client_key(o, name)) for name in names)
        return now_s - max(last_s, session.opened_s) > self.session_idle_s


def _alone(name: bytes, session: Session, now_s: float) -> bool:
    return False
