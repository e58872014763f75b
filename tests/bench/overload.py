"""What more than the service can bear does, up to five times as much, and what 1,000 slow connections do.

An open loop on one thread sends at a fixed rate, whether answers come or not, on connections that are free.  Goodput is what was
judged within nginx's 50 ms.  In two forms: a sender that asks on, as plain nginx does, and one that asks as nginx with Lua does,
about the part that the service says (X-Botsieve-Ask).  All of that twice: with the service as it is, and with one whose every
judgement burns 0.5 ms more, so that reading and refusing a request is small beside judging it and one thread can really send five
times as much.  The burn sits in the random number that each judgement draws: the one step of it that is not ours, and so burns in
a compiled core too.

Beside each row stands what was not the service: how late the sender sent (a burst of a late sender is what is shed then) and looked
for answers, and how long service and sender waited for a core that another process had.  Beside a sender that asks on: what of
the peak is left on this core where each question that is too many costs a receive and a send and nothing else (least.py).
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import msgspec

from tests.bench.checks import percentile_ms, question
from tests.bench.figures import Figure, show
from tests.bench.load import cpu_s, pinned, running

BUDGET_S = 0.050
CONNECTIONS = 800
SLOW = 1_000
TIMES = (1.2, 2.0, 3.0, 5.0)
FORMS = {False: "a sender that asks on", True: "as nginx with Lua asks"}
BURN_US = 500
ALL, HEARD_FOR_S = 100, 0.1  # as lua/resty/botsieve/asking.lua


class Phase(msgspec.Struct):
    """What was heard in one phase.  Times in seconds; those of the answers sorted.

    `late`: of each request, how long after its time it was sent.  `unheard`: of each answer, how long nobody had looked before.
    """

    seconds: float
    judged: list[float]
    shed: list[float]
    unsent: int = 0
    unasked: int = 0
    late: list[float] = []
    unheard: list[float] = []

    @property
    def goodput(self) -> float:
        return sum(took <= BUDGET_S for took in self.judged) / self.seconds

    @property
    def unjudged(self) -> list[float]:
        """How long each waited who was not judged: who was not asked about waited for nothing."""
        return [0.0] * self.unasked + self.shed

    @property
    def offered(self) -> float:
        return (len(self.judged) + len(self.shed) + self.unsent + self.unasked) / self.seconds


class Generator:
    """Connections to the check socket, and requests sent on them.  `obeys`: it does as it is told by X-Botsieve-Ask.

    `port`: of 127.0.0.1 in place of the socket; `asked`: in place of checks.
    """

    def __init__(self, path: str, connections: int, *, port: int = 0, asked: list[bytes] | None = None) -> None:
        self._poll = select.epoll()
        self._socks: dict[int, socket.socket] = {}
        self._sent: dict[int, float] = {}
        for _ in range(connections):
            sock = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
            sock.connect(("127.0.0.1", port) if port else path)
            sock.setblocking(False)
            self._socks[sock.fileno()] = sock
            self._poll.register(sock.fileno(), select.EPOLLIN)
        self._free = deque(self._socks)
        self._asked = asked or [
            question(b"11.%d.%d.%d" % (n % 200, n // 200, n % 250 + 1), b"/items/%d" % (n * 7919)) for n in range(8000)
        ]
        self._number = 0
        self.obeys = False
        self._told = (ALL, 0.0)  # the part to ask, and until when
        self._unasked = 0
        self._looked = 0.0

    def run(self, seconds: float, rate: float | None, *, at_most: int = CONNECTIONS) -> Phase:
        """`rate` a second, None: closed loop on `at_most` connections."""
        phase = Phase(seconds, [], [])
        began = self._looked = time.perf_counter()
        due = 0
        while (now := time.perf_counter()) < began + seconds:
            wanted = at_most - len(self._sent) if rate is None else int((now - began) * rate) - due
            for n in range(wanted):
                if not self._free or len(self._sent) >= at_most:
                    phase.unsent += wanted - n if rate is not None else 0
                    break
                if self.obeys and self._is_spared(now):
                    phase.unasked += 1
                else:
                    self._send()
                    if rate is not None:
                        phase.late.append(time.perf_counter() - began - (due + n + 1) / rate)
            due += max(0, wanted) if rate is not None else 0
            self._hear(phase, 0.0005)
        until = time.perf_counter() + 2.0
        while self._sent and time.perf_counter() < until:
            self._hear(phase, 0.01)
        for times in (phase.judged, phase.shed, phase.late, phase.unheard):
            times.sort()
        return phase

    def _is_spared(self, now: float) -> bool:
        part, until = self._told
        if now > until or random.random() * ALL < part:
            return False
        self._unasked += 1
        return True

    def _send(self) -> None:
        fd = self._free.popleft()
        self._number += 1
        asked = self._asked[self._number * 7919 % len(self._asked)]
        if self._unasked:
            asked = b"%bX-Botsieve-Unjudged: 0+%d\r\n\r\n" % (asked[:-2], self._unasked)
        self._sent[fd] = time.perf_counter()
        self._socks[fd].send(asked)

    def _hear(self, phase: Phase, wait_s: float) -> None:
        ready = self._poll.poll(wait_s, 64)  # few, so that what is due meanwhile is not sent as one burst
        now = time.perf_counter()
        unheard, self._looked = now - self._looked, now
        for fd, _ in ready:
            data = self._socks[fd].recv(4096)
            assert data, "a connection was closed"
            assert data[9:12] in (b"200", b"403"), data[:200]
            (phase.shed if b"unjudged" in data else phase.judged).append(now - self._sent.pop(fd))
            phase.unheard.append(unheard)
            self._free.append(fd)
            _, is_told, part = data.partition(b"X-Botsieve-Ask: ")
            if is_told:
                self._told = int(part[: part.index(b"\r")]), now + HEARD_FOR_S

    def close(self) -> None:
        for sock in self._socks.values():
            sock.close()


class Slow:
    """Connections that send a byte of a request now and then."""

    def __init__(self, path: str, count: int) -> None:
        self._socks = []
        for _ in range(count):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            sock.send(b"GET /v1/check/nginx HTT")
            self._socks.append(sock)

    def __enter__(self) -> Slow:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._socks:
            sock.close()


def serve(config: str, burn_us: int) -> None:
    """`botsieve serve`, each judgement of which takes so much processor time more."""
    from botsieve.cli import main

    draw = random.random

    def slow() -> float:
        until = time.thread_time() + burn_us / 1e6
        while time.thread_time() < until:
            pass
        return draw()

    if burn_us:
        random.random = slow
    sys.exit(main(["serve", "--config", config]))


def least_s(seconds: float) -> float:
    """Processor time of receiving a question and sending an answer, on core 1, where many come at once."""
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        path = Path(name) / "s"
        with running([sys.executable, "-m", "tests.bench.least", str(path)], 1, unix=path) as pid:
            sender = Generator(str(path), CONNECTIONS // 2)
            sender.run(seconds / 4, None)
            before = cpu_s(pid)
            heard = sender.run(seconds, None)
            sender.close()
            return (cpu_s(pid) - before) / len(heard.shed)


def waited_s(pid: int | str) -> float:
    """How long the main thread of a process has waited for a core since it began."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def attack(burn_us: int, seconds: float, refusal_s: float) -> list[Figure]:
    """One service through its phases.  `refusal_s`: the least that refusing one takes."""
    with tempfile.TemporaryDirectory(prefix="bs-") as name:
        folder = Path(name)
        config = folder / "botsieve.yaml"
        config.write_text(
            "policies: [{name: all, audience: browser}]\n"
            f"edges: {{nginx: {{listen: 'unix:{folder}/s', socket_group: null}}}}\nweb: {{listen: null}}\n"
            f"state: {{dir: {folder}/state}}\nchallenge: {{keys_file: {folder}/state/keys}}\n"
            f"journal: {{decisions: {{to: {folder}/log}}}}\n"
        )
        command = [sys.executable, "-m", __spec__.name, "--serve", str(config), str(burn_us)]
        service = subprocess.Popen(pinned(command, 1), stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 30
            while not (folder / "s").exists():
                assert time.monotonic() < until, "the service does not start"
                time.sleep(0.05)
            return _phases(f"{folder}/s", folder / "log", burn_us, seconds, service.pid, refusal_s)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(10)


def _phases(path: str, log: Path, burn_us: int, seconds: float, service: int, refusal_s: float) -> list[Figure]:
    sender = Generator(path, CONNECTIONS)
    sender.run(1, None, at_most=32)
    peak = sender.run(seconds / 2, None, at_most=32)
    calm = sender.run(seconds / 2, peak.goodput / 2)
    assert not burn_us or peak.goodput <= 1.1e6 / burn_us, f"{peak.goodput:,.0f}/s: nothing is burnt"
    rows = []
    for obeys in (False, True):
        for times in TIMES:
            told = log.read_text().count('"overloaded"')
            before = sender.run(1, None, at_most=32)
            held = waited_s(service), waited_s("self")
            # Not where it asks as fast as it is answered: there it would ask the next one at once for each one spared.
            sender.obeys = obeys
            over = sender.run(seconds if times == TIMES[-1] else seconds / 2, before.goodput * times)
            sender.obeys = False
            held = waited_s(service) - held[0], waited_s("self") - held[1]
            time.sleep(0.5)
            # The core is not the same all the time: each share is of what the peak was just before and just after.
            beside = (before, sender.run(1, None, at_most=32))
            events = log.read_text().count('"overloaded"') - told
            row = _overload(beside, calm, over, FORMS[obeys], burn_us, events)
            beyond = "" if obeys else f"; {_reachable(beside, times, refusal_s)}"
            rows.append(msgspec.structs.replace(row, how=f"{row.how}; {_of_others(over, *held)}{beyond}"))
    # Of what the core gives now: one that others slowed down to half since then would be asked for all that it has.
    after = sender.run(seconds / 2, min(peak.goodput, beside[1].goodput) / 2)
    sender.close()
    rows.append(_after(calm, after))
    sender = Generator(path, 16)
    before = sender.run(seconds / 2, peak.goodput / 4)
    with Slow(path, SLOW):
        beside = sender.run(seconds / 2, peak.goodput / 4)
    sender.close()
    gap = percentile_ms(beside.judged, 0.99) - percentile_ms(before.judged, 0.99)
    rows.append(
        Figure(
            what=f"{SLOW:,} slow connections add to p99",
            measured=f"{gap:.1f} ms",
            goal="5 ms",
            reached=gap <= 5 and not beside.shed,
            how=f"99th percentile {percentile_ms(before.judged, 0.99):.1f} ms before, {percentile_ms(beside.judged, 0.99):.1f} ms beside",
        )
    )
    return rows


def _overload(beside: tuple[Phase, Phase], calm: Phase, over: Phase, form: str, burn_us: int, events: int) -> Figure:
    before, after = (phase.goodput for phase in beside)
    peak = (before + after) / 2
    share = over.goodput / peak
    shed_ms = percentile_ms(over.unjudged, 0.99)
    return Figure(
        what=f"goodput at {over.offered / before:.1f} times the peak, {form}"
        + (f", {burn_us} us a judgement more" if burn_us else ""),
        measured=f"{share:.0%} of {peak:,.0f}/s; shed in {shed_ms:.1f} ms",
        goal="90%; 5 ms",
        reached=share >= 0.9 and shed_ms <= 5,
        how=f"the peak {before:,.0f}/s before and {after:,.0f}/s after; "
        f"judged {len(over.judged):,} (p50 {percentile_ms(over.judged, 0.5):.1f}, p99 {percentile_ms(over.judged, 0.99):.1f} ms), "
        f"not asked {over.unasked:,}, answered unjudged {len(over.shed):,} (p50 {percentile_ms(over.shed, 0.5):.1f}, "
        f"p99 {percentile_ms(over.shed, 0.99):.1f} ms), no connection was free for {over.unsent:,}, {events} event lines; "
        f"at half the peak before: p99 {percentile_ms(calm.judged, 0.99):.1f} ms, "
        f"{len(calm.shed)} shed; service on core 1, sender on core 0, load of the machine {os.getloadavg()[0]:.1f}",
    )


def _of_others(over: Phase, service_s: float, sender_s: float) -> str:
    return (
        f"the sender was late by {percentile_ms(over.late, 0.99):.1f} ms (p99) and looked for answers every "
        f"{percentile_ms(over.unheard, 0.99):.1f} ms; others had the service's core for {service_s / over.seconds:.0%} of the time, "
        f"the sender's for {sender_s / over.seconds:.0%}"
    )


def _reachable(beside: tuple[Phase, Phase], times: float, refusal_s: float) -> str:
    """What is left of the peak where who is too many costs a receive and a send: (1 - n P c) / (1 - P c)."""
    refusing = sum(phase.goodput for phase in beside) / 2 * refusal_s
    most = max(0.0, 1 - times * refusing) / (1 - refusing)
    return f"to receive and send alone takes {refusal_s * 1e6:.1f} us: {most:.0%} is the most that can be had of who asks on"


def _after(calm: Phase, after: Phase) -> Figure:
    return Figure(
        what="half a second after the overload",
        measured=f"{len(after.shed)} shed, p99 {percentile_ms(after.judged, 0.99):.1f} ms",
        goal="0, as before",
        reached=not after.shed and percentile_ms(after.judged, 0.99) <= 2 * percentile_ms(calm.judged, 0.99) + 5,
        how=f"at half the peak; before the overload p99 was {percentile_ms(calm.judged, 0.99):.1f} ms",
    )


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", nargs=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]))
        return
    os.sched_setaffinity(0, {0})
    seconds = 3.0 if given.quick else 10.0
    refusal_s = least_s(1.0)
    show([*attack(BURN_US, seconds, refusal_s), *attack(0, seconds, refusal_s)])


if __name__ == "__main__":
    _main()
