"""`sagelet keys`: what programs ask endpoints with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.running import local_api
from sagelet.cli.times import ago
from sagelet.domain.api_keys import PREFIX
from sagelet.environments.local_api import LocalApi
from sagelet.environments.settings import DEFAULT_ENVIRONMENT


@click.group()
@with_shared_options
def command() -> None:
    """Make, list and revoke API keys. A program asks an endpoint with one:

    \b
    sagelet keys create my-app
    curl http://127.0.0.1:7543/api/v1/predict/my-endpoint \\
      -H "Authorization: Bearer $SAGELET_API_KEY" -d '[["some text"]]'
    """


@command.command("ls")
@with_shared_options
@click.pass_obj
def ls(app: App) -> None:
    """List the keys, the newest first."""
    keys = _api(app).keys()
    if app.output.json:
        app.output.document({"keys": keys})
        return
    app.output.table(
        ["name", "key", "endpoints", "a minute", "expires", "last used"],
        [_row(key) for key in keys],
    )


@command.command("create")
@click.argument("name")
@click.option(
    "--endpoint", "endpoints", multiple=True, metavar="NAME", help="Good for this one only."
)
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=90,
    show_default=True,
    help="Expires after so many; 0: never.",
)
@click.option(
    "--per-minute",
    type=click.IntRange(0, 1_000_000),
    default=600,
    show_default=True,
    help="So many requests; 0: no limit.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="A site whose pages may use it, such as http://localhost:3000.",
)
@with_shared_options
@click.pass_obj
def create(
    app: App,
    *,
    name: str,
    endpoints: tuple[str, ...],
    days: int,
    per_minute: int,
    origins: tuple[str, ...],
) -> None:
    """Make a key and print it. It is not kept, and is never shown again.

    \b
    export SAGELET_API_KEY=$(sagelet keys create my-app --endpoint my-endpoint)
    """
    made = _api(app).create_key(
        {
            "name": name,
            "endpoints": list(endpoints),
            "origins": list(origins),
            "per_minute": per_minute,
            "expires_in_days": days or None,
        }
    )
    if app.output.json:
        app.output.document(made)
        return
    app.output.text(made["key"])
    app.output.say(f"shown this once; `sagelet keys revoke {made['id']}` takes it back")


@command.command("revoke")
@click.argument("key_id", metavar="KEY")
@with_shared_options
@click.pass_obj
def revoke(app: App, *, key_id: str) -> None:
    """Revoke a key, by its id or by its beginning as `sagelet keys ls` shows it.

    Programs that ask with it are refused from then on.
    """
    key_id = key_id.removeprefix(PREFIX).partition("_")[0]
    if not app.confirm(f"Revoke the key {key_id}?"):
        return
    _api(app).revoke_key(key_id)
    if app.output.json:
        app.output.document({"revoked": key_id})
    else:
        app.output.say(f"revoked {key_id}")


def _api(app: App) -> LocalApi:
    app.environment = DEFAULT_ENVIRONMENT
    return local_api(app)


def _row(key: dict[str, Any]) -> list[str]:
    expires = key["expires_at"]
    used = key["last_used_at"]
    return [
        key["name"],
        key["prefix"],
        ", ".join(key["endpoints"]) or "all",
        str(key["per_minute"] or "no limit"),
        expires[:10] if expires else "never",
        ago(datetime.fromisoformat(used)) if used else "never",
    ]
