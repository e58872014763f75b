"""One client in full."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from botsieve.decision import Measure, Signal
from botsieve.observation import pack_address
from botsieve.replay.client_view import ClientView, decision_line, signal_text

from tests.unit.replay.decisions import decision, observation

SIGNAL = Signal("timing.suspicious_timing", 35, "35", "client", (Measure("cv", 0.012, 0.05), Measure("step", 2)))


def test_only_this_client() -> None:
    """Each request of the address with verdict, score, findings, and the User-Agent when it changes."""
    out: list[str] = []
    view = ClientView(pack_address("203.0.113.7"), out.append, as_json=False)
    view(observation(), decision("challenge", 75, (SIGNAL,)))
    view(observation("203.0.113.8"), decision())
    view(observation(uri=b"/x\x1b?" + b"q=secret&" * 300), decision())
    view(observation(agent=b""), decision())
    assert view.count == 3
    assert out[0] == "User-Agent: curl/8"
    assert out[1].split() == ["1", "1970-01-01T00:16:40Z", "challenge", "75", "GET", "/a"]
    assert out[2].strip() == "+35 suspicious_timing:35  (cv 0.012, limit 0.05, step 2)"
    assert "/x\\x1b?q={}&q={}" in out[3]
    assert out[3].endswith("...")
    assert out[4] == "User-Agent: (none seen)"
    assert all(line.isprintable() for line in out)


def test_json_is_the_decision_log(root: Path) -> None:
    """With --json each request is a line of the form that the decision log has, which `explain -` reads."""
    out: list[str] = []
    ClientView(pack_address("203.0.113.7"), out.append, as_json=True)(
        observation(agent=b"\xff\x1b"), decision("challenge", 75, (SIGNAL,))
    )
    (line,) = out
    assert line == decision_line(observation(agent=b"\xff\x1b"), decision("challenge", 75, (SIGNAL,)))
    logged = json.loads(line)
    assert logged["signals"][0]["measures"] == {"cv": [0.012, 0.05], "step": [2]}
    assert logged["event"] == "decision"
    jsonschema.validate(logged, json.loads((root / "docs/decision-log.schema.json").read_text()))


def test_signal_without_measures() -> None:
    """Just points and reason."""
    assert signal_text(Signal("agent.no_useragent", 40)) == "+40 no_useragent"
    assert signal_text(Signal("rule.partner", -20)) == "-20 partner"
