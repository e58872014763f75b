"""`botsieve feedback list`: who was refused and said that they are a person, and what they were refused for.

Law of the file: works without the service.
"""

from __future__ import annotations

from typing import Any

import click

from botsieve.journal.commands import service_options, state_dir_of
from botsieve.store.period import filters_of, form_options, one_form, period, time_options, whom_options
from botsieve.store.read import reading
from botsieve.store.shown import csv_text, json_text, table, when

_COLUMNS = ("time", "client", "policy", "verdict", "score", "reasons", "path", "user_agent", "id")


@click.group()
def feedback() -> None:
    """What visitors said on the block page."""


@feedback.command("list")
@service_options
@whom_options
@time_options
@form_options
def list_(
    config: str | None,
    state_dir: str | None,
    policy: str | None,
    client: str | None,
    limit: int,
    since: str | None,
    until: str | None,
    last: str | None,
    as_json: bool,
    as_csv: bool,
) -> int:
    """List who said "I am human", and to which decision.

    The newest first.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    times = period(since, until, last)
    where = state_dir_of(config, state_dir)
    with reading(where) as reader:
        found, more = reader.feedback(filters_of(where, times, policy=policy, client=client, limit=limit))
    if as_json:
        shown = [
            {name: value for name, value in one.items() if name != "time_s"} | {"time": when(one["time_s"])} for one in found
        ]
        click.echo(json_text({"feedback": shown, "more": more}))
    elif as_csv:
        click.echo(csv_text(_COLUMNS, [_flat(one) for one in found]), nl=False)
    elif not found:
        click.echo("no feedback")
    else:
        names = ("time", "client", "policy", "verdict", "score", "reasons", "id")
        rows = [[flat[name] for name in names] for flat in map(_flat, found)]
        for line in table([name.upper() for name in names], rows, right=(4,)):
            click.echo(line)
        if more:
            click.echo(f"and more; --limit shows more than {len(found)}", err=True)
    return 0


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    decision = one["decision"]
    return {
        "time": when(one["time_s"]),
        **{name: one[name] for name in ("client", "policy", "verdict", "score", "id")},
        "reasons": ",".join(decision.get("reasons", [])),
        "path": decision.get("path", ""),
        "user_agent": decision.get("user_agent", ""),
    }
