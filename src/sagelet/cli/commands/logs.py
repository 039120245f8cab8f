"""`sagelet logs`: what an endpoint's workers or a job's script wrote."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.jobs.log_lines import GROUP, Line, line_of, recorded, without_states
from sagelet.cli.jobs.looks import looks_at
from sagelet.cli.jobs.points import hosts_of
from sagelet.cli.output import safe
from sagelet.cli.resources import ENDPOINT, JOB, find
from sagelet.cli.times import Age

ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"
_LOOK_EVERY_S = 0.3
_LATE_MS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines."""

    since_ms: int
    search: str
    hosts: tuple[str, ...]

    def takes(self, line: Line) -> bool:
        """Say whether a line is wanted."""
        return self.search in line.text and (not self.hosts or line.host in self.hosts)


@click.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come; a job's end ends it.")
@click.option("--since", type=Age(), metavar="AGE", help="Only this recent: 90s, 10m, 2h, 7d.")
@click.option("--search", metavar="TEXT", default="", help="Only lines with this text.")
@click.option("--host", "hosts", multiple=True, metavar="HOST",
              help="Only this host's of a job: algo-2; repeatable.")  # fmt: skip
@click.option("--no-prefix", is_flag=True, help="No host before the lines of a job of several.")
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
    search: str,
    hosts: tuple[str, ...],
    no_prefix: bool,
    timestamps: bool,
    jsonl: bool,
) -> None:
    """Show the log of an endpoint or of a training job.

    \b
    sagelet logs my-endpoint -f
    sagelet logs my-job --since 10m --search loss
    """
    kind, description = find(app, name, (ENDPOINT, JOB))
    since_ms = 0 if since is None else int((datetime.now(UTC) - since).timestamp() * 1000)
    wanted = Wanted(since_ms, search, hosts)
    if kind is JOB:
        has_prefix = _has_prefix(description, hosts, no_prefix=no_prefix)
        lines = _job_lines(app, description[JOB.name_member], wanted, follow=follow)
    elif hosts:
        raise click.UsageError(f"--host: {name} is an endpoint; its log has no hosts")
    else:
        has_prefix = False
        lines = _endpoint_lines(app, description[ENDPOINT.name_member], wanted, follow=follow)
    if jsonl or app.output.json:
        for line in lines:
            app.output.text(json.dumps(line.event, ensure_ascii=False))
        return
    for line in without_states(lines):
        app.output.text(_shown(line, has_prefix=has_prefix, timestamps=timestamps))


def _has_prefix(description: dict[str, Any], hosts: tuple[str, ...], *, no_prefix: bool) -> bool:
    """Say whether a line has to tell its host; a host that is not there is a mistake."""
    known = hosts_of(description)
    strangers = [host for host in hosts if host not in known]
    if strangers:
        raise click.UsageError(f"--host: no {strangers[0]}; there are {', '.join(known)}")
    return len(known) > 1 and len(hosts) != 1 and not no_prefix


def _job_lines(app: App, job: str, wanted: Wanted, *, follow: bool) -> Iterator[Line]:
    is_local = app.deploy_env().is_local()
    if follow:
        looks = looks_at(app.call, job, is_local=is_local, start_ms=wanted.since_ms)
        yield from (line for look in looks for line in look.lines if wanted.takes(line))
        return
    # One host's streams, or all.
    begin = f"{job}/{wanted.hosts[0]}-" if len(wanted.hosts) == 1 else f"{job}/"
    parameters = _filtered({"logGroupName": GROUP, "logStreamNamePrefix": begin}, wanted)
    for event in recorded(app.call, parameters):
        line = line_of(event, is_local=is_local)
        if not wanted.hosts or line.host in wanted.hosts:
            yield line


def _endpoint_lines(app: App, endpoint: str, wanted: Wanted, *, follow: bool) -> Iterator[Line]:
    parameters = _filtered({"logGroupName": ENDPOINT_GROUP + endpoint}, wanted)
    events = _followed(app, parameters) if follow else recorded(app.call, parameters)
    return (Line("", event["timestamp"], event["message"], event=event) for event in events)


def _filtered(parameters: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    if wanted.since_ms:
        parameters["startTime"] = wanted.since_ms
    if wanted.search:
        quoted = wanted.search.replace('"', '\\"')
        parameters["filterPattern"] = f'"{quoted}"'
    return parameters


def _followed(app: App, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is there and what comes, for ever."""
    seen: dict[str, int] = {}
    parameters = dict(parameters)
    while True:
        for event in recorded(app.call, parameters):
            if event["eventId"] not in seen:
                seen[event["eventId"]] = event["timestamp"]
                yield event
        # A line may come a little later than another's of its time; what was given is remembered.
        start_ms = max(seen.values(), default=0) - _LATE_MS
        seen = {identifier: ms for identifier, ms in seen.items() if ms >= start_ms}
        if start_ms > parameters.get("startTime", 0):
            parameters["startTime"] = start_ms
        time.sleep(_LOOK_EVERY_S)


def _shown(line: Line, *, has_prefix: bool, timestamps: bool) -> str:
    text = f"{line.host} | {safe(line.text)}" if has_prefix else safe(line.text)
    if not timestamps:
        return text
    moment = datetime.fromtimestamp(line.ms / 1000).astimezone()
    return f"{moment.isoformat(timespec='milliseconds')} {text}"
