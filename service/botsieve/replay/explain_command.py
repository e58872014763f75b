"""The command `botsieve explain`: why a request was judged so, by the id that its visitor was shown, or from a log line.

Law of the file: with an id the running service is asked for its record of the decision, then the decision log is looked through;
with `-` one line is read from standard input and judged by a fresh engine that remembers nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from botsieve.errors import ConfigError, InputError, MachineError
from botsieve.journal.commands import state_dir_of
from botsieve.journal.control import ask
from botsieve.journal.render import to_line
from botsieve.policy import Policy, Rulebook
from botsieve.replay.client_view import decision_line
from botsieve.replay.commands import parser_named
from botsieve.replay.explain import Explanation, explain_record
from botsieve.replay.explain_text import explain_lines, explain_object
from botsieve.replay.files import MAX_LINE
from botsieve.replay.formats import BUILT_IN, FACTS, facts_seen
from botsieve.replay.logged import decision_of, find_logged, id_of
from botsieve.replay.rules import PACKAGED_CONFIG, rulebook_of
from botsieve.replay.run import decision_id

_UNKNOWN = 1


@click.command()
@click.argument("what", metavar="ID|-")
@click.option("--config", "config", metavar="FILE", help="The service's configuration: its state.dir and its limits.")
@click.option("--state-dir", "state_dir", metavar="DIR", help="The service's state.dir.")
@click.option("--format", "form", metavar="FORMAT", help="With -: the log_format of the line; without it, found out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(what: str, config: str | None, state_dir: str | None, form: str | None, as_json: bool) -> int:
    """Say why a request was judged so: findings, values beside limits, the one change that alters the verdict.

    ID is what the challenge or block page and the decision log show.  With - one line of an access log or of the decision log
    is read from standard input; a line of an access log is judged alone, without what came before it.
    """
    if config is None and state_dir is None and what != "-" and os.path.exists(PACKAGED_CONFIG):
        config = str(PACKAGED_CONFIG)  # where `botsieve serve` looks, too
    notes: list[str] = []
    kept = _kept(state_dir) if config is None and what != "-" else None
    rulebook = kept or _rulebook(config, notes)
    if what == "-":
        record = _from_line(_first_line(), rulebook, form, notes)
    else:
        asked = id_of(what)
        if asked is None:
            raise click.BadParameter("an id looks like 7k3m-9x2q-f4d1-p8wz; or - for a log line", param_hint="ID")
        found = _remembered(asked, config, state_dir, notes)
        if found is None:
            return _UNKNOWN
        record = found
    explanation = explain_record(record, _policy(rulebook, record), rulebook.config if config or kept else "")
    notes += _claimed(explanation, rulebook)
    if config is None and kept is None and record.get("config") not in (None, rulebook.config):
        notes.append("The limits are those of the packaged defaults; --config FILE names the service's own.")
    _print(explanation, notes, as_json=as_json)
    return 0


def _rulebook(config: str | None, notes: list[str]) -> Rulebook:
    """Of the configuration; of the last good one, with which the service runs on, if it has mistakes."""
    try:
        return rulebook_of(config)
    except ConfigError:
        from botsieve.config.loader import load_or_last_good

        rulebook = load_or_last_good(config)[0].rulebook
        notes.append("The configuration has mistakes (`botsieve check-config`): limits are those of the last good one.")
        return rulebook


def _kept(state_dir: str | None) -> Rulebook | None:
    """Of the text that the service of a state folder applied last; None where there is none that can be read here."""
    from botsieve.config.loader import LAST_GOOD

    path = os.path.join(state_dir or "", LAST_GOOD)
    if state_dir is None or not os.path.isfile(path):
        return None
    try:
        return rulebook_of(path)
    except (ConfigError, InputError):  # a secret that only the service may read; not our file
        return None


def _print(explanation: Explanation, notes: list[str], *, as_json: bool) -> None:
    if as_json:
        out = explain_object(explanation)
        out["notes"] += notes
        click.echo(to_line(out).decode())
        return
    for line in (*explain_lines(explanation), *([""] if notes else []), *notes):
        click.echo(line)


def _policy(rulebook: Rulebook, record: Mapping[str, Any]) -> Policy:
    """The policy that the record names; the packaged default if the configuration has none of that name."""
    return next((policy for policy in rulebook.policies if policy.name == record.get("policy")), Policy())


def _claimed(explanation: Explanation, rulebook: Rulebook) -> list[str]:
    """That somebody bore a crawler's name and was neither let through nor refused for it is no finding; it is what one asks."""
    record = explanation.record
    if record["rule"] in ("crawler", "allowlist") or any(s.id == "claim.false_crawler" for s in explanation.signals):
        return []
    from botsieve.crawlers import Crawlers

    crawlers = rulebook.crawlers or Crawlers.builtin()
    name = crawlers.verifiable(str(record.get("user_agent", "")).encode("utf-8", "backslashreplace"))
    return (
        [f"It calls itself {name}; that was neither proved nor disproved by then (ranges, DNS: docs/crawlers.md)."]
        if name
        else []
    )


