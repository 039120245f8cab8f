"""`sagelet version`."""

from __future__ import annotations

import platform

import click

from sagelet import __version__
from sagelet.cli.context import App, with_shared_options
from sagelet.environments import daemon


@click.command()
@with_shared_options
@click.pass_obj
def command(app: App) -> None:
    """Print the versions of this program and of the daemon, where one runs."""
    info = daemon.read(app.home())
    versions = {
        "sagelet": __version__,
        "daemon": info.version if info else None,
        "python": platform.python_version(),
    }
    if app.output.json:
        app.output.document(versions)
        return
    for name, version in versions.items():
        app.output.text(f"{name:8} {version or 'not running'}")
