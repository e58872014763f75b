"""What the verdict of a score becomes for this client: exemptions, clearance, the challenge before a block, the one put off.

Law of the file: nobody is made worse off here than the score says, except by a challenge that was put off and is now due.
Source: docs/challenge.md.
"""

from __future__ import annotations

import msgspec

from botsieve.attacks.transactions import asked_for
from botsieve.challenge.clearance import Clearances, Standing
from botsieve.challenge.deferrals import DEFER_CALLS, DEFER_S, Deferrals
from botsieve.challenge.session import Session
from botsieve.decision import ALLOW, BLOCK, CHALLENGE, LEVELS, Signal
from botsieve.detectors.view import View
from botsieve.observation import NAVIGATION, PREFLIGHT, Observation
from botsieve.policy import PathSet
from botsieve.score import BEHAVIOUR_FAMILIES
from botsieve.state.profiles import ClientProfile

# Points above challenge_at up to which the light level does, if no behaviour was found [own].
LIGHT_BELOW = 15
# A page load that reaches block_at was heard when it got this many challenges in this time and answered none.
HEARD_TIMES = 3
HEARD_S = 300.0
# guess: pages that are opened together (tabs of a search, a browser that starts again) are asked together, and that is once.
TOGETHER_S = 2.0
# What programs are meant to read.  An authority asks here before it renews a certificate, as the program that it is; a crawler that is
# refused robots.txt takes it that everything is allowed (RFC 9309, 2.3.1.3).
FOR_PROGRAMS = PathSet(("/robots.txt", "/.well-known/"))
_LIE = "claim.false_crawler"
_TIMER = "timing.suspicious_timing"
_VOLUME = "traversal.volume"


class Standpoint(msgspec.Struct, gc=False):
    """One request with its findings.  `by_score`: the thresholds, no rule, said the verdict.

    `level`: of the challenge that a prevention asks for, "" for none.  `is_door`: several people come in under this client's name.
    `shown`: the verdict is done as well as said (mode enforce).
    """

    o: Observation
    view: View
    signals: tuple[Signal, ...]
    score: int
    session: Session | None
    standing: Standing | None
    level: str
    is_door: bool
    shown: bool
    by_score: bool = True


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """`level`: of the challenge, "" for none.  `rule`: what settled it, "" when the thresholds did."""

    verdict: str
    level: str = ""
    deferred: bool = False
    rule: str = ""


_ALLOWED = Outcome(ALLOW)
_BLOCKED = Outcome(BLOCK)


def outcome(at: Standpoint, would: str, clearances: Clearances | None, deferrals: Deferrals) -> Outcome:
    """The verdict for this client, where its score or a rule says `would`.  A clearance is used up by what it lets through."""
    client = at.view.profiles.client
    if would == ALLOW and at.standing is None and (client is None or not client.deferred_since_s):
        return _ALLOWED  # most requests
    behaviour = frozenset(
        signal.reason for signal in at.signals if signal.family in BEHAVIOUR_FAMILIES and not _refreshes_itself(at, signal)
    )
    # Behaviour is looked at on page views and data calls: an image cannot show that there is none.
    looked = _is_counted(at) and not at.o.is_foreign
    if looked and at.standing is not None and clearances is not None and clearances.brings_new(at.standing, behaviour):
        clearances.spoil(at.standing)
        at.standing = None
    if at.standing is not None and at.session is not None:
        deferrals.solved(at.session.id)
    settled = _settled(at, would, behaviour, clearances, deferrals)
    if at.standing is not None and clearances is not None and settled.verdict == ALLOW:
        _use(at, at.standing, clearances, behaviour)
    return settled


def _use(at: Standpoint, standing: Standing, clearances: Clearances, behaviour: frozenset[str]) -> None:
    """The clearance is used by page views and data calls; by what says that it is a part of a page only where anything was found."""
    o = at.o
    if _is_counted(at):
        is_reading = o.method == b"GET" and o.kind != NAVIGATION
        clearances.count(standing, at.view.now_s, hash(asked_for(o.uri, o.query)) if is_reading else 0, behaviour)
    elif at.score > 0:
        clearances.count_part(standing, at.view.now_s)


def _is_counted(at: Standpoint) -> bool:
    return at.o.is_counted or (at.o.is_upgrade and at.view.profiles.item != 0)


def _refreshes_itself(at: Standpoint, signal: Signal) -> bool:
    """A timer that asks for one URL under a cookie of ours: the page does that, not the person, and it takes nothing."""
    if signal.id != _TIMER or (at.session is None and at.standing is None):
        return False
    track = at.view.profiles.track
    return track is not None and len(track.items.seen) <= 1


