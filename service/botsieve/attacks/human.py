"""`human.interaction` [S2-27..S2-31]: how many requests a client may make before a hand was seen.

Law of the file: a function of the count N since the last accepted report, never a stepping machine.  With a report the first
`safe` requests are free; the rest (without a report: all of them) go in turns, `grace` allowed and `unsafe` violating.  An
irregular sequence does not move the count: after it, what is beyond the grace violates until a regular report comes.
"""

from __future__ import annotations

from botsieve.attacks.subjects import Subject
from botsieve.decision import Measure
from botsieve.detectors.settings import HumanInteraction

SAFE, GRACE, UNSAFE = "safe", "grace", "unsafe"


def interval(count: int, *, human: bool, irregular: bool, settings: HumanInteraction) -> str:
    """The interval that request number `count` (from 1) since the last accepted report falls into."""
    past = count - 1
    if human:
        if past < settings.safe:
            return SAFE
        past -= settings.safe
    if irregular:
        return GRACE if past < settings.grace else UNSAFE
    return GRACE if past % (settings.grace + settings.unsafe) < settings.grace else UNSAFE


def count(subject: Subject, settings: HumanInteraction) -> bool:
    """Counts one request; true when it violates."""
    subject.unproven += 1
    return subject.unproven > settings.grace and is_unsafe(subject, settings)


def is_unsafe(subject: Subject, settings: HumanInteraction) -> bool:
    """Whether the request counted last falls into an unsafe interval."""
    irregular = subject.irregular and settings.sequences
    return interval(subject.unproven, human=subject.human, irregular=irregular, settings=settings) is UNSAFE


def report(subject: Subject, *, regular: bool) -> None:
    """An accepted report of the collector."""
    if regular:
        subject.human, subject.irregular, subject.unproven = True, False, 0
    else:
        subject.irregular = True


def begin_again(subject: Subject) -> None:
    """What was found has been answered for its full time: the next grace begins."""
    subject.unproven, subject.human, subject.irregular = 0, False, False


def measures(subject: Subject, settings: HumanInteraction) -> tuple[Measure, ...]:
    """Requests without a sign of a hand, beside those that are allowed."""
    allowed = settings.safe + settings.grace if subject.human else settings.grace
    return (Measure("requests_without_hand", subject.unproven, allowed),)
