"""`sagelet rm`: delete resources."""

from __future__ import annotations

from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.resources import CONFIG, ENDPOINT, MODEL, ResourceKind, find
from sagelet.errors import RemoteRefused

Target = tuple[ResourceKind, str]


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--keep-model", is_flag=True, help="Delete endpoints only, not what they serve.")
@with_shared_options
@click.pass_obj
def command(app: App, *, names: tuple[str, ...], keep_model: bool) -> None:
    """Delete endpoints (with their configuration and models), models, configs and ended jobs.

    \b
    sagelet rm my-endpoint
    sagelet rm job/my-job -y
    """
    targets: list[Target] = []
    for name in names:
        kind, description = find(app, name)
        targets.append((kind, description[kind.name_member]))
        if kind is ENDPOINT and not keep_model:
            targets += _behind(app, description)
    unique = list(dict.fromkeys(targets))
    for kind, name in unique:
        app.output.say(f"delete {kind.word} {name}")
    if not app.confirm(
        f"Delete these {len(unique)} in environment {app.deploy_env().current_env()}?"
    ):
        return
    for kind, name in unique:
        app.call("sagemaker", f"Delete{kind.stem}", **{kind.name_member: name})
    if app.output.json:
        app.output.document({"deleted": [f"{kind.word}/{name}" for kind, name in unique]})


def _behind(app: App, endpoint: dict[str, Any]) -> list[Target]:
    """Return an endpoint's configuration and models, where they are still there."""
    name = endpoint["EndpointConfigName"]
    try:
        config = app.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
    except RemoteRefused as refused:
        if refused.message.startswith("Could not find"):
            return []
        raise
    models = [variant["ModelName"] for variant in config["ProductionVariants"]]
    return [(CONFIG, name), *((MODEL, model) for model in models)]