def _settled(
    at: Standpoint, would: str, behaviour: frozenset[str], clearances: Clearances | None, deferrals: Deferrals
) -> Outcome:
    client = at.view.profiles.client
    policy = at.view.policy
    if would == ALLOW:
        if client is None or not client.deferred_since_s or at.standing is not None or not _may_be_due(at):
            return _ALLOWED
        return _challenge(at, "normal", client, clearances, deferrals)  # after data calls that were let through: now it is due
    lies = any(signal.id == _LIE for signal in at.signals)
    if at.by_score and not lies and _is_for_programs(at.o):
        return _ALLOWED
    if would == BLOCK:
        if not (at.by_score and policy.challenge_first and policy.challenge != "none" and at.o.wants_document):
            return _BLOCKED
        if (at.standing is not None and at.standing.level == "hard") or _heard(at, client) or _never_challenged(at):
            return _BLOCKED
        if lies:
            return _BLOCKED  # the challenge before a block is for people, and no person is somebody's crawler
        return _challenge(at, "hard", client, clearances, deferrals)
    if _never_challenged(at) or (at.by_score and not at.level and at.o.is_embedded_file):
        return _ALLOWED  # in a page of another host nobody can be asked, nor keep a clearance
    if policy.challenge == "none":
        return _BLOCKED
    level = "light" if at.score < policy.challenge_at + LIGHT_BELOW and not behaviour else "normal"
    if at.level:  # what a prevention asks for is not softened by a score that asks too
        level = max(level, at.level, key=LEVELS.index)
    return _challenge(at, level, client, clearances, deferrals)


def _challenge(
    at: Standpoint, level: str, client: ClientProfile | None, clearances: Clearances | None, deferrals: Deferrals
) -> Outcome:
    now_s = at.view.now_s
    if at.standing is not None and LEVELS.index(at.standing.level) >= LEVELS.index(level):
        return Outcome(ALLOW, rule="clearance")
    if clearances is not None:
        level = clearances.next_level(at.o, level, now_s)
        # How much is taken is what a clearance has an end for: that is not made up for.
        does = frozenset(one.reason for one in at.signals if one.family in BEHAVIOUR_FAMILIES and one.id != _VOLUME)
        if does:
            clearances.asked(at.o, does, now_s)
    if at.o.wants_document:
        if not at.o.is_prefetch:  # nobody sees that one
            if at.session is not None:
                deferrals.asked(at.session.id, now_s, shown=at.shown)
            if client is not None:
                _end_deferral(client)
                _note(client, now_s, at.shown)
    elif client is not None and at.session is not None and deferrals.allows(at.session.id, now_s) and _may_defer(client, now_s):
        return Outcome(ALLOW, deferred=True)
    return Outcome(CHALLENGE, level)


def _note(client: ClientProfile, now_s: float, shown: bool) -> None:
    if client.was_shown != shown:  # what mode monitor only said was never asked
        client.was_shown = shown
        client.challenged_s = ()
    if not client.challenged_s or now_s - client.challenged_s[-1] >= TOGETHER_S:
        client.challenged_s = (*client.challenged_s[1 - HEARD_TIMES :], now_s)


def _may_be_due(at: Standpoint) -> bool:
    """A challenge that was put off is due on a page load that can be challenged, and that no rule lets through."""
    return at.by_score and at.o.wants_document and at.view.policy.challenge != "none" and not _never_challenged(at)


def _never_challenged(at: Standpoint) -> bool:
    o = at.o
    if o.kind == PREFLIGHT or o.method == b"OPTIONS":
        return True
    if o.path in at.view.policy.never_challenge and not o.is_ambiguous:
        return True
    # What takes an item is no WebSocket of a page, whatever it says.
    if at.view.profiles.item or o.is_foreign or not o.is_upgrade:
        return False
    return at.session is not None or at.standing is not None


def _is_for_programs(o: Observation) -> bool:
    return o.path in FOR_PROGRAMS and o.method in (b"GET", b"HEAD") and not o.is_ambiguous


def _heard(at: Standpoint, client: ClientProfile | None) -> bool:
    if client is None or len(client.challenged_s) < HEARD_TIMES or at.is_door or client.was_shown != at.shown:
        return False
    return at.view.now_s - client.challenged_s[-HEARD_TIMES] < HEARD_S


def _may_defer(client: ClientProfile, now_s: float) -> bool:
    if not client.deferred_since_s:
        client.deferred_since_s, client.deferred_calls = now_s, 1
        return True
    client.deferred_calls += 1
    return now_s - client.deferred_since_s <= DEFER_S and client.deferred_calls <= DEFER_CALLS


def _end_deferral(client: ClientProfile) -> None:
    client.deferred_since_s, client.deferred_calls = 0.0, 0
