"""The result of a replay as a person reads it: what would happen to whom and why, on one screen.

Law of the file: what the log cannot show stands in the first lines, not in a footnote; text of a client goes through `printable`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from heapq import nlargest

from botsieve.decision import ALLOW, BLOCK, CHALLENGE
from botsieve.observation import address_text
from botsieve.printable import printable
from botsieve.replay.clients import Tally
from botsieve.replay.clock import SCRAMBLED, ClockVerdict
from botsieve.replay.formats import FACTS
from botsieve.replay.labels import is_bot, is_human
from botsieve.replay.run import Result
from botsieve.replay.totals import LabelTotal, Shares, shares_of
from botsieve.replay.wording import counted, ordinal, span_text

DEFAULT_LIMIT = 20
_SHOWN_REASONS = 4
_NEAREST = 5
_ADDRESS_WIDTH = 16
_WORDS = ((ALLOW, "allowed"), (CHALLENGE, "challenged"), (BLOCK, "blocked"))


def text_report(
    result: Result, limit: int = DEFAULT_LIMIT, options: Sequence[str] = (), command: str = "botsieve"
) -> Iterator[str]:
    """Line by line.  `limit`: at most so many clients are listed.  `options`: of this replay, which the next one needs too.

    `command`: what the reader types for `botsieve`.
    """
    again = " ".join(_quoted(word) for word in (command, "replay", *result.files, *options))
    yield from _first_lines(result)
    if result.unreadable:
        yield f"{counted(result.unreadable, 'line')} of {result.lines:,} could not be read as a request and did not count."
    yield ""
    yield from _verdicts(result)
    if result.totals.labels:
        yield ""
        yield from _labels(result)
    yield ""
    yield from _clients(result, limit, again)


def _first_lines(result: Result) -> Iterator[str]:
    totals, clock = result.totals, result.clock
    parts = [counted(totals.requests, "request"), counted(len(totals.table), "client")]
    if clock.first_s is not None and clock.last_s is not None:
        parts.append(span_text(clock.last_s - clock.first_s))
    line = ", ".join(parts) + "."
    hidden = [word for fact, word in FACTS.items() if fact in result.not_seen]
    cannot = f"This log cannot show: {', '.join(hidden)}." if hidden and totals.requests else ""
    note = clock_note(clock)
    if note and cannot:
        yield f"{line} {note}"
        yield cannot
    else:
        yield " ".join(part for part in (line, note, cannot) if part)


def clock_note(clock: ClockVerdict) -> str:
    """What the clock keeps from being judged; "" if nothing."""
    if clock.clock == SCRAMBLED:
        back = counted(clock.backward, "line goes", "lines go")
        return f"Its clock is scrambled ({back} back): timing, windows and rates are not judged."
    if clock.first_s is not None and not clock.timing_judged:
        return f"Its clock is coarse ({clock.resolution_s:g} s): regular timing is not judged."
    return ""


def _verdicts(result: Result) -> Iterator[str]:
    clients, requests = result.totals.clients_by, result.totals.requests_by
    width = max(len(f"{count:,}") for count in (*clients.values(), 10_000))
    for verdict, word in _WORDS:
        client_word = "client " if clients[verdict] == 1 else "clients"
        request_word = "request" if requests[verdict] == 1 else "requests"
        left = f"  would be {word:<12}{clients[verdict]:>{width},} {client_word}"
        yield f"{left}{requests[verdict]:>{width + 2},} {request_word}"


def _labels(result: Result) -> Iterator[str]:
    labels = result.totals.labels
    width = max(len("label"), *(len(printable(label)) for label in labels))
    yield f"  {'label':<{width}}  clients  requests  allowed  challenged  blocked"
    for label, total in sorted(labels.items()):
        yield f"  {printable(label):<{width}}  {total.clients:>7,}  {total.requests:>8,}{_by_verdict(total)}"
    if any(is_bot(label) or is_human(label) for label in labels):
        yield "  " + _shares(shares_of(labels))


def _by_verdict(total: LabelTotal) -> str:
    by = total.by_verdict
    return f"  {by[ALLOW]:>7,}  {by[CHALLENGE]:>10,}  {by[BLOCK]:>7,}"


def _shares(shares: Shares) -> str:
    caught, hurt = shares.bots_challenged + shares.bots_blocked, shares.humans_challenged + shares.humans_blocked
    return (
        f"caught {caught:,} of {counted(shares.labelled_bots, 'bot')} (recall {_percent(shares.recall)}), "
        f"stopped {hurt:,} of {counted(shares.labelled_humans, 'human')} ({_percent(shares.false_positive_rate)}; "
        f"{shares.humans_blocked:,} blocked); precision {_percent(shares.precision)}"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _clients(result: Result, limit: int, again: str) -> Iterator[str]:
    """`again`: the command that made this report."""
    totals = result.totals
    stopped = totals.clients_by[CHALLENGE] + totals.clients_by[BLOCK]
    if not stopped:
        yield from _nobody(result, again)
        return
    listed = list(totals.table.worst_first(min(limit, stopped)))
    titles = ("client", "requests", "first challenge", "first block", "why")
    yield from _table(
        titles,
        [
            (address_text(t.client), f"{t.requests:,}", ordinal(t.first_challenge), ordinal(t.first_block), _why(t))
            for t in listed
        ],
    )
    if stopped > len(listed):
        yield f"  ... and {counted(stopped - len(listed), 'client')} more (--limit {stopped})"
    if listed:
        yield _in_full(listed[0], again)


def _nobody(result: Result, again: str) -> Iterator[str]:
    """Nobody would be stopped: who came nearest, and where to look next."""
    if not result.totals.requests:
        return
    nearest = [t for t in nlargest(_NEAREST, result.totals.table.worst_first(), key=lambda t: t.max_score) if t.max_score]
    if not nearest:
        yield "Nobody would be challenged or blocked, and no request had a finding."
        yield "docs/access-log.md: what a log should hold; docs/limits.md: what none can show."
        return
    yield "Nobody would be challenged or blocked.  Who came nearest:"
    yield ""
    rows = [(address_text(t.client), f"{t.requests:,}", f"{t.max_score} of 100", _why(t)) for t in nearest]
    yield from _table(("client", "requests", "highest score", "why"), rows)
    yield _in_full(nearest[0], again)
    yield "A site for people only?  Judge it as one:  policies: [{name: site, audience: browser}] in a file, and --config FILE."


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, the second to the right, the last as long as it is, those between centred."""
    widths = [max(len(row[at]) for row in (titles, *rows)) for at in range(len(titles))]
    widths[0] = max(widths[0], _ADDRESS_WIDTH)
    for row in (titles, *rows):
        middle = [f"{row[at]:^{widths[at]}}" for at in range(2, len(row) - 1)]
        yield "  " + "  ".join([f"{row[0]:<{widths[0]}}", f"{row[1]:>{widths[1]}}", *middle, row[-1]]).rstrip()


def _in_full(tally: Tally, again: str) -> str:
    return f"One client in full:  {again} --client {address_text(tally.client)}"


def _quoted(word: str) -> str:
    return shlex.quote(printable(word.encode("utf-8", "surrogateescape"), 4096))


def _why(tally: Tally) -> str:
    reasons = sorted(tally.reasons, key=lambda reason: (-tally.reasons[reason], reason))
    more = len(reasons) - _SHOWN_REASONS
    return ", ".join(printable(reason) for reason in reasons[:_SHOWN_REASONS]) + (f" and {more} more" if more > 0 else "")
