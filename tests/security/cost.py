"""What the dearest legal request costs beside an ordinary one: `python -m tests.security.cost`.

Law of the file: processor time of the real service (all its threads), not the clock on the wall; ordinary and dear requests take
turns in one run.  "Legal" is what nginx lets through by default: lines of at most 8 KiB, 32 KiB of them.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from botsieve.transports.http_readers import Request

from tests.service.running import Place, place
from tests.transports.edge_harness import CHROME, PERSON, at, check

LINE = 8000
_BROWSERS = """device: {enabled: true}
browser: {fingerprint: true}
detectors: {browser.suspicious: {action: alarm}}
"""
GOAL = 10.0
# As a forged cookie looks: the right length and alphabet, and no signature of ours.
_FORGED = "AQ" + "abcdEFGH0123-_xyz" * 6


class Cost(NamedTuple):
    """Processor time of one request in µs, and how many times the median of the ordinary ones that is."""

    name: str
    us: float
    ratio: float


def request_bytes(request: Request) -> bytes:
    """A request on the wire."""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.items())
    length = b"Content-Length: %d\r\n" % len(request.body) if request.body else b""
    return (
        request.method.encode()
        + b" "
        + request.target
        + b" HTTP/1.1\r\nHost: botsieve\r\n"
        + lines
        + length
        + b"\r\n"
        + request.body
    )


def _ordinary(n: int) -> bytes:
    return request_bytes(check(f"/items/{n}?ref=a", PERSON, Client_Addr=_address(n), Request_Id=f"{n:032x}"))


def _dear(uri: str, **headers: str) -> Callable[[int], bytes]:
    def make(n: int) -> bytes:
        sent = PERSON | {name.replace("_", "-"): value.replace("#", str(n)) for name, value in headers.items()}
        return request_bytes(check(uri.replace("#", str(n)), sent, Client_Addr=_address(n), Request_Id=f"{n:032x}"))

    return make


def _address(n: int) -> str:
    return f"198.18.{n // 250 % 250}.{n % 250 + 1}"


def _solve(n: int) -> bytes:
    body = b'{"token":"%s%d","answers":[%s]}' % (_FORGED.encode() * 20, n, b",".join([b"4294967295"] * 64))
    asked = check("/.botsieve/solve", {**PERSON, "Content-Type": "application/json"}, Client_Addr=_address(n), Method="POST")
    return request_bytes(at("/.botsieve/solve", asked, method="POST", body=body))


def _far_address(n: int) -> str:
    """Each of another network: no quota stands in the way."""
    return f"10.{n // 250 % 250}.{n % 250}.1"


def _own(name: str, n: int, *, body: bytes | None = None, kind: str = "", **headers: str) -> bytes:
    """A call of our script or form, from a page of the same site."""
    method = "GET" if body is None else "POST"
    sent = PERSON | {"Sec-Fetch-Site": "same-origin", "Content-Type": kind} | headers
    client = _far_address(n)
    asked = check("/.botsieve/" + name, sent, Client_Addr=client, Peer_Addr=client, Method=method)
    return request_bytes(at("/.botsieve/" + name, asked, method=method, body=body or b""))


def _hand(where: Place, n: int) -> bytes:
    """A report as long as they may be, with the token of a page that was just opened."""
    with where.connect() as connection:
        token = connection.send(_own("e", n)).reply().body
    events = b"[[0,900]" + b",[0,16,0,31,-9],[4,90],[5,9]" * 85 + b"]"
    assert len(token) + len(events) < 4090
    return _own("e", n, body=token + b"\n0\n" + events, kind="text/plain")


def _device_report(_where: Place, n: int) -> bytes:
    report = {
        "local": f"{n:04d}" + _FORGED[:68],
        "indexed": "x" * 160,
        "fingerprint": f"{n:032x}",
        "marks": ["webdriver", "globals", "worker", "frame"] * 8,
        "agent": CHROME,
        "languages": ["de-DE-1996"] * 10,
        "platform": "MacIntel",
        "extensions": ["x" * 64] * 20,
    }
    return _own("d", n, body=json.dumps(report).encode(), kind="application/json", Cookie="botsieve_t=1")


def _damaged_cookies(where: Place, n: int) -> bytes:
    """Eight of each kind that are ours but for one character: each has to be verified."""
    genuine = _genuine(where)
    cookies = [f"{name}={value[:20]}{'AZ'[value[20] == 'A']}{value[21:]}" for name, value in genuine.items() for _ in range(8)]
    sent = PERSON | {"Cookie": "; ".join([*cookies, f"a={n}"])}
    return request_bytes(check("/", sent, Client_Addr=_address(n), Request_Id=f"{n:032x}"))


def _genuine(where: Place) -> dict[str, str]:
    """A session, a device and (as its text begins with the same key) a clearance."""
    if where not in _known:
        report = _own("d", 1, body=b"{}", kind="application/json")
        with where.connect() as connection:
            answers = [connection.send(one).reply() for one in (request_bytes(check("/", PERSON)), report)]
        found = dict(one.partition(";")[0].split("=", 1) for answer in answers for one in answer.all("Set-Cookie"))
        assert {"__Host-botsieve_s", "__Host-botsieve_d"} <= set(found)
        _known[where] = found | {"__Host-botsieve_c": found["__Host-botsieve_d"]}
    return _known[where]


_known: dict[Place, dict[str, str]] = {}
CRAWLERS = "Googlebot bingbot YandexBot AhrefsBot GPTBot Applebot facebookexternalhit "
DEAR: dict[str, Callable[[int], bytes]] = {
    "path of 4,000 segments": _dear("/#" + "/a" * 3990),
    "path of escapes and dots": _dear("/#" + "/%2e%2e/%61//." * 560),
    "path of digits": _dear("/#/" + "1234567890" * 790),
    "query of 2,000 fields": _dear("/?#" + "&a=1" * 1990),
    "User-Agent of crawlers' names": _dear("/", User_Agent=(CRAWLERS * 110)[: LINE - 9] + "#"),
    "User-Agent of versions": _dear("/", User_Agent="Mozilla/5.0 Chrome/#" + " Safari/1.2.3" * 600),
    "Cookie of forged clearances": _dear("/", Cookie=f"__Host-botsieve_c={_FORGED}#; " * 60),
    "Cookie of forged sessions": _dear("/", Cookie=f"__Host-botsieve_s={_FORGED}#; " * 60),
    "Cookie of forged devices": _dear("/", Cookie=f"__Host-botsieve_d={_FORGED}#; " * 60),
    "Cookie of 2,600 names": _dear("/", Cookie="botsieve_c; " + "a=#; " * 1500),
    "2,000 short headers": _dear("/", **{f"a{n}": "b" for n in range(2000)}),
    "four lines of 8 KB": _dear("/#" + "/a" * 3900, **dict.fromkeys(("User_Agent", "Accept", "Accept_Language"), "x,y;q=0.1 " * 780)),
    "Accept-Language of 800 ranges": _dear("/", User_Agent=CHROME, Accept_Language="de-DE;q=0.#," * 600),
    "client hints of 8 KB": _dear("/", Sec_Ch_Ua='"Chromium";v="1#", ' * 380),
    "a posted solution of 8 KB": _solve,
    "a page's token": lambda n: _own("e", n),
    "feedback": lambda n: _own("feedback", n, body=b"id=0000-0000-0000-0000", kind="application/x-www-form-urlencoded"),
}  # fmt: skip
# Those that need something of the running service first.
PREPARED: dict[str, Callable[[Place, int], bytes]] = {
    "Cookie of 24 damaged tokens": _damaged_cookies,
    "a human report of 256 events": _hand,
    "a device report of 4 KB": _device_report,
}
ALL = {"ordinary", *DEAR, *PREPARED}


def cpu_us(pid: int) -> float:
    """Processor time of a process, all threads, in µs."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1000


