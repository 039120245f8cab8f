"""`sagelet run -- CMD`: a program with every AWS client in it pointed at the daemon."""

from __future__ import annotations

import os

import click

from sagelet.cli.commands.env import variables_of
from sagelet.cli.context import App, with_shared_options
from sagelet.environments.variables import CONFLICTING


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD [ARG]...")
@with_shared_options
@click.pass_obj
def command(app: App, *, argv: tuple[str, ...]) -> None:
    """Run a program with the variables of `sagelet env` set; its exit code is this one's.

    \b
    sagelet run -- python deploy.py
    """
    environment = {name: value for name, value in os.environ.items() if name not in CONFLICTING}
    environment |= variables_of(app)
    try:
        os.execvpe(argv[0], list(argv), environment)  # noqa: S606  no shell is wanted
    except FileNotFoundError as error:
        raise click.UsageError(f"no program {argv[0]!r} on the PATH") from error
    except OSError as error:
        raise click.UsageError(f"{argv[0]}: {error.strerror}") from error
