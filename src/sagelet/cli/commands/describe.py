"""`sagelet describe`: one resource, as the API describes it."""

from __future__ import annotations

import click
import yaml

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe
from sagelet.cli.resources import find


@click.command()
@click.argument("name")
@with_shared_options
@click.pass_obj
def command(app: App, *, name: str) -> None:
    """Show an endpoint, a training job, a model or a configuration by its name.

    \b
    sagelet describe my-endpoint
    sagelet describe job/my-endpoint     # where a job has the same name
    """
    _, document = find(app, name)
    if app.output.json:
        app.output.document(document)
    else:
        text = yaml.safe_dump(
            document, sort_keys=False, allow_unicode=True, default_flow_style=False
        )
        app.output.text(safe(text).rstrip())
