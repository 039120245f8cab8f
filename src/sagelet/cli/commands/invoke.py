"""`sagelet invoke`: a payload to an endpoint, its answer to standard output."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sagelet.cli.context import App, with_shared_options


@click.command()
@click.argument("endpoint", required=False)
@click.option("-d", "--data", metavar="TEXT", help="The payload.")
@click.option("-f", "--file", metavar="FILE", help="A file that holds it; - for standard input.")
@click.option(
    "--content-type",
    default="application/json",
    show_default=True,
    metavar="TYPE",
    help="What the payload is.",
)
@click.option(
    "--accept",
    default="application/json",
    show_default=True,
    metavar="TYPE",
    help="What the answer is to be.",
)
@click.option("--variant", metavar="NAME", help="Ask this production variant.")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="Write the answer there."
)
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    endpoint: str | None,
    data: str | None,
    file: str | None,
    content_type: str,
    accept: str,
    variant: str | None,
    target: Path | None,
) -> None:
    """Send a payload to ENDPOINT (default: the project's model_name) and print the answer.

    \b
    sagelet invoke -d '[["The Wimbledon tennis tournament starts next week!"]]'
    sagelet invoke my-endpoint -f tests/payloads/wimbledon.json
    """
    name = endpoint or str(app.deploy_env().setting("model_name"))
    optional = {"TargetVariant": variant} if variant else {}
    answer = app.call(
        "sagemaker-runtime",
        "InvokeEndpoint",
        EndpointName=name,
        ContentType=content_type,
        Accept=accept,
        Body=_payload(data, file),
        **optional,
    )
    body = answer["Body"].read()
    if target is not None:
        target.write_bytes(body)
    else:
        _print(body)


def _payload(data: str | None, file: str | None) -> bytes:
    if (data is None) == (file is None):
        raise click.UsageError("give the payload once: with --data TEXT, or with --file FILE")
    if data is not None:
        return data.encode()
    if file == "-":
        return sys.stdin.buffer.read()
    path = Path(str(file))
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error


def _print(body: bytes) -> None:
    sys.stdout.buffer.write(body)
    if sys.stdout.isatty() and not body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
