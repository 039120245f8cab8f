"""`sagelet deploy`: plan, act, wait."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import Output

if TYPE_CHECKING:
    from sagelet.deploy.deployment import Deployment, Prepared


@click.command()
@click.option(
    "--model", metavar="WHERE", help="Serve this model: a folder, a model.tar.gz, or a job."
)
@click.option("--workers", metavar="N", help="Worker processes, or auto: one a core.")
@click.option(
    "--contract",
    type=click.Choice(["sane", "strict"]),
    help="How closely to keep to the container.",
)
@click.option(
    "--sample",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A payload that new code has to answer before it serves.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the endpoint serves.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    model: str | None,
    workers: str | None,
    contract: str | None,
    sample: Path | None,
    dry_run: bool,
    no_wait: bool,
) -> None:
    """Bring the endpoint to what the project says: plan, upload what changed, create or update.

    \b
    sagelet deploy                       # the project's own model
    sagelet deploy --model latest        # what the last training job made
    sagelet deploy -e production --dry-run
    """
    # These know AWS, the configuration and archives: too much for `--help`.
    from sagelet.deploy.aws import AwsRemote
    from sagelet.deploy.deployment import Deployment, Instead
    from sagelet.deploy.executor import Executor, PrintingExecutor
    from sagelet.deploy.plan import sentence
    from sagelet.deploy.waiting import DEFAULT_TIMEOUT_S

    app.settle({"workers": workers, "contract": contract})
    env, output = app.deploy_env(), app.output
    started = time.monotonic()
    instead = Instead(model=model, sample=sample)
    deployment = Deployment(env, AwsRemote(env), on_note=output.say, instead=instead)
    timeout_s = app.timeout_s or DEFAULT_TIMEOUT_S
    prepared = deployment.prepare(settle_timeout_s=timeout_s)
    _show_target(output, prepared)
    if dry_run:
        deployment.act(prepared, PrintingExecutor(output.text))
        return
    if not env.is_local() and prepared.plan.changes:
        deployment.act(prepared, PrintingExecutor(output.say))
        if not app.confirm(f"Do this in environment {env.current_env()}?"):
            return
    executor = Executor(
        deployment.remote,
        on_step=lambda step: output.say(sentence(step)),
        progress=output.progress,
    )
    deployment.act(prepared, executor)
    if not no_wait:
        with output.working(f"waiting for {prepared.wanted.endpoint} to be in service"):
            deployment.wait(prepared, timeout_s=timeout_s)
    _show_result(output, deployment, prepared, time.monotonic() - started)


def _show_target(output: Output, prepared: Prepared) -> None:
    if prepared.standing is not None:
        standing = prepared.standing
        output.say(
            f"account {standing.account} ({standing.identity}), {standing.region}, {standing.host}"
        )


def _show_result(
    output: Output, deployment: Deployment, prepared: Prepared, seconds: float
) -> None:
    wanted = prepared.wanted
    url = f"{deployment.remote.address}/endpoints/{wanted.endpoint}/invocations"
    facts: dict[str, Any] = {
        "endpoint": wanted.endpoint,
        "config": wanted.config.name,
        "model": wanted.model.name,
        "url": url,
        "seconds": round(seconds, 3),
    }
    if deployment.is_local:
        facts["page"] = f"{deployment.remote.address}/endpoints/{wanted.endpoint}"
    if output.json:
        output.document(facts)
        return
    output.text(f"endpoint  {wanted.endpoint}")
    output.text(f"url       {url}")
    if deployment.is_local:
        output.text(f"page      {facts['page']}")
    elsewhere = "" if deployment.is_local else f" -e {deployment.environment}"
    output.say(
        f"deployed in {seconds:.2f} s; "
        f"ask it with `sagelet invoke{elsewhere} {wanted.endpoint} -d …`"
        + (f", or in the browser: `sagelet ui {wanted.endpoint}`" if deployment.is_local else "")
    )
