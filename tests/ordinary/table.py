"""What becomes of ordinary clients under each preset and audience: the table of docs/ordinary-clients.md, computed.

    python -m tests.ordinary.table            # writes the page

Law of the file: the clients are data (clients.yaml); every request of each is decided in mode `enforce` by the packaged defaults, and
a browser that is shown a challenge solves it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
from botsieve.challenge.binding import family_of, place_of
from botsieve.challenge.clearance import Clearances
from botsieve.challenge.keys import KeyRing
from botsieve.challenge.session import Sessions
from botsieve.challenge.settings import ChallengeSettings
from botsieve.config.loader import loads
from botsieve.decision import AUDIENCES, BLOCK, CHALLENGE, Decision
from botsieve.engine import Engine
from botsieve.observation import Observation
from ruamel.yaml import YAML

from tests.cases.form import Asked, Case, Written, laid_out
from tests.cases.ways import SECRET, Jars, config, reported
from tests.conftest import ROOT
from tests.transports.edge_harness import START_S

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "ordinary-clients.md"
PRESETS = ("relaxed", "balanced", "strict")
KEYS = KeyRing((bytes(32),))
RELOAD_S = 1.0  # a challenge takes so long
AGAIN = 5_000  # numbers of what is loaded anew


class Client(msgspec.Struct, forbid_unknown_fields=True):
    """`solves`: a browser with a script.  `why`: for the reader."""

    name: str
    requests: list[Written]
    solves: bool = False
    why: str = ""


class Met(NamedTuple):
    """What a client met with: verdicts, how often each, and the reasons of what was not allowed."""

    verdicts: Counter[str]
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """For a cell of the table."""
        asked = self.verdicts.total()
        parts = [f"{word} {self.verdicts[word]} of {asked}" for word in (BLOCK, CHALLENGE) if self.verdicts[word]]
        return ", ".join(parts) or "allow"


def clients() -> list[Client]:
    """Those of clients.yaml."""
    return msgspec.convert(YAML(typ="safe", pure=True).load((HERE / "clients.yaml").read_text()), list[Client])


def meet(client: Client, preset: str, audience: str) -> Met:
    """All its requests before an engine that knows nobody."""
    clearances = Clearances(ChallengeSettings(), KEYS)
    book = loads(config(audience, {"preset": preset}).encode()).rulebook
    engine = Engine(book, SECRET, clearances=clearances, sessions=Sessions(KEYS))
    jars, cleared = Jars(), dict[str, str]()
    verdicts: Counter[str] = Counter()
    reasons: dict[str, None] = {}
    for number, bare in enumerate(laid_out(Case(client.name, client.requests, {}))):
        one, now_s = _with(jars.dressed(bare), cleared.get(bare.browser, "")), START_S + bare.at_s
        reported(engine, one, now_s)
        decided, o = _decided(engine, one, now_s, number), one.observation(START_S, "shop.example")
        told = [decided]
        if client.solves and one.browser and decided.verdict == CHALLENGE:
            cleared[one.browser] = _solved(clearances, o, decided, now_s, number)
            again = _with(one, cleared[one.browser])
            if o.wants_document:  # the page that solved it loads itself anew
                told.append(_decided(engine, again._replace(at_s=one.at_s + RELOAD_S), now_s + RELOAD_S, number + AGAIN))
        for number_of, decision in enumerate(told):
            jars.keep(one, decision.set_cookie)
            if decision.verdict != "allow" or not number_of:
                verdicts[decision.verdict] += 1
            if decision.verdict != "allow":
                reasons |= dict.fromkeys(decision.reasons)
    return Met(verdicts, tuple(reasons))


def _decided(engine: Engine, one: Asked, now_s: float, number: int) -> Decision:
    o = one.observation(START_S, "shop.example")
    return engine.decide(o, now_s, f"0000-0000-0000-{number:04d}", number * 0.618 % 1.0)


def _with(one: Asked, clearance: str) -> Asked:
    if not clearance:
        return one
    cookie = "; ".join(filter(None, (one.headers.get("cookie"), clearance)))
    return one._replace(headers={**one.headers, "cookie": cookie})


def _solved(clearances: Clearances, o: Observation, decision: Decision, now_s: float, number: int) -> str:
    nonce = number.to_bytes(16, "big")
    value = clearances.mint(
        o, nonce=nonce, level=decision.level, no_js=False, place=place_of(o), family=family_of(o), now_s=now_s
    )
    assert value is not None
    return value.partition(";")[0]


HEAD = """# Ordinary clients

What the packaged defaults make of clients that nobody wants to stop, under each preset and audience, in mode `enforce`.
`python -m tests.ordinary.table` runs every request of `tests/ordinary/clients.yaml` and writes this page. A test fails when it is not
current, or when the preset `balanced` blocks anybody but a program that names its tool where only browsers are expected.

"allow": every request. "challenge 1 of 61": one page load or call of 61 was challenged; a browser with a script solves it in about
a second and goes on. Where a program is challenged or blocked, the policy of its paths should say `audience: api` (docs/settings.md),
or `allow` should name its address or a header that it sends.
"""


def page() -> str:
    """The text of docs/ordinary-clients.md."""
    known = clients()
    lines = [HEAD]
    because: dict[str, dict[str, None]] = {}
    for preset in PRESETS:
        lines.append(f"\n## Preset `{preset}`\n")
        lines.append(f"| client | {' | '.join(f'audience `{audience}`' for audience in AUDIENCES)} |")
        lines.append("|---" * (len(AUDIENCES) + 1) + "|")
        for client in known:
            met = [meet(client, preset, audience) for audience in AUDIENCES]
            lines.append(f"| {client.name} | {' | '.join(one.text for one in met)} |")
            because.setdefault(client.name, {}).update(dict.fromkeys(reason for one in met for reason in one.reasons))
    lines.append("\n## What was found of those who were not allowed\n\n| client | findings |\n|---|---|")
    lines += [
        f"| {name} | {', '.join(f'`{reason}`' for reason in sorted(found))} |" for name, found in because.items() if found
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
