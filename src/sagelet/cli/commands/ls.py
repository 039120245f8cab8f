"""`sagelet ls`: what an environment has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.times import ago


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: the operation that lists it, and the members to show."""

    operation: str
    items: str
    name: str
    status: str | None
    created: str = "CreationTime"


KINDS = {
    "endpoints": Kind("ListEndpoints", "Endpoints", "EndpointName", "EndpointStatus"),
    "jobs": Kind(
        "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus"
    ),
    "models": Kind("ListModels", "Models", "ModelName", None),
    "configs": Kind("ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", None),
}


def listed(app: App, kind: Kind, limit: int | None = None) -> list[dict[str, Any]]:
    """Return all of a kind, newest first, page by page."""
    found: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    while limit is None or len(found) < limit:
        page = app.call("sagemaker", kind.operation, **parameters)
        found += page[kind.items]
        if "NextToken" not in page:
            break
        parameters["NextToken"] = page["NextToken"]
    return found[:limit]


def show(app: App, name: str, items: Sequence[dict[str, Any]]) -> None:
    """Write one kind as a table."""
    kind = KINDS[name]
    rows = [
        [item[kind.name], item[kind.status] if kind.status else "", ago(item[kind.created])]
        for item in items
    ]
    app.output.table([name, "status", "created"], rows)


@click.command()
@click.argument("kinds", nargs=-1, type=click.Choice(list(KINDS)), metavar="[KIND]...")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="At most so many of each kind, the newest first.",
)
@with_shared_options
@click.pass_obj
def command(app: App, *, kinds: tuple[str, ...], limit: int) -> None:
    """List endpoints, jobs, models and configs; without a KIND, the first three.

    \b
    sagelet ls
    sagelet ls jobs --json
    """
    wanted = kinds or ("endpoints", "jobs", "models")
    found = {name: listed(app, KINDS[name], limit) for name in wanted}
    if app.output.json:
        app.output.document(found)
        return
    for index, name in enumerate(wanted):
        if index:
            app.output.text("")
        show(app, name, found[name])
