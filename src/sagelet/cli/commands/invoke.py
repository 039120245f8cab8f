"""`sagelet invoke`: payloads to an endpoint, answers to standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options

if TYPE_CHECKING:
    from sagelet.cli.calls import Call, Reply
    from sagelet.cli.payloads import Payload


@click.command()
@click.argument("endpoint", required=False)
@click.option("-d", "--data", metavar="TEXT", help="The payload.")
@click.option("-f", "--file", "files", multiple=True, metavar="FILE",
              help="A file that holds it; -: standard input. Several go in turn.")  # fmt: skip
@click.option("--content-type", metavar="TYPE",
              help="What the payload is; default: by a file's suffix, else JSON.")  # fmt: skip
@click.option("--accept", default="application/json", show_default=True, metavar="TYPE",
              help="What the answer is to be.")  # fmt: skip
@click.option("--variant", metavar="NAME", help="Ask this production variant.")
@click.option("--target-model", metavar="NAME", help="Ask this model of a multi-model endpoint.")
@click.option("--inference-id", metavar="ID", help="An id of your own that goes with the request.")
@click.option("--custom-attributes", metavar="TEXT", help="Handed to the handlers as a header.")
@click.option("--stream", is_flag=True, help="Print the answer's parts as they come.")
@click.option("--repeat", type=click.IntRange(1), metavar="N",
              help="Then send it N times more, and say how long that takes.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1), default=1, metavar="C",
              help="With --repeat: so many at a time.")  # fmt: skip
@click.option("-o", "--output", "target", type=click.Path(path_type=Path),
              help="Write the answer there.")  # fmt: skip
@with_shared_options
@click.pass_obj
def command(
    app: App,
    /,
    *,
    endpoint: str | None,
    data: str | None,
    files: tuple[str, ...],
    content_type: str | None,
    stream: bool,
    repeat: int | None,
    concurrency: int,
    target: Path | None,
    **asked: str | None,
) -> int:  # asked: the fields of `calls.Call`
    """Send a payload to ENDPOINT (default: the project's model_name) and print the answer.

    \b
    sagelet invoke -d '[["The Wimbledon tennis tournament starts next week!"]]'
    sagelet invoke my-endpoint -f tests/payloads/wimbledon.json
    sagelet invoke my-endpoint -f image.png --repeat 1000 --concurrency 8
    """
    from sagelet.cli import calls, payloads

    if stream and (asked["target_model"] or repeat):
        raise click.UsageError("--stream goes with neither --target-model nor --repeat")
    sent = payloads.given(data, files, content_type)
    if len(sent) > 1 and (target or repeat):
        raise click.UsageError("--output and --repeat go with one payload")
    name = endpoint or str(app.deploy_env().setting("model_name"))
    call = calls.Call(endpoint=name, **asked)
    if stream:
        return _stream(app, call, sent)
    documents = []
    for payload in sent:
        reply = calls.ask(app, call, payload)
        tell(app, reply)
        documents.append(reply.document())
        if target is not None or not app.output.json:
            _show(reply.body, target, ends_line=len(sent) > 1)
    if app.output.json and not repeat:
        app.output.document(documents[0] if len(documents) == 1 else documents)
    return _measure(app, call, sent[0], repeat, concurrency) if repeat else 0


def tell(app: App, reply: Reply) -> None:
    """Say on standard error what a person should know of an answer, and with -v all there is."""
    if app.output.verbosity:
        app.output.say(_particulars(reply))
    if reply.differs:
        app.output.say(
            f"`contract: strict`, and AWS, would answer otherwise: {reply.differs}", style="yellow"
        )
    if reply.reload_error:
        app.output.say(f"the last edit is not served: {reply.reload_error}", style="yellow")


def _particulars(reply: Reply) -> str:
    facts: dict[str, Any] = {
        "status": reply.status,
        "time": f"{reply.ms:.1f} ms",
        "variant": reply.variant,
        "generation": reply.generation,
        "type": reply.content_type,
        "server-timing": reply.headers.get("server-timing"),
    }
    return "  ".join(f"{name} {value}" for name, value in facts.items() if value is not None)


def _stream(app: App, call: Call, sent: list[Payload]) -> int:
    from sagelet.cli import calls

    for payload in sent:
        tell(app, calls.stream(app, call, payload, _write))
    if sys.stdout.isatty():
        _write(b"\n")
    return 0


def _measure(app: App, call: Call, payload: Payload, count: int, concurrency: int) -> int:
    from sagelet.cli import measuring

    figures = measuring.repeat(measuring.sender_for(app, call, payload), count, concurrency)
    if app.output.json:
        facts = {"endpoint": call.endpoint, "concurrency": concurrency}
        app.output.document(facts | figures.document())
    for line in figures.lines(concurrency):
        app.output.say(line)
    return failures.FAILED if figures.failures else failures.OK


def _show(body: bytes, target: Path | None, *, ends_line: bool) -> None:
    if target is not None:
        target.write_bytes(body)
        return
    _write(body)
    if (ends_line or sys.stdout.isatty()) and not body.endswith(b"\n"):
        _write(b"\n")


def _write(body: bytes) -> None:
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
