"""`sagelet ui`: a browser that is signed in."""

from __future__ import annotations

from urllib.parse import quote

import click

from sagelet.cli.browsing import show
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.resources import ENDPOINT, find
from sagelet.cli.running import local_api
from sagelet.environments.settings import DEFAULT_ENVIRONMENT


@click.command()
@click.argument("endpoint", required=False)
@click.option("--no-open", is_flag=True, help="Print the address only.")
@with_shared_options
@click.pass_obj
def command(app: App, *, endpoint: str | None, no_open: bool) -> None:
    """Open the web app of this machine's daemon, at an ENDPOINT's page if one is named.

    The address that is printed signs a browser in once, within a minute.

    \b
    sagelet ui
    sagelet ui my-endpoint
    """
    app.environment = DEFAULT_ENVIRONMENT
    page = "/"
    if endpoint is not None:
        found = find(app, endpoint, (ENDPOINT,))[1]
        page = f"/endpoints/{quote(found[ENDPOINT.name_member], safe='')}"
    login = local_api(app).login(page)
    opened = not no_open and show(app.home(), login["url"])
    if app.output.json:
        app.output.document(login | {"opened": opened})
        return
    app.output.text(login["url"])
    seconds = login["expires_in_s"]
    app.output.say(
        "opened it; if your browser shows nothing, go there yourself"
        if opened
        else f"open it within {seconds:.0f} s; it signs one browser in, once"
    )
