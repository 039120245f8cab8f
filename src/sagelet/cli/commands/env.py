"""`sagelet env`: the variables that point AWS clients at the daemon, for a shell to take over."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.environments import credentials, daemon, variables
from sagelet.environments.settings import DEFAULT_ENVIRONMENT

Variables = Mapping[str, str]


def _shell(values: Variables) -> str:
    lines = [f"unset {name}" for name in variables.CONFLICTING]
    return "\n".join(
        lines + [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    )


def _fish(values: Variables) -> str:
    lines = [f"set -e {name}" for name in variables.CONFLICTING]
    return "\n".join(
        lines + [f"set -gx {name} {shlex.quote(value)}" for name, value in values.items()]
    )


def _powershell(values: Variables) -> str:
    lines = [
        f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in variables.CONFLICTING
    ]
    for name, value in values.items():
        quoted = value.replace("'", "''")
        lines.append(f"$Env:{name} = '{quoted}'")
    return "\n".join(lines)


def _dotenv(values: Variables) -> str:
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _aws_config(values: Variables) -> str:
    address = values["AWS_ENDPOINT_URL"]
    services = [
        line
        for name in variables.SERVICES
        for line in (f"{name.lower()} =", f"  endpoint_url = {address}")
    ]
    return "\n".join(
        [
            "[profile sagelet]",
            f"region = {values['AWS_REGION']}",
            f"aws_access_key_id = {values['AWS_ACCESS_KEY_ID']}",
            f"aws_secret_access_key = {values['AWS_SECRET_ACCESS_KEY']}",
            "services = sagelet",
            "",
            "[services sagelet]",
            *services,
        ]
    )


FORMATS: Mapping[str, Callable[[Variables], str]] = {
    "shell": _shell,
    "fish": _fish,
    "powershell": _powershell,
    "dotenv": _dotenv,
    "json": lambda values: json.dumps(values, indent=2),
    "aws-config": _aws_config,
}


def variables_of(app: App) -> dict[str, str]:
    """Return the variables of this home's daemon, which is started if it is not there."""
    home = app.home()
    info = daemon.ensure(home)
    region = app.deploy_env(DEFAULT_ENVIRONMENT).region
    return variables.client_variables(
        info,
        credentials.load_or_create(home),
        region,
        sdk_config=variables.write_sdk_config(home, region),
        environ=os.environ,
    )


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(list(FORMATS)),
    default="shell",
    show_default=True,
    help="Whose syntax to print them in.",
)
@with_shared_options
@click.pass_obj
def command(app: App, *, style: str) -> None:
    """Print the variables that point boto3, the AWS CLI and the SageMaker SDKs at the daemon.

    \b
    eval "$(sagelet env)"
    aws sagemaker list-endpoints
    """
    values = variables_of(app)
    app.output.text(FORMATS["json" if app.output.json else style](values))
