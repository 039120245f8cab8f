"""`sagelet clean`: what ended jobs left, or the whole state."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import click

from sagelet.artifacts.downloads import remove_unused
from sagelet.cli.commands.ls import KINDS, listed
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.times import Age
from sagelet.environments import daemon
from sagelet.environments.settings import DEFAULT_ENVIRONMENT


@click.command()
@click.option("--older-than", type=Age(), default="7d", show_default=True, metavar="AGE",
              help="Jobs that ended longer ago than this.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Everything: endpoints, buckets, keys.")
@with_shared_options
@click.pass_obj
def command(app: App, *, older_than: timedelta, everything: bool) -> None:
    """Remove ended training jobs from the local environment, with their folders and logs.

    So are downloads from AWS's S3 that no job has used since. Artifacts stay in their buckets.
    `--all` stops the daemon and removes the state folder.

    \b
    sagelet clean --older-than 1d
    """
    if everything:
        _remove_all(app)
        return
    app.environment = DEFAULT_ENVIRONMENT
    before = datetime.now(UTC) - older_than
    names = [
        job["TrainingJobName"]
        for job in listed(app, KINDS["jobs"])
        if "TrainingEndTime" in job and job["TrainingEndTime"] < before
    ]
    for name in names:
        app.call("sagemaker", "DeleteTrainingJob", TrainingJobName=name)
    remove_unused(app.home().downloads, before=before.timestamp())
    if app.output.json:
        app.output.document({"removed": names})
    else:
        app.output.say(f"removed {len(names)} ended jobs")


def _remove_all(app: App) -> None:
    home = app.home()
    if not home.root.exists():
        app.output.say(f"there is nothing at {home.root}")
        return
    if not app.confirm(f"Stop the daemon and remove {home.root}, with its buckets?"):
        return
    daemon.stop(home)
    shutil.rmtree(home.root)
    app.output.say(f"removed {home.root}")
