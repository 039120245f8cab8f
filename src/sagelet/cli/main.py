"""The `sagelet` program: finds a command, runs it, and turns errors into words and exit codes.

The names and one-line helps of the commands stand in a table here, so that `sagelet --help` and
completion import no command's module.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options


@dataclass(frozen=True, slots=True)
class Entry:
    """A command's module, its function there, and its line in the help."""

    module: str
    help: str
    section: str


_LOCAL = "The local SageMaker"
_WORK = "Train, deploy, invoke"
_LOOK = "Look and tidy"

COMMANDS = {
    "init": Entry("init", "Write a project's first files", _WORK),
    "train": Entry("train", "Run a training job and follow it", _WORK),
    "stop": Entry("stop", "Stop a training job", _WORK),
    "check": Entry("check", "Find what keeps a project from running on SageMaker", _WORK),
    "upgrade": Entry("upgrade", "Turn a training script into one for SageMaker", _WORK),
    "explain": Entry("explain", "Say why a rule of the check is one", _WORK),
    "deploy": Entry("deploy", "Bring the endpoint to what the project says", _WORK),
    "dev": Entry("dev", "Serve a folder while it is edited, and show it live", _WORK),
    "invoke": Entry("invoke", "Send a payload to an endpoint", _WORK),
    "test": Entry("test", "Send the project's payloads and compare the answers", _WORK),
    "ui": Entry("ui", "Open the web app in a browser, signed in", _LOCAL),
    "keys": Entry("keys", "Make, list and revoke API keys", _LOCAL),
    "up": Entry("up", "Start the daemon and say where it is", _LOCAL),
    "down": Entry("down", "Stop the daemon; what it knows is kept", _LOCAL),
    "status": Entry("status", "Show the daemon, its endpoints and its jobs", _LOCAL),
    "env": Entry("env", "Print the variables that point AWS clients here", _LOCAL),
    "run": Entry("run", "Run a program with those variables set", _LOCAL),
    "clean": Entry("clean", "Remove what ended jobs left, or everything", _LOCAL),
    "ls": Entry("ls", "List endpoints, jobs and models", _LOOK),
    "describe": Entry("describe", "Show one endpoint, job or model", _LOOK),
    "logs": Entry("logs", "Show the log of an endpoint or a job", _LOOK),
    "history": Entry("history", "Show, export and forget the calls that were kept", _LOOK),
    "metrics": Entry("metrics", "Show what the metrics of jobs came to", _LOOK),
    "rm": Entry("rm", "Delete endpoints, models and ended jobs", _LOOK),
    "version": Entry("version", "Print the versions of the program and the daemon", _LOOK),
}


class CommandTable(click.Group):
    """A group whose commands come from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every name, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"sagelet.cli.commands.{entry.module}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take `help X` for `X --help`, and suggest the nearest name for an unknown one."""
        if args[0] == "help":
            args = [args[1], "--help"] if len(args) > 1 else ["--help"]
            if args == ["--help"]:
                click.echo(ctx.get_help())
                ctx.exit()
        if args[0] not in COMMANDS:
            raise click.UsageError(failures.unknown_command(args[0], list(COMMANDS)), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's lines, by section."""
        for section in (_WORK, _LOCAL, _LOOK):
            rows = [
                (name, entry.help) for name, entry in COMMANDS.items() if entry.section == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where the rest is."""
        formatter.write_paragraph()
        formatter.write_text("`sagelet COMMAND --help` shows each one.")


@click.group(cls=CommandTable, no_args_is_help=True)
@with_shared_options
def cli() -> None:
    """SageMaker on your own machine: train, deploy and invoke PyTorch models.

    \b
    sagelet train                        # run train.py as a training job
    sagelet deploy                       # serve the model; prints its address
    sagelet invoke -d '[["some text"]]'  # and ask it
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code (`docs/reference/cli.md` lists them)."""
    app = App()
    try:
        result: Any = cli.main(
            args=list(argv) if argv is not None else None,
            prog_name="sagelet",
            standalone_mode=False,
            obj=app,
        )
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): there is nobody left to tell. Python would
        # try to flush standard output once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the edge: every failure becomes words and a code
        return failures.report(error, app.output)
    return result if isinstance(result, int) else 0
