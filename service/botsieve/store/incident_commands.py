"""`botsieve incidents list` and `botsieve incidents show ID`: attacks, their cause, and the requests that caused them.

Law of the file: works without the service; exit codes are docs/names.md's.
"""

from __future__ import annotations

from typing import Any

import click

from botsieve.attacks.types import ENDED, EXPIRED, RELEASED
from botsieve.decision import ENFORCE
from botsieve.journal.commands import service_options, state_dir_of
from botsieve.printable import printable_ascii
from botsieve.store.period import filters_of, form_options, one_form, period, time_options, whom_options
from botsieve.store.read import reading
from botsieve.store.shown import csv_text, json_text, table, when

_UNKNOWN = 1
_COLUMNS = (
    "attack_type",
    "client",
    "policy",
    "started",
    "ended",
    "violations",
    "rejected",
    "challenged",
    "subject",
    "subjects",
    "why",
    "action",
    "mode",
    "cause",
    "id",
)
_WHY = {
    ENDED: "what was measured stayed low",
    EXPIRED: "its time was over",
    RELEASED: "an operator ended it",
}


@click.group()
def incidents() -> None:
    """Attacks: what, who, when, how many requests, and why it counts as one."""


@incidents.command("list")
@service_options
@whom_options
@click.option("--type", "attack_type", metavar="TEXT", help="Whose attack type holds this, in any case.")
@click.option("--open", "only_open", is_flag=True, help="That go on.")
@time_options
@form_options
def list_(
    config: str | None,
    state_dir: str | None,
    policy: str | None,
    attack_type: str | None,
    client: str | None,
    only_open: bool,
    limit: int,
    since: str | None,
    until: str | None,
    last: str | None,
    as_json: bool,
    as_csv: bool,
) -> int:
    """List incidents, the newest first."""
    one_form(as_json=as_json, as_csv=as_csv)
    times = period(since, until, last)
    where = state_dir_of(config, state_dir)
    filters = filters_of(
        where, times, policy=policy, client=client, limit=limit, attack_type=attack_type or "", only_open=only_open
    )
    with reading(where) as reader:
        found, more = reader.incidents(filters)
    if as_json:
        click.echo(json_text({"incidents": [_shown(one) for one in found], "more": more}))
    elif as_csv:
        click.echo(csv_text(_COLUMNS, [_flat(one) for one in found]), nl=False)
    else:
        _print(found, more=more)
    return 0


def _print(found: list[dict[str, Any]], *, more: bool) -> None:
    if not found:
        click.echo("no incidents")
        return
    rows = [
        (
            when(one["started_s"]),
            when(one["ended_s"]) or "goes on",
            one["attack_type"],
            _whom(one),
            one["policy"],
            one["violations"],
            one["rejected"],
            one["id"],
        )
        for one in found
    ]
    for line in table(("STARTED", "ENDED", "TYPE", "CLIENT", "POLICY", "REQUESTS", "REJECTED", "ID"), rows, right=(5, 6)):
        click.echo(line)
    if more:
        click.echo(f"and more; --limit shows more than {len(found)}", err=True)


def _whom(one: dict[str, Any]) -> str:
    """The client; of an incident that several share, the network or everybody, and how many they are."""
    if one["subjects"] <= 1:
        return str(one["client"])
    who = one["network"] if one["subject"] == "network" else "everywhere"
    return f"{who} ({one['subjects']} clients)"


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    """An incident as the JSON of docs/incidents.md: times as text, what is not there left out."""
    out = {name: value for name, value in one.items() if not name.endswith("_s") and name not in ("why", "requests")}
    out |= {"open": not one["ended_s"], "started": when(one["started_s"]), "last": when(one["last_s"])}
    if one["ended_s"]:
        out |= {"ended": when(one["ended_s"]), "why": one["why"]}
    else:
        out |= {"until": when(one["until_s"])}
    return out


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"started": when(one["started_s"]), "ended": when(one["ended_s"]), "cause": "; ".join(_causes(one))}


def _causes(one: dict[str, Any]) -> list[str]:
    said = []
    for name, measure in one["measures"].items():
        limit = f" (limit {measure['limit']:g})" if "limit" in measure else ""
        said.append(f"{name} {measure['highest']:g}{limit}")
    return [*said, *one["details"]]


@incidents.command()
@click.argument("incident_id", metavar="ID")
@service_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(incident_id: str, config: str | None, state_dir: str | None, as_json: bool) -> int:
    """Show one incident: its cause and its requests.

    Each number stands beside its threshold; ID is what `list` prints last.
    """
    with reading(state_dir_of(config, state_dir)) as reader:
        found = reader.incident(incident_id.strip().lower())
    if found is None:
        click.echo(f"no incident {printable_ascii(incident_id)}; `botsieve incidents list` shows those that are kept", err=True)
        return _UNKNOWN
    if as_json:
        requests = [one | {"time": when(one["time_s"])} for one in found["requests"]]
        click.echo(json_text(_shown(found) | {"requests": requests}))
        return 0
    for line in _lines(found):
        click.echo(line)
    return 0


def _lines(one: dict[str, Any]) -> list[str]:
    ended = f"ended {when(one['ended_s'])}: {_WHY.get(one['why'], one['why'])}" if one["ended_s"] else "goes on"
    lines = [
        f"{one['attack_type']}  ({one['detector']})  {one['id']}",
        f"policy {printable_ascii(one['policy'])}, {_prevention(one)}",
        f"client {_whom(one)}, counted on: {one['subject']}, network {one['network']}",
        f"began {when(one['started_s'])}, last violation {when(one['last_s'])}, {ended}",
        _counts(one),
        "",
    ]
    measured = [
        (name, f"{found['highest']:g}", f"{found['last']:g}", f"{found['limit']:g}" if "limit" in found else "")
        for name, found in one["measures"].items()
    ]
    if measured:
        lines += [*table(("MEASURED", "HIGHEST", "LAST", "THRESHOLD"), measured, right=(1, 2, 3)), ""]
    if one["details"]:
        lines += [f"found: {printable_ascii(', '.join(one['details']))}", ""]
    requests = one["requests"]
    if requests:
        lines.append(
            f"{len(requests)} of its requests (docs/incidents.md says which); `botsieve explain DECISION` tells more of one"
        )
        rows = [
            (
                when(r["time_s"]),
                r["decision"],
                r["verdict"],
                r["score"],
                r["method"],
                r["host"] + r["path"],
                r["user_agent"],
            )
            for r in requests
        ]
        lines += table(("TIME", "DECISION", "VERDICT", "SCORE", "METHOD", "PATH", "USER-AGENT"), rows, right=(3,))
    return lines


def _counts(one: dict[str, Any]) -> str:
    counts = f"{one['violations']} violating requests, {one['rejected']} refused, {one['challenged']} challenged"
    by_other = one["action"] != "block" and (one["rejected"] or one["challenged"])
    return counts + (" (by their score, a rule or another prevention)" if by_other else "")


def _prevention(one: dict[str, Any]) -> str:
    """What the prevention does (S2-67: attack prevention state)."""
    if one["action"] != "block":
        return "action alarm: told, nothing refused by it"
    if one["mode"] != ENFORCE:
        return "action block in mode monitor: told, nothing refused"
    if one["ended_s"]:
        return "action block: refused"
    return f"action block: refused until {when(one['until_s'])} or earlier; `botsieve preventions list` and `release` end it"
