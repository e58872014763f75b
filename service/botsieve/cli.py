"""The command `botsieve`.  Each command lives beside what it works on and is imported when it is called.

Law of the file: exit codes are those of docs/names.md; an error of the operator is one clear message, never a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import sys
import traceback

import click

from botsieve import __version__
from botsieve.errors import BotsieveError, MachineError

_COMMANDS = {
    "serve": ("botsieve.serve:serve", "run the decision service"),
    "check-config": ("botsieve.config.commands:check_config", "say every mistake of a configuration file"),
    "replay": ("botsieve.replay.commands:replay", "judge the requests of an access log"),
    "explain": ("botsieve.replay.explain_command:explain", "say why a request was judged so"),
    "incidents": ("botsieve.store.incident_commands:incidents", "list attacks, and show what was measured in one"),
    "statistics": ("botsieve.store.statistics_command:statistics", "attacks, violations, refusals and verdicts, by policy"),
    "feedback": ("botsieve.store.feedback_command:feedback", "who said that they are a person"),
    "preventions": ("botsieve.preventions.commands:preventions", "list verdicts that last, and end them"),
    "pause": ("botsieve.journal.commands:pause", "put every policy into monitor mode, at once"),
    "resume": ("botsieve.journal.commands:resume", "end a pause"),
    "nginx": ("botsieve.edge.commands:nginx", "install the nginx includes, and check a configuration for traps"),
    "catalogue": ("botsieve.detectors.catalogue_command:catalogue", "build the fingerprint catalogue from recorded hellos"),
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class _LazyGroup(click.Group):
    """Imports a command's module only when it is called: `botsieve explain` must not wait for grpc."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="botsieve")
def _root() -> None:
    """See who scrapes you.  Then decide what happens to them."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command line; returns its exit code (docs/names.md)."""
    try:
        result = _root.main(args=arguments, prog_name="botsieve", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except BotsieveError as error:
        click.echo(f"botsieve: {error}", err=True)
        return error.exit_code
    except OSError as error:
        return _full(error) if error.errno in _NO_ROOM else _fault()
    except Exception:  # the outermost place: a fault of ours must not look like "mistakes found" (1)
        return _fault()


def _full(error: OSError) -> int:
    """What is printed, or put aside meanwhile, finds no room."""
    click.echo(
        f"botsieve: {error.strerror}; accepted: room where the output goes, and in the folder of temporary files", err=True
    )
    return MachineError.exit_code


def _fault() -> int:
    traceback.print_exc()
    click.echo("botsieve: this is a fault of ours; please report the lines above", err=True)
    return 70


def entry() -> None:
    """What the installed script calls."""
    code = main()
    with contextlib.suppress(OSError, AttributeError):  # None where there is none (>&-)
        sys.stdout.close()  # what found no room is not tried once more at the end, which would be exit code 120
    sys.exit(code)
