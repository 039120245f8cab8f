"""`sagelet ui`: a browser that is signed in, and what others may see."""

from __future__ import annotations

from urllib.parse import quote

import click

from sagelet.cli import sharing
from sagelet.cli.browsing import show
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.resources import ENDPOINT, find
from sagelet.cli.running import local_api
from sagelet.environments.settings import DEFAULT_ENVIRONMENT


@click.command()
@click.argument("endpoint", required=False)
@click.option("--no-open", is_flag=True, help="Print the address only.")
@click.option(
    "--share",
    type=click.Choice(["open", "key", "off"]),
    help="Make ENDPOINT public: for anybody, or for whoever has an API key.",
)
@click.option("--slug", metavar="NAME", help="Its name in public addresses.")
@click.option(
    "--per-minute", type=click.IntRange(1, 100_000), help="Requests that each client may make."
)
@click.option(
    "--public",
    metavar="ADDRESS:PORT",
    help="Open a port on which others reach public endpoints, and nothing else; off closes it.",
)
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="CIDR",
    help="Believe the X-Forwarded headers of this proxy.",
)
@click.option("--public-url", metavar="URL", help="The address that others know, in links.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    endpoint: str | None,
    no_open: bool,
    share: str | None,
    slug: str | None,
    per_minute: int | None,
    public: str | None,
    proxies: tuple[str, ...],
    public_url: str | None,
) -> None:
    """Open the web app of this machine's daemon, at an ENDPOINT's page if one is named.

    The address that is printed signs a browser in once, within a minute.

    \b
    sagelet ui
    sagelet ui my-endpoint
    sagelet ui my-endpoint --share open
    sagelet ui --public 192.168.1.5:8080
    """
    app.environment = DEFAULT_ENVIRONMENT
    _check(endpoint, share, public, terms=(slug, per_minute), listener=(proxies, public_url))
    if share is not None:
        name = find(app, endpoint or "", (ENDPOINT,))[1][ENDPOINT.name_member]
        sharing.share(app, local_api(app), name, share, slug=slug, per_minute=per_minute)
    if public == sharing.OFF:
        sharing.close_listener(app, local_api(app))
    elif public is not None:
        api = local_api(app)
        sharing.open_listener(app, api, public, proxies=proxies, public_url=public_url)
    if share is None and public is None:
        _open(app, endpoint, no_open=no_open)


def _check(
    endpoint: str | None,
    share: str | None,
    public: str | None,
    *,
    terms: tuple[object, ...],
    listener: tuple[object, ...],
) -> None:
    """Refuse options that say nothing without another.

    Raises:
        click.UsageError: there are such.
    """
    if share is not None and endpoint is None:
        raise click.UsageError("Which endpoint? `sagelet ui ENDPOINT --share …`")
    if share is not None and public is not None:
        raise click.UsageError("--share and --public are two commands.")
    if share is None and any(terms):
        raise click.UsageError("--slug and --per-minute go with --share.")
    if public in (None, sharing.OFF) and any(listener):
        raise click.UsageError("--trusted-proxy and --public-url go with --public ADDRESS:PORT.")


def _open(app: App, endpoint: str | None, *, no_open: bool) -> None:
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
