"""`botsieve check-config [FILE]`: every mistake, or what would apply.

Law of the file: it changes nothing, and says of a file exactly what `serve` and a reload would.
"""

from __future__ import annotations

import asyncio

import click

from botsieve.config.loader import DEFAULT_FILE, find, load
from botsieve.config.settings import Loaded
from botsieve.errors import ConfigError
from botsieve.lookups.address_data import read_once
from botsieve.policy import Policy


@click.command("check-config")
@click.argument("file", required=False)
def check_config(file: str | None) -> int:
    """Say every mistake of FILE (default: /etc/botsieve/botsieve.yaml), or what it would do.

    Exit code 0: right; 1: mistakes, one a line; 5: not readable.
    """
    try:
        loaded = load(file)
    except ConfigError as error:
        for mistake in error.mistakes:
            click.echo(mistake)
        return 1
    for warning in loaded.warnings:
        click.echo(f"{warning} (a warning)")
    refused = asyncio.run(read_once(loaded.service.lookups)).mistakes
    for mistake in refused:
        click.echo(mistake)
    if refused:
        return 1
    for line in described(loaded, find(file)):
        click.echo(line)
    return 0


def described(loaded: Loaded, source: str) -> list[str]:
    """What applies, in a few lines."""
    lines = [f"{source or f'{DEFAULT_FILE} does not exist: the packaged defaults'}: no mistakes, configuration {loaded.config}"]
    lines.append("policies, the first that matches a request applies:")
    lines += [f"  {_policy(policy)}" for policy in loaded.rulebook.policies[:20]]
    if len(loaded.rulebook.policies) > 20:
        lines.append(f"  and {len(loaded.rulebook.policies) - 20} more")
    listeners = [f"{edge.name} {edge.listen}" for edge in loaded.service.edges if edge.listen]
    if loaded.service.web:
        listeners.append(f"web {loaded.service.web}")
    lines.append("listeners: " + ", ".join(listeners))
    return lines


def _policy(policy: Policy) -> str:
    hosts = _few(policy.hosts) or "any host"
    paths = _few(policy.paths.texts) or "any path"
    first = f"challenge from {policy.challenge_at}, " if policy.challenge != "none" else ""
    rules = f", {len(policy.rules)} rules" if policy.rules else ""
    what = f"{policy.mode}, audience {policy.audience}, {first}block from {policy.block_at}{rules}"
    return f"{policy.name}: {hosts}, {paths}: {what}"


def _few(texts: tuple[str, ...]) -> str:
    shown = " ".join(texts[:3])
    return f"{shown} and {len(texts) - 3} more" if len(texts) > 3 else shown
