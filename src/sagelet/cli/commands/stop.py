"""`sagelet stop`: end a training job."""

from __future__ import annotations

import click

from sagelet.cli.context import App, with_shared_options


@click.command()
@click.argument("job")
@with_shared_options
@click.pass_obj
def command(app: App, *, job: str) -> None:
    """Stop a training job: SIGTERM to the script, SIGKILL after its grace; keep its artifacts."""
    app.call("sagemaker", "StopTrainingJob", TrainingJobName=job)
    if app.output.json:
        app.output.document({"TrainingJobName": job, "TrainingJobStatus": "Stopping"})
    else:
        app.output.say(f"stopping {job}; follow it with `sagelet logs -f {job}`")
