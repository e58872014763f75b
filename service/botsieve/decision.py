"""What a decision is made of: the values that pass from the detectors to the score, the policy and the edges.

Law of the file: plain frozen values, no behaviour but rendering.  Names are those of docs/decision-log.md and of the proto.
"""

from __future__ import annotations

import msgspec

ALLOW, CHALLENGE, BLOCK = "allow", "challenge", "block"
VERDICTS = (ALLOW, CHALLENGE, BLOCK)

MONITOR, ENFORCE = "monitor", "enforce"
AUDIENCES = ("browser", "mixed", "api")
LEVELS = ("light", "normal", "hard")
MAX_REASONS = 512  # bytes of X-Botsieve-Reasons (docs/headers.md)


# Of the ids of our own detectors, which are few: a text is taken apart once.
_families: dict[str, str] = {}
_MAX_FAMILIES = 256

# A finding of one measure that is a count: id, points, detail, subject, type of attack, name of the measure, value and limit.
Counted = tuple[str, int, str, str, str, str, float, float | None]
_MAX_COUNT = 1_000.0


class Measure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One measured value beside the limit that it crossed (None: there is none).  The unit stands in the name."""

    name: str
    value: float
    limit: float | None = None


class Signal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One finding of one detector.

    `id` is `family.name`; `points` is -100..100; `detail` is printable ASCII from our own lists, never client text;
    `subject` says whose behaviour it rests on ("" = the request alone).
    """

    id: str
    points: int
    detail: str = ""
    subject: str = ""
    measures: tuple[Measure, ...] = ()
    attack_type: str = ""

    @property
    def family(self) -> str:
        """The part of the id before the dot: what `family_max` caps."""
        known = _families.get(self.id)
        if known is None:
            known = self.id.partition(".")[0]
            if len(_families) < _MAX_FAMILIES:
                _families[self.id] = known
        return known

    @property
    def as_count(self) -> Counted | None:
        """All that it says, if that is one count: such findings come again and again, as no time and no share does.  Else None."""
        measures = self.measures
        if len(measures) != 1:
            return None
        measure = measures[0]
        value, limit = measure.value, measure.limit
        # Not 0: as a key it is -0.0 too, which is told as something else.
        if not (0.0 < value < _MAX_COUNT and value == value // 1.0 and (limit is None or limit > 0.0)):
            return None
        return self.id, self.points, self.detail, self.subject, self.attack_type, measure.name, value, limit

    @property
    def reason(self) -> str:
        """The finding as headers and logs print it: `bot_useragent:curl`."""
        name = self.id.partition(".")[2]
        return f"{name}:{self.detail}" if self.detail else name


class Again:
    """A finding that comes again and again, each time as this object, with what is made of it: that is made once.

    `logged`, `told`: as the log packs it and as gRPC tells it, b"" before they do.
    """

    __slots__ = ("logged", "signal", "told")

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.logged = b""
        self.told = b""


class Violation(msgspec.Struct, frozen=True, gc=False):
    """One request by which a subject crosses a threshold, or goes on while its prevention holds.

    `detector`: its id, such as `surfing.rapid`.  `subject`, `key`: whose doing it is (a word of docs/decision-log.md and the 8 bytes
    that name it in the state).  `action`: alarm or block.  `measures`: each value beside its limit.  `detail`: our own words only,
    such as an extension's name.  `prevention_s`: how long its prevention lasts.  `again`: what stands among the signals for it, where
    that is at hand.
    """

    detector: str
    attack_type: str
    subject: str
    key: bytes
    action: str
    measures: tuple[Measure, ...]
    prevention_s: float
    detail: str = ""
    again: Again | None = None

    @property
    def signal(self) -> Signal:
        """What stands among the signals for it."""
        if self.again is not None:
            return self.again.signal
        return Signal(self.detector, 0, self.detail, self.subject, self.measures, self.attack_type)


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What is to be done with one request, and why.

    `verdict` is what the edge does now, `would_be` what it would do in mode `enforce`.  `level` is the challenge to serve when
    `would_be` is challenge.  `rule` is what settled it (docs/decision-log.md).  `deferred` says that a challenge was put off
    to the client's next page load.  `set_cookie` is the value of one Set-Cookie header, "" for none.  `hold_s`: so long the edge may
    refuse this client by itself while nobody can be asked.  `violations`: the attacks that this request is part of;
    each also stands among the signals, with 0 points and its attack type.
    """

    id: str
    verdict: str
    would_be: str
    mode: str
    score: int
    bot: bool
    signals: tuple[Signal, ...]
    rule: str
    policy: str
    audience: str
    config: str
    level: str = ""
    route: str = ""
    deferred: bool = False
    retry_after_s: int = 0
    set_cookie: str = ""
    hold_s: int = 0
    violations: tuple[Violation, ...] = ()

    @property
    def reasons(self) -> list[str]:
        """The findings as printed, most points first."""
        return [signal.reason for signal in self.signals]


def reasons_text(signals: tuple[Signal, ...]) -> str:
    """The reasons as X-Botsieve-Reasons tells them, at most MAX_REASONS bytes: whole ones only."""
    text = ",".join([signal.reason for signal in signals])
    return text if len(text) <= MAX_REASONS else text[: MAX_REASONS + 1].rpartition(",")[0]


def of_count(told: Counted) -> Signal:
    """The finding that says it."""
    name, points, detail, subject, attack_type, measured, value, limit = told
    return Signal(name, points, detail, subject, (Measure(measured, value, limit),), attack_type)


def again_of(decision: Decision) -> Again | None:
    """What the first of its violations says, where that comes again and again.  It may stand among the signals, and may not."""
    return decision.violations[0].again if decision.violations else None


class Words:
    """What most decisions share with the one before: nobody has to look up twice how that is written down."""

    __slots__ = ("config", "mode", "policy", "rule", "score", "verdict", "would_be")

    def __init__(self) -> None:
        self.verdict = self.would_be = self.mode = self.policy = self.rule = self.config = ""
        self.score = -1

    def are_of(self, decision: Decision) -> bool:
        """Whether they are this decision's.

        By identity: words of ours are the same objects each time.  Of equal ones that are not it says no, which costs a look-up.
        """
        return (
            self.score == decision.score
            and self.verdict is decision.verdict
            and self.would_be is decision.would_be
            and self.mode is decision.mode
            and self.policy is decision.policy
            and self.rule is decision.rule
            and self.config is decision.config
        )

    def take(self, decision: Decision) -> None:
        """From now on they are this one's."""
        self.verdict, self.would_be, self.mode, self.score = decision.verdict, decision.would_be, decision.mode, decision.score
        self.policy, self.rule, self.config = decision.policy, decision.rule, decision.config
