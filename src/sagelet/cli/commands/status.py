"""`sagelet status`: the daemon, what it serves and what it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from sagelet.cli.commands.ls import KINDS, listed, show
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.running import local_api
from sagelet.environments import daemon
from sagelet.environments.settings import DEFAULT_ENVIRONMENT


@click.command()
@with_shared_options
@click.pass_obj
def command(app: App) -> None:
    """Show whether the daemon runs, where, its endpoints and its running jobs; start nothing."""
    home = app.home()
    info = daemon.read(home)
    facts: dict[str, Any] = {
        "daemon": "running" if info else "not running",
        "address": info.address if info else None,
        "pid": info.pid if info else None,
        "version": info.version if info else None,
        "public": None,
        "home": str(home.root),
        "size_mb": round(_size_bytes(home.root) / 2**20, 1),
    }
    if info is None:
        _show(app, facts, {})
        return
    app.environment = DEFAULT_ENVIRONMENT
    facts["public"] = local_api(app).public_listener().get("url")
    jobs = [job for job in listed(app, KINDS["jobs"], 100) if "TrainingEndTime" not in job]
    _show(app, facts, {"endpoints": listed(app, KINDS["endpoints"], 100), "jobs": jobs})


def _show(app: App, facts: dict[str, Any], resources: dict[str, list[dict[str, Any]]]) -> None:
    if app.output.json:
        app.output.document(facts | resources)
        return
    for name, value in facts.items():
        if value is not None:
            app.output.text(f"{name:8} {value}")
    for name, items in resources.items():
        app.output.text("")
        show(app, name, items)


def _size_bytes(root: Path) -> int:
    """Return what the files of a folder hold; one that goes away meanwhile counts nothing."""
    total = 0
    for folder, _, files in os.walk(root):
        for name in files:
            try:
                total += Path(folder, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
