"""Replays access logs through the engine that decides live, on the logs' own clock.

Law of the file: all verdicts are would-be verdicts of mode `enforce` with no challenge ever solved.  What the log cannot show
and what its clock cannot carry is neutral, and named in the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from botsieve.decision import Decision
from botsieve.engine import Engine
from botsieve.observation import Observation
from botsieve.policy import Policy, Rulebook
from botsieve.replay.clock import ClockVerdict, judge_clock
from botsieve.replay.files import LogFile, OnBytes
from botsieve.replay.formats import FACTS, LineParser
from botsieve.replay.labels import Labels
from botsieve.replay.merge import merged
from botsieve.replay.totals import Totals

# Keys of the state's hashes.  Fixed, so that the same log gives the same report; nobody attacks a report from outside.
_SECRET = b"botsieve replay: the same log, the same report"
_TIMING = "timing.suspicious_timing"

OnDecision = Callable[[Observation, Decision], None]
ParserFor = Callable[[str], LineParser | None]


class Result(msgspec.Struct):
    """What a replay found.  `not_seen`: facts that the format of at least one file cannot hold.  `broken`: file and reason.

    `failed`: id of a detector that raised, with its error and how often: our fault, the report leaves its findings out.
    """

    config: str
    files: list[str]
    format: str
    lines: int
    unreadable: int
    clock: ClockVerdict
    not_seen: list[str]
    totals: Totals
    broken: list[str]
    failed: dict[str, tuple[str, int]]
    seconds: float = 0.0


def replay(
    names: list[str],
    rulebook: Rulebook,
    *,
    parser_for: ParserFor = lambda name: None,
    labels: Labels | None = None,
    on_size: OnBytes = lambda size: None,
    on_bytes: OnBytes = lambda count: None,
    on_decision: OnDecision = lambda o, decision: None,
) -> Result:
    """Judges every request of the logs `names`.

    `parser_for(name)`: the parser of one file, None to find out.  `on_size` hears once how many bytes will be read, `on_bytes`
    as they are.  `on_decision` hears of every request.  Errors: InputError for a log that cannot be opened or understood.
    """
    started_s = time.perf_counter()
    files = _surveyed(names, parser_for, on_size, on_bytes)
    clock = judge_clock((file.clock, file.resolution_s) for file in files)
    failed: dict[str, tuple[str, int]] = {}
    engine = _engine(rulebook, clock, failed)
    totals = Totals(labels)
    now_s = 0.0
    for number, o in enumerate(merged(files, on_bytes, ordered=clock.windows_judged), 1):
        now_s = max(now_s, o.edge_time_s)
        decision = engine.decide(o, now_s, decision_id(number))
        totals.add(o, decision)
        on_decision(o, decision)
    return Result(
        config=rulebook.config,
        files=names,
        format=_format_of(files),
        lines=sum(file.lines for file in files),
        unreadable=sum(file.unreadable for file in files),
        clock=clock,
        not_seen=_not_seen(files),
        totals=totals,
        broken=[f"{file.name}: {file.broken}" for file in files if file.broken],
        failed=failed,
        seconds=time.perf_counter() - started_s,
    )


def _surveyed(names: list[str], parser_for: ParserFor, on_size: OnBytes, on_bytes: OnBytes) -> list[LogFile]:
    """The logs after their first reading."""
    files = [LogFile(name) for name in names]
    on_size(2 * sum(file.size for file in files))
    for file in files:
        file.survey(parser_for(file.name), on_bytes)
    return files


def _engine(rulebook: Rulebook, clock: ClockVerdict, failed: dict[str, tuple[str, int]]) -> Engine:
    """Judges what this clock can carry.  `failed` hears of detectors that raise."""
    engine = Engine(
        rulebook if clock.timing_judged else without_timing(rulebook),
        _SECRET,
        on_detector_error=lambda signal, error: _note(failed, signal, error),
    )
    engine.time_judged = clock.windows_judged
    return engine


def decision_id(number: int) -> str:
    """The n-th request of a replay in the form of docs/headers.md: `0000-0000-0000-0042`."""
    digits = f"{number:016d}"
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def without_timing(rulebook: Rulebook) -> Rulebook:
    """The same rules with regular timing switched off: a coarse clock shows its own rhythm."""
    # A request that no policy matches gets the packaged default: it has to be named to be changed.
    policies = (*rulebook.policies, Policy())
    return msgspec.structs.replace(rulebook, policies=tuple(_silent(policy) for policy in policies))


def _silent(policy: Policy) -> Policy:
    timing = msgspec.structs.replace(policy.detectors[_TIMING], points=0)
    return msgspec.structs.replace(policy, detectors={**policy.detectors, _TIMING: timing})


def _note(failed: dict[str, tuple[str, int]], signal: str, error: Exception) -> None:
    text, count = failed.get(signal, (f"{type(error).__name__}: {error}", 0))
    failed[signal] = (text, count + 1)


def _format_of(files: list[LogFile]) -> str:
    formats = {file.format for file in files if file.format}
    return formats.pop() if len(formats) == 1 else "mixed"


def _not_seen(files: list[LogFile]) -> list[str]:
    read = [file for file in files if file.clock.count]
    return sorted(fact for fact in FACTS if any(fact not in file.seen for file in read))
