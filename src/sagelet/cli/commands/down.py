"""`sagelet down`."""

from __future__ import annotations

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.environments import daemon


@click.command()
@with_shared_options
@click.pass_obj
def command(app: App) -> None:
    """Stop the daemon: it drains what it serves. Jobs go on, and endpoints come back with `up`."""
    home = app.home()
    info = daemon.read(home)
    if info is None:
        app.output.say(f"no daemon runs on {home.root}")
    else:
        daemon.stop(home)
        app.output.say(f"stopped the daemon (pid {info.pid}) at {info.address}")
    if app.output.json:
        app.output.document({"stopped": info is not None, "home": str(home.root)})
