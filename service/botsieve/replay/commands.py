"""The command `botsieve replay`: reads access logs and says who would be allowed, challenged, blocked, and why.

Law of the file: the report goes to standard output, everything else to standard error; exit codes are docs/names.md's.
"""

from __future__ import annotations

import os
import shutil
import sys

import click

from botsieve.errors import InputError, InvalidObservation
from botsieve.observation import pack_address
from botsieve.policy import Rulebook
from botsieve.printable import printable
from botsieve.replay.client_view import ClientView
from botsieve.replay.formats import LineParser, built_in
from botsieve.replay.labels import Labels, read_labels
from botsieve.replay.log_format import LogFormat
from botsieve.replay.nginx_conf import NginxLogs, directives
from botsieve.replay.report import json_report
from botsieve.replay.rules import rulebook_of
from botsieve.replay.run import OnDecision, ParserFor, Result
from botsieve.replay.run import replay as run_replay
from botsieve.replay.text_report import DEFAULT_LIMIT, text_report

_OK, _UNKNOWN, _UNREADABLE, _OUR_FAULT = 0, 1, 5, 70


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@click.option("--config", "config", metavar="FILE", help="Judge by this configuration; without it, by the packaged defaults.")
@click.option(
    "--labels",
    "labels",
    metavar="F",
    help="A table of ip, ua and label (tab or comma separated): says who is caught and who is hurt.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/replay.md).")
@click.option(
    "--limit", type=click.IntRange(min=0), help=f"List so many clients; the totals stay complete.  Text: {DEFAULT_LIMIT}."
)
@click.option("--client", "client", metavar="ADDR", help="One client in full: each request with its verdict and findings.")
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    help="A log_format of nginx, or the name of one: combined, common, botsieve, or one of --nginx-conf.",
)
@click.option(
    "--nginx-conf", "nginx_conf", metavar="FILE", help="What `nginx -T` prints: the log_format of each log is looked up there."
)
def replay(
    logs: tuple[str, ...],
    config: str | None,
    labels: str | None,
    as_json: bool,
    limit: int | None,
    client: str | None,
    form: str | None,
    nginx_conf: str | None,
) -> int:
    """Judge the requests of access logs: who would be allowed, challenged, blocked, and why.

    LOG is combined, common or the JSON of docs/access-log.md, plain or .gz; several are merged by time; - is standard input.
    Nothing is installed, sent or changed.
    """
    view = None if client is None else ClientView(_packed(client), click.echo, as_json=as_json)
    rulebook, known = rulebook_of(config), None if labels is None else read_labels(labels)
    try:
        result = _replay(list(logs), rulebook, _parser_for(form, nginx_conf), known, view)
        named = (("--config", config), ("--format", form), ("--nginx-conf", nginx_conf))
        _print(result, view, limit, [word for name, value in named if value for word in (name, value)], as_json=as_json)
    except BrokenPipeError:
        # `| head`: the reader has seen enough.  What Python would still flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OK
    if view is not None and not view.count:
        click.echo(f"no request of {client} in {', '.join(map(_named, logs))}", err=True)
        return _complain(result) or _UNKNOWN
    return _complain(result)


def _print(result: Result, view: ClientView | None, limit: int | None, options: list[str], *, as_json: bool) -> None:
    if view is None and as_json:
        for piece in json_report(result, limit):
            sys.stdout.write(piece.decode())
    elif view is None:
        for line in text_report(result, DEFAULT_LIMIT if limit is None else limit, options, command_name()):
            click.echo(line)
    sys.stdout.flush()


def command_name() -> str:
    """What to type for `botsieve`: in a clone that is `.venv/bin/botsieve`, since nothing of it is on the PATH."""
    called = sys.argv[0]
    return called if os.path.basename(called) == "botsieve" and shutil.which("botsieve") is None else "botsieve"


def _replay(
    logs: list[str], rulebook: Rulebook, parser_for: ParserFor, labels: Labels | None, view: ClientView | None
) -> Result:
    on_decision: OnDecision = view if view is not None else lambda o, decision: None
    if not sys.stderr.isatty() or view is not None:
        return run_replay(logs, rulebook, parser_for=parser_for, labels=labels, on_decision=on_decision)
    with click.progressbar(length=1, label="reading", file=sys.stderr) as bar:

        def on_size(size: int) -> None:
            bar.length = max(1, size)
            bar.update_min_steps = max(1, size // 500)

        return run_replay(logs, rulebook, parser_for=parser_for, labels=labels, on_size=on_size, on_bytes=bar.update)


def _packed(client: str) -> bytes:
    try:
        return pack_address(client)
    except InvalidObservation as error:
        raise click.BadParameter(str(error), param_hint="--client") from None


def _parser_for(form: str | None, nginx_conf: str | None) -> ParserFor:
    """How each log is read: as --format says, else as the nginx configuration says, else as its lines look."""
    logs = NginxLogs.read(nginx_conf) if nginx_conf is not None else None
    if form is None:
        return (lambda name: None) if logs is None else logs.parser_for
    parser = parser_named(form, logs)
    return lambda name: parser


def parser_named(form: str, logs: NginxLogs | None = None) -> LineParser:
    """`--format`: a name, or a log_format as it stands in nginx.conf, with or without its quotes.  Errors: InputError."""
    if "$" not in form:
        if logs is not None:
            return logs.named(form)
        parser = built_in(form)
        if parser is not None:
            return parser
        raise InputError(
            f"--format {printable(form)}: accepted: combined, common, botsieve, or a log_format with its $variables"
        )
    escape, text = "default", form.strip().rstrip(";")
    if text.startswith("escape="):
        escape, _, text = text.partition("=")[2].partition(" ")
        text = text.strip()
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        text = "".join(next(directives(text + ";"), []))
    return LogFormat(text, escape)


def _complain(result: Result) -> int:
    """What went wrong on the way, on standard error; the exit code."""
    for broken in result.broken:
        click.echo(f"botsieve: {broken}; what was read before it is reported", err=True)
    for signal, (error, count) in result.failed.items():
        click.echo(
            f"botsieve: {signal} failed {count} times and was left out ({printable(error)}); please report this", err=True
        )
    if result.broken:
        return _UNREADABLE
    return _OUR_FAULT if result.failed else _OK


def _named(log: str) -> str:
    return printable(log.encode("utf-8", "surrogateescape"), 4096)
