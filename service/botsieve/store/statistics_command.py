"""`botsieve statistics`: attacks, violations, refused requests and verdicts of a period, by policy or by time.

Law of the file: works without the service; what is not over (the running minute) is not in it yet.
"""

from __future__ import annotations

import click

from botsieve.journal.commands import service_options, state_dir_of
from botsieve.store.messages import COUNTS
from botsieve.store.period import filters_of, form_options, one_form, period, time_options
from botsieve.store.read import STEPS, reading
from botsieve.store.shown import csv_text, json_text, table, when

_MAX_ROWS = 1_000_000


@click.command()
@service_options
@click.option(
    "--by", multiple=True, type=click.Choice(["policy", *STEPS]), help="A row for each; may be given twice: policy and a time."
)
@click.option("--policy", metavar="NAME", help="Of this policy.")
@time_options
@form_options
def statistics(
    config: str | None,
    state_dir: str | None,
    by: tuple[str, ...],
    policy: str | None,
    since: str | None,
    until: str | None,
    last: str | None,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Sum up a period: attacks that began, violations, requests of attacks that were refused, and verdicts.  Default: the last 24h."""
    one_form(as_json=as_json, as_csv=as_csv)
    if len([name for name in by if name in STEPS]) > 1:
        raise click.UsageError(f"--by takes one of {', '.join(STEPS)}")
    times = period(since, until, last, "" if until else "24h")
    where = state_dir_of(config, state_dir)
    with reading(where) as reader:
        rows = reader.statistics(filters_of(where, times, policy=policy, limit=_MAX_ROWS), by)
    for row in rows:
        if "time_s" in row:
            row["time"] = when(row.pop("time_s"))
    names = [name for name in ("time", "policy") if (name in by) or (name == "time" and any(one in STEPS for one in by))]
    if as_json:
        click.echo(json_text({"statistics": rows}))
    elif as_csv:
        click.echo(csv_text([*names, *COUNTS], rows), nl=False)
    else:
        headings = [name.upper().replace("_", "-") for name in (*names, *COUNTS)]
        cells = [[row[name] for name in (*names, *COUNTS)] for row in rows]
        for line in table(headings, cells, right=range(len(names), len(headings))):
            click.echo(line)
        if not any(row[name] for row in rows for name in COUNTS):
            click.echo("nothing was counted in this time; the running minute is not in it yet")
    return 0