@contextmanager
def quiet_place() -> Iterator[Place]:
    """A place with everything that looks at browsers, whose log holds the share of quiet decisions that is packaged."""
    with place() as where:
        where.write(more=_BROWSERS)
        where.config.write_text(where.config.read_text().replace(", allow_sample_percent: 100", ""))
        yield where


def measure(times: int = 200, turns: int = 3) -> list[Cost]:
    """Each kind of request `times` times in each of `turns` turns; the dearest first.  The median of the turns counts."""
    found: dict[str, list[float]] = {name: [] for name in sorted(ALL)}
    with quiet_place() as where, where.start() as process:
        number = 0
        prepared: dict[str, Callable[[int], bytes]] = {name: partial(make, where) for name, make in PREPARED.items()}
        for turn in range(turns + 1):  # the first only warms up
            for name, make in {"ordinary": _ordinary, **DEAR, **prepared}.items():
                asked = [make(number + n) for n in range(times)]
                number += times
                us = _cost_of(where, process.pid, asked)
                if turn:
                    found[name].append(us / times)
    median = statistics.median(found["ordinary"])
    costs = [
        Cost(name, statistics.median(all_of_it), statistics.median(all_of_it) / median) for name, all_of_it in found.items()
    ]
    return sorted(costs, key=lambda cost: -cost.us)


def _cost_of(where: Place, pid: int, asked: list[bytes]) -> float:
    with where.connect() as connection:
        before = cpu_us(pid)
        for one in asked:
            assert connection.send(one).reply().status < 500
        return cpu_us(pid) - before


if __name__ == "__main__":
    costs = measure(times=500, turns=5)
    for cost in costs:
        print(f"{cost.name:32} {cost.us:8.1f} us  {cost.ratio:5.1f} x the ordinary request")
    print(f"dearest: {costs[0].ratio:.1f} x (wanted: at most {GOAL:g} x)")
    sys.exit(0 if costs[0].ratio <= GOAL else 1)
