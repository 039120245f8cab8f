"""`sagelet test`: the project's payloads against an endpoint, and what came back compared."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe

if TYPE_CHECKING:
    from sagelet.cli.payload_tests import Ask, Outcome, PayloadTests

_PAYLOADS = Path("tests", "payloads")
_STYLES = {"ok": "green", "recorded": "green", "differs": "yellow", "failed": "red"}
_ROUNDS = 3


@click.command()
@click.argument("payloads", nargs=-1, type=click.Path(path_type=Path), metavar="[PAYLOAD]...")
@click.option("--endpoint", metavar="NAME", help="Ask this endpoint, and make none.")
@click.option("--accept", default="application/json", show_default=True, metavar="TYPE",
              help="What the answers are to be.")  # fmt: skip
@click.option("--record", is_flag=True, help="Record the answers in place of comparing them.")
@click.option("--tolerance", type=click.FloatRange(0), default=1e-4, show_default=True,
              metavar="RATIO", help="How far numbers may be apart, relatively.")  # fmt: skip
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    payloads: tuple[Path, ...],
    endpoint: str | None,
    accept: str,
    record: bool,
    tolerance: float,
) -> int:
    """Send payloads (default: tests/payloads) and compare the answers with those on record.

    In a local environment the project is served for the time of the test, once with
    `contract: sane` and once with `strict`, and their answers are compared, too. Elsewhere the
    deployed endpoint is asked. 1: an invocation failed; 3: something differs.

    \b
    sagelet test
    sagelet test --record
    sagelet test -e production tests/payloads/wimbledon.json
    """
    from sagelet.cli.payload_tests import PayloadTests
    from sagelet.cli.recorded import Records, payloads_of

    project = app.deploy_env().config.project
    paths = payloads_of(payloads or (project / _PAYLOADS,))
    if not paths:
        raise click.UsageError(f"no payloads in {project / _PAYLOADS}")
    begun = time.monotonic()
    with _endpoints(app, endpoint) as names:
        tests = PayloadTests(
            askers={name: _asker(app, place, accept) for name, place in names.items()},
            records=Records(paths),
            tolerance=tolerance,
            records_answers=record,
        )
        outcomes = _run(app, tests, paths)
        at_once = _at_once(app, tests, outcomes, names, accept)
    return _report(app, outcomes, at_once, list(names), time.monotonic() - begun)


@contextmanager
def _endpoints(app: App, named: str | None) -> Iterator[dict[str, str]]:
    """Return the endpoints to ask, by what they are called in the report."""
    env = app.deploy_env()
    if named is not None or not env.is_local():
        yield {env.current_env(): named or str(env.setting("model_name"))}
        return
    from sagelet.cli.twins import bare_folder_of, twins

    with twins(app, bare_folder_of(app)) as names:
        yield names


def _asker(app: App, endpoint: str, accept: str) -> Ask:
    from sagelet.cli.calls import Call, ask

    call = Call(endpoint, accept=accept)
    return lambda payload: ask(app, call, payload)


def _run(app: App, tests: PayloadTests, paths: Sequence[Path]) -> list[Outcome]:
    from sagelet.cli.twins import names_of

    outcomes = []
    for path, name in zip(paths, names_of(paths), strict=True):
        outcome = tests.run(path, name)
        outcomes.append(outcome)
        if not app.output.json:
            _show(app, outcome)
    return outcomes


def _show(app: App, outcome: Outcome) -> None:
    verdict = click.style(f"{outcome.verdict:8}", fg=_STYLES[outcome.verdict])
    took = "" if outcome.ms is None else f"  {outcome.ms:.1f} ms"
    app.output.text(f"{verdict}  {outcome.payload.name}{took}")
    for line in outcome.why:
        app.output.text("    " + safe(line).replace("\n", "\n    "))


def _at_once(
    app: App,
    tests: PayloadTests,
    outcomes: Sequence[Outcome],
    names: Mapping[str, str],
    accept: str,
) -> list[str] | None:
    """Compare answers to payloads sent at once with those one by one; None: nobody batches."""
    from sagelet.cli.at_once import ask_at_once
    from sagelet.cli.calls import Call
    from sagelet.cli.twins import bare_folder_of, declares_batches

    if "sane" not in names or not declares_batches(app, bare_folder_of(app)):
        return None
    call = Call(names["sane"], accept=accept)
    rounds = (
        tests.at_once(outcomes, lambda sent: ask_at_once(app, call, sent)) for _ in range(_ROUNDS)
    )
    problems = next(filter(None, rounds), [])
    if not app.output.json:
        for problem in problems:
            app.output.text(f"{click.style('differs ', fg='yellow')}  {safe(problem)}")
    return problems


def _report(
    app: App,
    outcomes: Sequence[Outcome],
    at_once: list[str] | None,
    asked: Sequence[str],
    seconds: float,
) -> int:
    from sagelet.cli.payload_tests import Verdict

    counts = {verdict: sum(o.verdict is verdict for o in outcomes) for verdict in Verdict}
    said = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    if at_once is not None:
        said.append("sent at once: " + ("as one by one" if not at_once else "not as one by one"))
    app.output.say(f"{' and '.join(asked)}: {', '.join(said)} in {seconds:.1f} s")
    unknown = sum(o.verdict is Verdict.OK and not o.has_record for o in outcomes)
    if unknown:
        app.output.say(f"{unknown} without a recorded answer; `sagelet test --record` makes one")
    if app.output.json:
        app.output.document(
            {
                "asked": list(asked),
                "payloads": [outcome.document() for outcome in outcomes],
                "at_once": at_once,
                "seconds": round(seconds, 3),
            }
        )
    if counts[Verdict.FAILED]:
        return failures.FAILED
    return failures.DIFFERS if counts[Verdict.DIFFERS] or at_once else failures.OK
