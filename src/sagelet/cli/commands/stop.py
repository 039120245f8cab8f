"""`sagelet stop`: end a training job."""

from __future__ import annotations

import click

from sagelet.cli.context import App, with_shared_options


@click.command()
@click.argument("job")
@click.option("--force", is_flag=True, help="Kill it at once; on this machine only.")
@with_shared_options
@click.pass_obj
def command(app: App, *, job: str, force: bool) -> None:
    """Stop a training job: SIGTERM to the script, SIGKILL after its grace; keep its artifacts."""
    if force and not app.deploy_env().is_local():
        raise click.UsageError("--force is for jobs of this machine; AWS kills after two minutes")
    if force:
        from sagelet.cli.running import local_api

        local_api(app).kill_job(job)
    else:
        app.call("sagemaker", "StopTrainingJob", TrainingJobName=job)
    if app.output.json:
        app.output.document({"TrainingJobName": job, "TrainingJobStatus": "Stopping"})
    else:
        app.output.say(f"stopping {job}; follow it with `sagelet logs -f {job}`")
