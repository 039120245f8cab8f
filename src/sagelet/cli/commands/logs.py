"""`sagelet logs`: what an endpoint's workers or a job's script wrote."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe
from sagelet.cli.resources import ENDPOINT, JOB, ResourceKind, find
from sagelet.cli.times import Age
from sagelet.errors import RemoteRefused

ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"
JOB_GROUP = "/aws/sagemaker/TrainingJobs"
_LOOK_EVERY_S = 0.3


@click.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come; a job's end ends it.")
@click.option("--since", type=Age(), metavar="AGE", help="Only this recent: 90s, 10m, 2h, 7d.")
@click.option("--search", metavar="TEXT", help="Only lines with this text.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@click.option("--jsonl", is_flag=True, help="One JSON document a line.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    name: str,
    follow: bool,
    since: timedelta | None,
    search: str | None,
    timestamps: bool,
    jsonl: bool,
) -> None:
    """Show the log of an endpoint or of a training job.

    \b
    sagelet logs my-endpoint -f
    sagelet logs my-job --since 10m --search loss
    """
    kind, description = find(app, name, (ENDPOINT, JOB))
    parameters: dict[str, Any] = group_of(kind, description[kind.name_member])
    if since is not None:
        parameters["startTime"] = int((datetime.now(UTC) - since).timestamp() * 1000)
    if search is not None:
        quoted = search.replace('"', '\\"')
        parameters["filterPattern"] = f'"{quoted}"'
    events = followed(app, kind, name, parameters) if follow else recorded(app, parameters)
    for event in events:
        if jsonl or app.output.json:
            app.output.text(json.dumps(event, ensure_ascii=False))
        else:
            app.output.text(_line(event, timestamps=timestamps))


def group_of(kind: ResourceKind, name: str) -> dict[str, Any]:
    """Return the log group, and the streams in it, of an endpoint or a job."""
    if kind is JOB:
        return {"logGroupName": JOB_GROUP, "logStreamNamePrefix": f"{name}/"}
    return {"logGroupName": ENDPOINT_GROUP + name}


def recorded(app: App, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is there now, oldest first."""
    parameters = dict(parameters)
    while True:
        try:
            page = app.call("logs", "FilterLogEvents", **parameters)
        except RemoteRefused as refused:
            if refused.code == "ResourceNotFoundException":
                return  # nothing has been written yet
            raise
        yield from page["events"]
        if "nextToken" not in page:
            return
        parameters["nextToken"] = page["nextToken"]


def followed(
    app: App, kind: ResourceKind, name: str, parameters: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield what is there and what comes, until a job has ended and its last line was given."""
    seen: set[str] = set()
    parameters = dict(parameters)
    while True:
        ended = kind is JOB and has_ended(app, name)
        latest = parameters.get("startTime", 0)
        for event in recorded(app, parameters):
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                latest = max(latest, event["timestamp"])
                yield event
        if ended:
            return
        if latest > parameters.get("startTime", 0):
            # Lines of the same millisecond may still come; what was given is remembered by its id.
            parameters["startTime"] = latest
        time.sleep(_LOOK_EVERY_S)


def has_ended(app: App, job: str) -> bool:
    """Say whether a training job has reached its end."""
    described = app.call("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
    return described["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")


def _line(event: dict[str, Any], *, timestamps: bool) -> str:
    message = safe(event["message"])
    if not timestamps:
        return message
    moment = datetime.fromtimestamp(event["timestamp"] / 1000).astimezone()
    return f"{moment.isoformat(timespec='milliseconds')} {message}"
