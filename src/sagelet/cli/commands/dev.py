"""`sagelet dev`: a folder, served while it is edited."""

from __future__ import annotations

from pathlib import Path

import click

from sagelet.cli.context import App, with_shared_options


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--keep", is_flag=True, help="Leave the endpoint in the end.")
@click.option("--port", type=click.IntRange(1, 65535),
              help="Open the container's own HTTP face at this port, too.")  # fmt: skip
@click.option("--contract", type=click.Choice(["sane", "strict"]),
              help="How closely to keep to the container.")  # fmt: skip
@click.option("--workers", metavar="N", help="Worker processes, or auto: one a core.")
@click.option("--threads", metavar="N", help="torch's threads in a worker.")
@click.option("--debug", is_flag=True,
              help="One worker on this terminal: breakpoint() works; no time limits.")  # fmt: skip
@click.option("--debugpy", "debugpy_port", type=click.IntRange(1, 65535), metavar="PORT",
              help="With --debug: wait there for a debugger.")  # fmt: skip
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    folder: Path | None,
    keep: bool,
    port: int | None,
    contract: str | None,
    workers: str | None,
    threads: str | None,
    debug: bool,
    debugpy_port: int | None,
) -> None:
    """Serve FOLDER (default: the project) and show each edit, error and log line as it comes.

    A folder with handlers (inference.py or serve.py) and a model needs no configuration.
    Ctrl-C or q ends it, and removes the endpoint unless it was there before.

    \b
    sagelet dev
    sagelet dev path/to/model-folder --contract strict
    sagelet dev --debug                  # then `sagelet invoke` in another terminal
    """
    from sagelet.cli.dev.run import Wishes, run

    if debugpy_port is not None and not debug:
        raise click.UsageError("--debugpy goes with --debug")
    if debug and workers is not None:
        raise click.UsageError("--debug runs one worker; leave --workers out")
    run(
        app,
        Wishes(
            folder=folder,
            keep=keep,
            port=port,
            flags={"contract": contract, "workers": workers, "threads": threads},
            debug=debug,
            debugpy_port=debugpy_port,
        ),
    )