def _remembered(asked: str, config: str | None, state_dir: str | None, notes: list[str]) -> dict[str, Any] | None:
    """The record, from the service or else from the decision log; without one it is said where it may be."""
    state = state_dir_of(config, state_dir)
    answer = ask(state, "GET", f"/v1/decisions/{asked}")
    if answer is not None and answer[0] == 200:
        return answer[1]
    if answer is not None and answer[0] != 404:
        raise MachineError(f"the service answered {answer[0]}: {answer[1].get('error', 'no reason given')}")
    to = _decision_log(config)
    logged = _in_log(to, asked)
    if logged is not None:
        notes.append(f"Found in {to}: the service does not remember it.")
        return logged
    if answer is None:
        beside = f", and {asked} is not in {to}" if to.startswith("/") else ""
        raise MachineError(
            f"no service runs in {state}{beside}; accepted: --config FILE or --state-dir DIR of a running botsieve"
        )
    if to.startswith("/"):
        where = f"nor in {to}; packed ones: zgrep -h {asked} {to}* | botsieve explain -"
    else:
        where = f"the decision log may have it: journalctl -u botsieve -o cat | grep {asked} | botsieve explain -"
    click.echo(f"no decision {asked} among the last that the service remembers; {where}", err=True)
    return None


def _decision_log(config: str | None) -> str:
    """Where the decision log goes: a file, else "stdout" or "" (nowhere)."""
    if config is None:
        return "stdout"
    from botsieve.config.loader import load_or_last_good

    return load_or_last_good(config)[0].service.journal.to or ""


def _in_log(to: str, asked: str) -> dict[str, Any] | None:
    try:
        return find_logged(to, asked) if to.startswith("/") else None
    except OSError as error:
        raise MachineError(f"{to}: {error.strerror}; accepted: root, or the user that the service runs as") from error


def _first_line() -> bytes:
    for line in iter(lambda: sys.stdin.buffer.readline(MAX_LINE + 1), b""):
        if len(line) > MAX_LINE:
            raise InputError(f"-: the line is longer than {MAX_LINE} bytes")
        if line := line.strip(b"\r\n"):
            return line
    raise InputError("-: nothing on standard input; accepted: one line of an access log or of the decision log")


def _from_line(line: bytes, rulebook: Rulebook, form: str | None, notes: list[str]) -> Mapping[str, Any]:
    if form is None and (logged := decision_of(line)) is not None:
        return logged
    parsers = BUILT_IN if form is None else (parser_named(form),)
    o = next((o for o in (parser.parse(line) for parser in parsers) if o is not None), None)
    if o is None:
        raise InputError(
            "-: the line does not look like combined, common, the JSON of docs/access-log.md or of docs/decision-log.md; "
            "give --format '...' (the log_format of your nginx.conf)"
        )
    from botsieve.engine import Engine  # with an id no engine is needed

    decision = Engine(rulebook, b"botsieve explain: one line alone").decide(o, o.edge_time_s, decision_id(1))
    hidden = [word for fact, word in FACTS.items() if fact not in facts_seen(o.headers_seen, o.sight)]
    notes.append(
        "Judged alone, without what the client did before." + (f" The line cannot show: {', '.join(hidden)}." if hidden else "")
    )
    logged = json.loads(decision_line(o, decision))
    assert isinstance(logged, dict)
    return logged
