"""`sagelet history`: the calls of endpoints that the daemon has kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe
from sagelet.cli.running import local_api
from sagelet.cli.times import ago
from sagelet.environments.local_api import LocalApi
from sagelet.environments.settings import DEFAULT_ENVIRONMENT

_PREVIEW = 60
_PAGE = 50


@click.group()
@with_shared_options
def command() -> None:
    """Show, export and forget the calls of endpoints that were kept.

    \b
    sagelet history ls my-endpoint
    sagelet history export my-endpoint > calls.jsonl
    """


@command.command("ls")
@click.argument("endpoint")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 500),
    default=20,
    show_default=True,
    help="So many of the latest.",
)
@with_shared_options
@click.pass_obj
def ls(app: App, *, endpoint: str, limit: int) -> None:
    """List the latest calls of an endpoint, the newest first."""
    page = _api(app).calls(endpoint, limit=limit)
    if app.output.json:
        app.output.document(page)
        return
    app.output.table(
        ["id", "when", "from", "status", "ms", "payload"], [_row(call) for call in page["calls"]]
    )
    if not page["is_on"]:
        app.output.say("the history is off: `sagelet history on` turns it on")


@command.command("show")
@click.argument("endpoint")
@click.argument("call_id", metavar="ID")
@with_shared_options
@click.pass_obj
def show(app: App, *, endpoint: str, call_id: str) -> None:
    """Show one call: what was sent, what came back, and where the time went."""
    call = _api(app).a_call(endpoint, call_id)
    if app.output.json:
        app.output.document(call)
        return
    timing = call["timing"]
    for title, value in (
        ("id", call["id"]),
        ("at", call["at"]),
        ("from", call["source"]),
        ("status", _status(call)),
        ("took", f"{timing['total_ms']:.2f} ms"),
        ("handlers", "  ".join(f"{n} {ms:.2f}" for n, ms in timing["handlers_ms"].items())),
        ("version", f"{call['generation']} of {call['variant']}"),
        ("sent", _body(call["body"], call["content_type"], call["body_bytes"])),
        ("got", _body(call["answer_body"], call["answer_content_type"], call["answer_bytes"])),
    ):
        if value:
            app.output.text(safe(f"{title:9} {value}"))


@command.command("export")
@click.argument("endpoint")
@with_shared_options
@click.pass_obj
def export(app: App, *, endpoint: str) -> None:
    """Write the kept calls of an endpoint with their bodies, one JSON document a line.

    A body is {"text": …}, {"base64": …}, or {} where it was too large to be kept.
    """
    api, before = _api(app), None
    while True:
        page = api.calls(endpoint, limit=_PAGE, before=before)
        for call in page["calls"]:
            app.output.text(json.dumps(api.a_call(endpoint, call["id"]), ensure_ascii=False))
        before = page["next"]
        if before is None:
            return


@command.command("clear")
@click.argument("endpoint", required=False)
@with_shared_options
@click.pass_obj
def clear(app: App, *, endpoint: str | None) -> None:
    """Forget the calls of an endpoint; of all, where none is named."""
    if not app.confirm(f"Forget the calls of {endpoint or 'all endpoints'}?"):
        return
    count = _api(app).clear_calls(endpoint)
    if app.output.json:
        app.output.document({"calls": count})
    else:
        app.output.say(f"forgot {count} {'call' if count == 1 else 'calls'}")


@command.command("on")
@with_shared_options
@click.pass_obj
def on(app: App) -> None:
    """Keep calls from now on. The daemon remembers it."""
    _turn(app, on=True)


@command.command("off")
@with_shared_options
@click.pass_obj
def off(app: App) -> None:
    """Keep no more calls, but those from the web app. What is kept stays."""
    _turn(app, on=False)


def _turn(app: App, *, on: bool) -> None:
    facts = _api(app).turn_history(on=on)
    if app.output.json:
        app.output.document(facts)
    else:
        app.output.say(f"the history is {'on' if facts['is_on'] else 'off'}")


def _api(app: App) -> LocalApi:
    app.environment = DEFAULT_ENVIRONMENT
    return local_api(app)


def _row(call: Mapping[str, Any]) -> list[str]:
    preview = call["preview"] or f"({call['body_bytes']} bytes)"
    return [
        call["id"],
        ago(datetime.fromisoformat(call["at"])),
        call["source"],
        _status(call),
        f"{call['timing']['total_ms']:.1f}",
        safe(preview if len(preview) <= _PREVIEW else preview[: _PREVIEW - 1] + "…"),
    ]


def _status(call: Mapping[str, Any]) -> str:
    status = str(call["status"] or "none")
    return f"{status} ({call['handler']})" if call["handler"] else status


def _body(body: Mapping[str, str], content_type: str | None, size: int) -> str:
    """Return a body as text; its type and size where it is none, or was not kept."""
    if "text" in body:
        return body["text"]
    kept = "" if body else ", not kept"
    return f"({content_type or 'no content type'}, {size} bytes{kept})"
