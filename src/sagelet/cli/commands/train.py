"""`sagelet train`: a training job, followed to its end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.times import Duration
from sagelet.cli.training_follow import follow
from sagelet.errors import OperationFailed

if TYPE_CHECKING:
    from sagelet.deploy.training import Asked, Training

_DISTRIBUTIONS = ("torch_distributed", "mpi", "pytorchddp", "none")
_EXIT_CODE = re.compile(r"ExitCode (-?\d+)")


@click.command()
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="KEY=VALUE",
              help="A hyperparameter, over the configuration's.")  # fmt: skip
@click.option("--name", metavar="JOB", help="The job's name; default: made from the project's.")
@click.option("--hosts", type=click.IntRange(1), help="How many instances.")
@click.option("--processes", type=click.IntRange(1), help="How many processes on each of them.")
@click.option("--distribution", type=click.Choice(_DISTRIBUTIONS),
              help="What starts several; default: torch_distributed.")  # fmt: skip
@click.option("--simulate-interruption", "interruption", type=Duration(), metavar="TIME",
              help="Take its spot instances away once, so long after the start: 30s.")  # fmt: skip
@click.option("--resume", metavar="JOB", help="Go on from an ended job's checkpoints.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--detach", is_flag=True, help="Do not follow the job; it runs by itself.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    parameters: tuple[str, ...],
    name: str | None,
    hosts: int | None,
    processes: int | None,
    distribution: str | None,
    interruption: timedelta | None,
    resume: str | None,
    dry_run: bool,
    detach: bool,
) -> None:
    """Run what `train:` says as a training job, and show its log until it ends.

    Ctrl-C stops the job, with its grace; a second one kills it.

    \b
    sagelet train
    sagelet train -p epochs=20 -p learning-rate=0.01
    sagelet train --hosts 2 --processes 2
    sagelet train --simulate-interruption 30s
    """
    started = time.monotonic()
    asked = _parameters(parameters)
    if resume is not None:
        told = (hosts, processes, distribution, interruption)
        if any(option is not None for option in told) or dry_run:
            raise click.UsageError("--resume takes the older job's settings, but for -p and --name")
        job = _resumed(app, resume, name=name, hyperparameters=asked)
    else:
        from sagelet.deploy.training import Asked
        from sagelet.domain.distribution import Distribution

        wanted = Asked(
            job_name=name,
            hosts=hosts,
            processes=processes,
            distribution=None if distribution is None else Distribution(distribution),
            hyperparameters=asked,
            interrupt_after_s=(
                None if interruption is None else round(interruption.total_seconds())
            ),
        )
        training = _planned(app, wanted)
        if not _act(app, training, dry_run=dry_run):
            return
        job = training.job.name
    if detach:
        app.output.document({"TrainingJobName": job}) if app.output.json else app.output.text(job)
        return
    description = follow(app, job)
    _report(app, description, time.monotonic() - started)


def _resumed(app: App, older: str, *, name: str | None, hyperparameters: dict[str, Any]) -> str:
    """Start a job that goes on where an older one ended; return its name."""
    from datetime import UTC, datetime

    from sagelet.deploy.resuming import resumed

    description = app.call("sagemaker", "DescribeTrainingJob", TrainingJobName=older)
    document = resumed(
        description, at=datetime.now(UTC), name=name, hyperparameters=hyperparameters
    )
    tags = app.call("sagemaker", "ListTags", ResourceArn=description["TrainingJobArn"])["Tags"]
    app.call("sagemaker", "CreateTrainingJob", **document, Tags=tags)
    job: str = document["TrainingJobName"]
    app.output.say(f"{job} goes on from {description['CheckpointConfig']['S3Uri']}")
    return job


def _planned(app: App, asked: Asked) -> Training:
    from sagelet.deploy.aws import AwsRemote
    from sagelet.deploy.deployment import endpoint_name
    from sagelet.deploy.model_data import Source
    from sagelet.deploy.training import plan_training
    from sagelet.domain.clock import SystemClock

    env = app.deploy_env()
    config, settings = env.config, env.settings
    if asked.interrupt_after_s is not None and not settings.is_local:
        raise click.UsageError("--simulate-interruption is for this machine; AWS does it by itself")
    source = Source(config, settings, AwsRemote(env), endpoint_name(config, settings))
    training = plan_training(source, SystemClock(), asked)
    if training.note and not settings.is_local:
        app.output.say(training.note)
    if asked.interrupt_after_s is not None:
        app.output.say(
            f"a spot job, interrupted once after {asked.interrupt_after_s} s of training; its "
            f"checkpoints are kept at {training.job.checkpoints_url}"
        )
    if training.standing is not None:
        app.output.say(f"account {training.standing.account}, {training.standing.host}")
    return training


def _act(app: App, training: Training, *, dry_run: bool) -> bool:
    """Take the plan's steps; say whether the job was started."""
    from sagelet.deploy.aws import AwsRemote
    from sagelet.deploy.executor import Executor, PrintingExecutor
    from sagelet.deploy.plan import sentence

    env, output = app.deploy_env(), app.output
    if dry_run:
        PrintingExecutor(output.text).run(training.plan)
        return False
    if not env.is_local():
        PrintingExecutor(output.say).run(training.plan)
        if not app.confirm(f"Do this in environment {env.current_env()}?"):
            return False
    executor = Executor(
        AwsRemote(env),
        on_step=lambda step: output.say(sentence(step)),
        progress=output.progress,
    )
    executor.run(training.plan)
    return True


def _report(app: App, description: Mapping[str, Any], seconds: float) -> None:
    job, status = description["TrainingJobName"], description["TrainingJobStatus"]
    if status == "Failed":
        reason = description["FailureReason"]
        code = _EXIT_CODE.search(reason)
        raise OperationFailed(
            what=f"training job {job}", reason=reason, exit_code=int(code[1]) if code else None
        )
    artifact = description.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if app.output.json:
        app.output.document(description)
        return
    app.output.text(f"job       {job} {status}")
    if artifact:
        app.output.text(f"artifact  {artifact}")
    app.output.say(f"{status} in {seconds:.2f} s; serve it with `sagelet deploy --model {job}`")


def _parameters(written: tuple[str, ...]) -> dict[str, Any]:
    """Return KEY=VALUE pairs; a value that is JSON is what it says, anything else is text."""
    pairs = {}
    for pair in written:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.UsageError(f"{pair!r} is not KEY=VALUE")
        try:
            pairs[key] = json.loads(value)
        except ValueError:
            pairs[key] = value
    return pairs
