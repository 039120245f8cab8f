"""`sagelet describe`: one resource, as the API describes it."""

from __future__ import annotations

from typing import Any

import click
import yaml

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe
from sagelet.cli.resources import ENDPOINT, JOB, find

KEY = "Sagelet"
"""What this machine knows of an endpoint stands under this key; AWS's members have no such name."""


@click.command()
@click.argument("name")
@with_shared_options
@click.pass_obj
def command(app: App, *, name: str) -> None:
    """Show an endpoint, a training job, a model or a configuration by its name.

    Of an endpoint on this machine it also shows workers, load, times, and what `strict` would have
    answered otherwise; of a training job, its hosts.

    \b
    sagelet describe my-endpoint
    sagelet describe job/my-endpoint     # where a job has the same name
    """
    kind, document = find(app, name)
    facts = _facts(app, document["EndpointName"]) if kind is ENDPOINT else None
    if kind is JOB:
        facts = {"Hosts": _hosts(document["ResourceConfig"])}
    if app.output.json:
        app.output.document(document if facts is None else {**document, KEY: facts})
        return
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False)
    app.output.text(safe(text).rstrip())
    if kind is JOB:
        app.output.text("")
        for host in _hosts(document["ResourceConfig"]):
            app.output.text(safe("host  " + "  ".join(host.values())))
    elif facts is not None:
        from sagelet.cli.running import lines

        app.output.text("")
        for line in lines(facts):
            app.output.text(safe(line))


def _hosts(resources: dict[str, Any]) -> list[dict[str, str]]:
    """Return a job's hosts, which the API tells by their number only."""
    from sagelet.domain.training import Cluster

    groups = [
        (group["InstanceGroupName"], group["InstanceType"], group["InstanceCount"])
        for group in resources.get("InstanceGroups") or ()
    ]
    if groups:
        hosts = Cluster.of_groups(groups).hosts
    else:
        hosts = Cluster.of(resources["InstanceCount"], resources["InstanceType"]).hosts
    return [
        {"Name": host.name, "InstanceType": host.instance_type, "InstanceGroupName": host.group}
        for host in hosts
    ]


def _facts(app: App, endpoint: str) -> dict[str, Any] | None:
    """Return what the daemon knows of an endpoint that serves here."""
    if not app.deploy_env().is_local():
        return None
    from sagelet.cli.running import local_api

    return local_api(app).endpoint(endpoint)
