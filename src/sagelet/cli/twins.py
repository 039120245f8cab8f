"""Endpoints for the time of a test, one for each contract, made as `sagelet deploy` makes them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sagelet.cli.context import App
from sagelet.cli.dev.folders import BareFolder, bare_folder
from sagelet.cli.dev.served import Served
from sagelet.deploy.aws import AwsRemote
from sagelet.deploy.deployment import Deployment, Instead
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import OperationFailed

CONTRACTS = ("sane", "strict")

_LONGEST_BASE = 40
_BATCHES = re.compile(r"^(?:def predict_batch_fn\b|predict_batch_fn\s*=)", re.MULTILINE)


@contextmanager
def twins(app: App, bare: BareFolder | None) -> Iterator[dict[str, str]]:
    """Serve the project once a contract, one worker each; the endpoints' names, by contract.

    Raises:
        OperationFailed: the model does not load.
    """
    with ExitStack() as stack:
        made: dict[str, Served] = {}
        for contract in CONTRACTS:
            served = _planned(app, contract, bare)
            stack.callback(served.remove)
            made[contract] = served
            served.make()
        for served in made.values():
            if reason := served.wait():
                raise OperationFailed(what=f"endpoint {served.name!r}", reason=reason)
        yield {contract: served.name for contract, served in made.items()}


def bare_folder_of(app: App) -> BareFolder | None:
    """Return the folder to serve where no configuration says what; None where one does.

    Raises:
        click.UsageError: there are no handlers either.
    """
    env = app.deploy_env()
    if env.config.serve is not None or env.settings.model_data_path is not None:
        return None
    return bare_folder(env.config.project)


def declares_batches(app: App, bare: BareFolder | None) -> bool:
    """Tell whether the handlers have a predict_batch_fn, by their text."""
    config = app.deploy_env().config
    entry_point: Path | None = None
    if bare is not None:
        entry_point = bare.entry_point
    elif config.serve is not None:
        entry_point = config.path(config.serve.entry_point)
    if entry_point is None or not entry_point.is_file():
        return False
    return bool(_BATCHES.search(entry_point.read_text(encoding="utf-8", errors="replace")))


def _planned(app: App, contract: str, bare: BareFolder | None) -> Served:
    base = app.deploy_env().settings.model_name or (bare.endpoint if bare else "model")
    name = f"{base[:_LONGEST_BASE].strip('-')}-test-{contract}-{secrets.token_hex(3)}"
    env = DeployEnv(
        app.config,
        app.environment,
        start=app.project or Path.cwd(),
        flags={"model_name": name, "contract": contract, "workers": "1"},
        on_note=app.output.say,
    )
    instead = Instead(folder=bare.folder if bare else None, program=bare.program if bare else None)
    remote = AwsRemote(env)
    return Served(app, Deployment(env, remote, on_note=app.output.say, instead=instead))


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return how payloads are called: by their path from here, where they are below."""
    here = Path.cwd()
    return [
        str(path.relative_to(here)) if path.is_relative_to(here) else str(path) for path in paths
    ]
