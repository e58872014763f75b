"""`botsieve pause` and `botsieve resume`.

Law of the file: a running service is asked; without one the pause file itself is written or removed: the next start obeys.
"""

from __future__ import annotations

from pathlib import Path

import click

from botsieve.errors import MachineError
from botsieve.journal.control import NoAnswerError, ask
from botsieve.journal.pause import PauseSwitch

_CONFIG_HELP = "Names the state.dir.  Default: /etc/botsieve/botsieve.yaml, if it is there."


def state_dir_of(config: str | None, state_dir: str | None) -> str:
    """The state directory that a command means: as given, else as the configuration says, else the packaged one.

    A file with mistakes is no reason not to pause: the service runs with the last good one, and so does the command.

    Errors: ConfigError or InputError for a configuration that is refused, with no good one before it, or cannot be read.
    """
    if state_dir is not None:
        return state_dir
    from botsieve.config.loader import load_or_last_good  # heavy, and needed here only

    loaded, mistakes = load_or_last_good(config)
    if mistakes:
        click.echo(f"botsieve: {mistakes[0]}", err=True)
        click.echo("botsieve: the configuration has mistakes; the last good one says where the service is", err=True)
    return loaded.service.state.dir


def service_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that name a running service."""
    command = click.option("--state-dir", type=click.Path(file_okay=False), help="The service's state.dir.")(command)
    return click.option("--config", type=click.Path(dir_okay=False), help=_CONFIG_HELP)(command)


@click.command()
@service_options
def pause(config: str | None, state_dir: str | None) -> int:
    """Puts every policy into monitor mode within a second: all requests are let through and still recorded.

    It lasts until `botsieve resume`, also over a restart.
    """
    return _switch(state_dir_of(config, state_dir), to_pause=True)


@click.command()
@service_options
def resume(config: str | None, state_dir: str | None) -> int:
    """Ends a pause: every policy is in its own mode again."""
    return _switch(state_dir_of(config, state_dir), to_pause=False)


def _switch(state_dir: str, *, to_pause: bool) -> int:
    try:
        asked = ask(state_dir, "POST", "/v1/pause" if to_pause else "/v1/resume")
    except NoAnswerError:
        return _without_answer(state_dir, to_pause=to_pause)
    if asked is None:
        return _without_service(state_dir, to_pause=to_pause)
    status, said = asked
    if status != 200:
        raise MachineError(str(said.get("error", f"the service answered {status}")))
    policies = ", ".join(f"{name} {mode}" for name, mode in said["policies"].items())
    word = "paused" if to_pause else "resumed"
    if not said["changed"]:
        word = "was paused already" if to_pause else "was not paused"
    click.echo(f"{word}: {policies or 'no policy yet'}")
    return 0


def _without_answer(state_dir: str, *, to_pause: bool) -> int:
    """The service hangs: it looks at the file as soon as it goes on."""
    switch = PauseSwitch(state_dir)
    if to_pause:
        switch.set()
    else:
        switch.clear()
    word = "paused" if to_pause else "resumed"
    click.echo(
        f"the service does not answer: it will be {word} as soon as it goes on; meanwhile nginx lets pass (or refuses: --closed)"
    )
    return 0


def _without_service(state_dir: str, *, to_pause: bool) -> int:
    if not Path(state_dir).is_dir():
        raise MachineError(f"state.dir: {state_dir}: no such directory; accepted: the state.dir of a service, or --config FILE")
    switch = PauseSwitch(state_dir)
    changed = switch.set() if to_pause else switch.clear()
    if to_pause:
        click.echo(f"no service runs in {state_dir}: it {'will start' if changed else 'was already to start'} paused")
    else:
        click.echo(f"no service runs in {state_dir}: {'the pause is over' if changed else 'it was not paused'}")
    return 0
