"""The cookies of the browsers of a case.

Law of the file: a cookie is kept under its name and sent with every request of its browser, as browsers do.
"""

from __future__ import annotations

from tests.cases import devices
from tests.cases.form import Asked
from tests.transports.edge_harness import START_S


class Jars:
    """The cookies of each browser, by its name."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, str]] = {}
        self._devices: set[str] = set()

    def dressed(self, one: Asked, more: str = "") -> Asked:
        """The request with the cookies that its browser holds, and `more`."""
        cookies = [f"{name}={value}" for name, value in self._held.get(one.browser, {}).items()]
        if one.report in devices.OF_A_DEVICE:
            self._devices.add(one.browser)
        if one.browser in self._devices:
            cookies.append(devices.cookie_of(one.observation(START_S, "shop.example"), one.browser))
        cookies += [more] if more else []
        return one._replace(headers={**one.headers, "cookie": "; ".join(cookies)}) if cookies else one

    def keep(self, one: Asked, set_cookie: str) -> None:
        """What an answer set."""
        if one.browser and set_cookie:
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self._held.setdefault(one.browser, {})[name] = value

    def lose(self, browser: str, ending: str) -> None:
        """The cookies whose names end so are gone; "": all of them."""
        self._held[browser] = {name: value for name, value in self._held.get(browser, {}).items() if not name.endswith(ending)}
