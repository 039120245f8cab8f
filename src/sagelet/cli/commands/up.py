"""`sagelet up`: the daemon, started in the background or being this very process."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import Output
from sagelet.domain.home import Home
from sagelet.environments import daemon
from sagelet.errors import DaemonRunning
from sagelet.server.settings import HOLD_S, LIVE_WORKERS, MAX_BODY_BYTES, DaemonSettings


@click.command()
@click.option("--foreground", is_flag=True, help="Be the daemon; log to standard error.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port on loopback; default 7543 or the next."
)
@click.option("--region", help="AWS region to play; default $AWS_REGION, else us-east-1.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Accept this Host header too.")
@click.option("--lenient-auth", is_flag=True, help="Accept any signature; loopback only.")
@click.option(
    "--hold",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Hold a waiter's Describe at most this long; 0: not at all.",
)
@click.option(
    "--max-body",
    type=click.IntRange(1),
    metavar="MB",
    help="Refuse a request with more than this; default 25. S3 has no limit.",
)
@click.option(
    "--park-after",
    type=click.IntRange(1),
    metavar="SECONDS",
    help="Stop the workers of an endpoint that is idle so long; a request starts them again.",
)
@click.option(
    "--live-workers",
    type=click.IntRange(1),
    metavar="N",
    help="Park the longest idle endpoints where more workers live; default 64.",
)
@click.option("--no-zygote", is_flag=True, help="Start every worker cold.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    foreground: bool,
    port: int | None,
    region: str | None,
    allow_host: tuple[str, ...],
    lenient_auth: bool,
    hold: float | None,
    max_body: int | None,
    park_after: int | None,
    live_workers: int | None,
    no_zygote: bool,
) -> None:
    """Start the daemon on this machine's SAGELET_HOME and say where it is.

    \b
    sagelet up
    eval "$(sagelet env)"     # then boto3, the AWS CLI and the SDKs speak to it
    """
    home = app.home()
    if foreground:
        _be_the_daemon(
            DaemonSettings(
                home=home,
                region=region or region_of_the_shell(),
                port=port,
                lenient_auth=lenient_auth,
                allowed_hosts=frozenset(allow_host),
                hold_s=HOLD_S if hold is None else hold,
                max_body_bytes=max_body * 2**20 if max_body else MAX_BODY_BYTES,
                warm=not no_zygote,
                park_after_s=park_after,
                live_workers=live_workers or LIVE_WORKERS,
            )
        )
        return
    running = daemon.read(home)
    numbers = {
        "--port": port,
        "--hold": hold,
        "--max-body": max_body,
        "--park-after": park_after,
        "--live-workers": live_workers,
    }
    options = _arguments(numbers, region, allow_host, lenient=lenient_auth, cold=no_zygote)
    if running is not None and options:
        raise DaemonRunning(pid=running.pid, address=running.address, home=str(home.root))
    info = daemon.ensure(home, command=(*daemon.COMMAND, *options))
    show(app.output, info, home)


def _arguments(
    numbers: Mapping[str, float | None],
    region: str | None,
    allow_host: tuple[str, ...],
    *,
    lenient: bool,
    cold: bool,
) -> list[str]:
    """Return the options that a daemon in the background is to be started with."""
    arguments = [] if region is None else ["--region", region]
    for option, number in numbers.items():
        arguments += [] if number is None else [option, str(number)]
    for name in allow_host:
        arguments += ["--allow-host", name]
    return arguments + ["--lenient-auth"] * lenient + ["--no-zygote"] * cold


def _be_the_daemon(settings: DaemonSettings) -> None:
    # The whole server comes with these, and the program's other commands do without it.
    from sagelet.compose import run_daemon
    from sagelet.server.daemon import log_to_stderr

    log_to_stderr()
    run_daemon(settings)


def region_of_the_shell() -> str:
    """Return the region that the variables name, else us-east-1."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def show(output: Output, info: daemon.DaemonInfo, home: Home) -> None:
    """Say where the daemon is and how to use it."""
    facts = {
        "address": info.address,
        "pid": info.pid,
        "version": info.version,
        "home": str(home.root),
        "log": str(home.daemon_log),
    }
    if output.json:
        output.document(facts)
        return
    for name, value in facts.items():
        output.text(f"{name:8} {value}")
    output.say('AWS clients find it after: eval "$(sagelet env)"')
    output.say("its pages, in a browser that is signed in: sagelet ui")
