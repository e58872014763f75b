"""`botsieve preventions list` and `botsieve preventions release`.

Law of the file: the running service is asked; without one there is nothing in force, and that is said.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from botsieve.errors import MachineError
from botsieve.journal.commands import service_options, state_dir_of
from botsieve.journal.control import ask
from botsieve.journal.render import time_text


@click.group()
def preventions() -> None:
    """Verdicts that last: which are in force, and how to end them."""


@preventions.command("list")
@click.option("--client", help="Only those that a request of this address began.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@service_options
def list_them(client: str | None, config: str | None, state_dir: str | None, *, as_json: bool) -> int:
    """List the preventions in force.

    The longest held first, at most 1,000.
    """
    said = _asked(state_dir_of(config, state_dir), "GET", "/v1/preventions" + (f"/client/{quote(client)}" if client else ""))
    if as_json:
        click.echo(json.dumps(said))
        return 0
    for row in said["preventions"]:
        click.echo(_text(row))
    shown = len(said["preventions"])
    click.echo(f"{shown} in force" if shown < 1_000 else f"{shown} shown; {said['held']} are held in all")
    return 0


@preventions.command()
@click.argument("key", required=False)
@click.option("--client", help="All that requests of this address began.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@service_options
def release(key: str | None, client: str | None, config: str | None, state_dir: str | None, *, everything: bool) -> int:
    """End a prevention by its KEY, those of an address, or all.  What led to it is forgotten."""
    if sum((key is not None, client is not None, everything)) != 1:
        raise click.UsageError("say which: one of KEY, --client ADDRESS, --all")
    what = "all" if everything else f"client/{quote(client)}" if client else f"key/{quote(str(key))}"
    state = state_dir_of(config, state_dir)
    released = 0
    while True:
        said = _asked(state, "POST", f"/v1/preventions/release/{what}")
        released += len(said["released"])
        if not everything or not said["more"]:
            break
    click.echo(f"released: {released}")
    return 0 if released or everything else 1


def _asked(state_dir: str, method: str, path: str) -> dict[str, Any]:
    asked = ask(state_dir, method, path)
    if asked is None:
        raise MachineError(f"no service runs in {state_dir}; accepted: the state.dir of a running service, or --config FILE")
    status, said = asked
    if status == 400:
        raise click.UsageError(str(said.get("error", "")))
    if status != 200:
        raise MachineError(str(said.get("error", f"the service answered {status}")))
    return said


def _text(row: dict[str, Any]) -> str:
    who = "  ".join(row[name] for name in ("key", "client", "subject", "policy", "action"))
    times = f"since {time_text(row['started_s'])}  until {time_text(row['until_s'])}"
    measures = [_measure(name, *values) for name, values in row["measures"].items()]
    return "  ".join([who, f"{row['attack_type']} ({row['detector']})", times, *measures])


def _measure(name: str, value: float, limit: float | None) -> str:
    return f"{name} {value:g}" if limit is None else f"{name} {value:g} of {limit:g}"
