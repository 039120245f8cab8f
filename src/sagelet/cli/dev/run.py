"""`sagelet dev` from end to end: find what to serve, serve it, show it, remove it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import NoReturn

import click

from sagelet.cli import calls
from sagelet.cli.context import App
from sagelet.cli.dev import keys
from sagelet.cli.dev.console import Console
from sagelet.cli.dev.feed import Feed
from sagelet.cli.dev.folders import PAYLOADS, BareFolder, bare_folder, endpoint_name
from sagelet.cli.dev.log_tail import LogTail
from sagelet.cli.dev.messages import Messages, Noted
from sagelet.cli.dev.served import Served
from sagelet.cli.dev.session import Session, Trial
from sagelet.cli.dev.terminal import TerminalWorkers
from sagelet.cli.dev.tips import tips
from sagelet.cli.payloads import Payload
from sagelet.cli.recorded import payloads_in
from sagelet.cli.running import local_api
from sagelet.deploy.aws import AwsRemote
from sagelet.deploy.deployment import Deployment, Instead
from sagelet.domain.variables import ATTACH
from sagelet.environments import daemon
from sagelet.environments.containers import PORT
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import SageletError
from sagelet.supervision import package_path

_TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says. `flags` are keys of the environment, None where unsaid."""

    folder: Path | None = None
    keep: bool = False
    port: int | None = None
    flags: Mapping[str, str | None] = field(default_factory=dict)
    debug: bool = False
    debugpy_port: int | None = None


def run(app: App, wishes: Wishes) -> None:
    """Serve until the person has had enough.

    Raises:
        click.UsageError: there is nothing to serve here, or the environment is not local.
        SageletError: the daemon does not come up, or has gone.
    """
    bare = target(app, wishes)
    messages: Messages = SimpleQueue()
    with ExitStack() as stack:
        variables = {PORT: str(wishes.port)} if wishes.port else {}
        if wishes.debug:
            workers = stack.enter_context(_on_this_terminal(app, wishes, messages))
            variables[ATTACH] = str(workers.path)
        instead = Instead(
            folder=bare.folder if bare else None,
            program=bare.program if bare else None,
            variables=variables,
        )
        env = app.deploy_env()
        deployment = Deployment(env, AwsRemote(env), on_note=app.output.say, instead=instead)
        stack.enter_context(_ending_on_sigterm())
        _serve(app, wishes, Served(app, deployment), messages, bare)


def target(app: App, wishes: Wishes) -> BareFolder | None:
    """Choose what is served: None for what the project's configuration says, else a folder.

    The keys of the environment that the command line and the folder say are settled here.

    Raises:
        click.UsageError: the folder has no handlers, or the environment is not local.
    """
    flags = dict(wishes.flags) | ({"workers": "1"} if wishes.debug else {})
    app.project = folder = (wishes.folder or app.project or Path.cwd()).absolute()
    app.settle(flags)
    env = app.deploy_env()
    if not env.is_local():
        raise click.UsageError(
            f"dev serves on this machine, and environment {env.current_env()!r} is AWS's"
        )
    is_project = _is_a_project(env, folder, named=wishes.folder is not None)
    bare = None if is_project else bare_folder(folder)
    if env.settings.model_name is None or (bare and env.config.project != folder):
        # The folder has no name of its own, or the name is that of the project around it.
        place = folder if bare else env.config.project
        app.settle({"model_name": endpoint_name(place)})
    return bare


def _is_a_project(env: DeployEnv, folder: Path, *, named: bool) -> bool:
    """Tell whether the configuration says what to serve, and is about this folder."""
    config = env.config
    says = config.serve is not None or env.settings.model_data_path is not None
    return config.file is not None and says and (config.project == folder or not named)


def _serve(
    app: App, wishes: Wishes, served: Served, messages: Messages, bare: BareFolder | None
) -> None:
    console = Console(app.output, has_status=not wishes.debug)
    began = time.perf_counter()
    log = LogTail(app, served.name)
    try:
        served.make()
        app.output.say(f"serving {bare.folder if bare else 'the project'} at {served.url}")
        problem = served.wait()
        if problem:
            log()  # what it says is in the problem
        session = _session(app, wishes, served, messages, console, _payload(app, bare))
        feed = Feed(local_api(app), served.name, messages, _no_lines if wishes.debug else log)
        session.begin(problem, time.perf_counter() - began)
        feed.start()
        try:
            with _keys(messages, wanted=not wishes.debug):
                session.run()
        finally:
            feed.stop()
            console.close()
    finally:
        _end(app, served, keep=wishes.keep)


def _session(
    app: App,
    wishes: Wishes,
    served: Served,
    messages: Messages,
    console: Console,
    payload: Payload | None,
) -> Session:
    name = served.name
    ready = tips(name, served.url, served.region, payload, port=wishes.port, waits=wishes.debug)
    trial = _trial(app, name, payload)
    shows_log = not wishes.debug
    return Session(name, served, console, messages, tips=ready, trial=trial, shows_log=shows_log)


def _no_lines() -> list[str]:
    """Return nothing: where a person debugs, handlers print to the terminal."""
    return []


def _payload(app: App, bare: BareFolder | None) -> Payload | None:
    """Return the payload to try: `serve.sample`, else the first of tests/payloads."""
    config = app.deploy_env().config
    folder = bare.folder if bare else config.project
    found = payloads_in(folder / PAYLOADS)
    if bare is None and config.serve is not None and config.serve.sample is not None:
        found.insert(0, config.path(config.serve.sample))
    if not found:
        return None
    payload = Payload.of_file(found[0])
    return Payload(payload.body, payload.content_type, _from_here(found[0]))


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _trial(app: App, endpoint: str, payload: Payload | None) -> Trial | None:
    if payload is None:
        return None
    call = calls.Call(endpoint)

    def send() -> calls.Reply:
        # Read again: it may have been edited since.
        fresh = Payload.of_file(Path(payload.name), payload.content_type)
        return calls.ask(app, call, fresh)

    return Trial(payload.name, send)


def _end(app: App, served: Served, *, keep: bool) -> None:
    if keep or not served.is_ours:
        why = "" if keep else ", which was there before"
        app.output.say(f"endpoint {served.name}{why}, serves on; `sagelet rm {served.name}`")
        return
    if daemon.read(app.home()) is None:
        return  # to remove it would be to start the daemon again
    try:
        served.remove()
        app.output.say(f"removed endpoint {served.name}")
    except SageletError as error:
        app.output.say(f"endpoint {served.name} is left: {error}; `sagelet rm {served.name}`")


@contextmanager
def _on_this_terminal(app: App, wishes: Wishes, messages: Messages) -> Iterator[TerminalWorkers]:
    env = app.deploy_env()
    python = env.settings.python or Path(sys.executable)
    if wishes.debugpy_port is not None:
        _require_debugpy(python)
    env.daemon()  # it makes the folder below
    workers = TerminalWorkers(
        python,
        package_path=package_path.ensure(env.home.pythonpath),
        debugpy_port=wishes.debugpy_port,
        on_problem=lambda text: messages.put(Noted(text, is_problem=True)),
    )
    try:
        yield workers
    finally:
        workers.close()


def _require_debugpy(python: Path) -> None:
    found = subprocess.run(
        [python, "-c", "import debugpy"], capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        raise click.UsageError(
            f"debugpy is not installed in {python}: {python} -m pip install debugpy"
        )


@contextmanager
def _keys(messages: Messages, *, wanted: bool) -> Iterator[None]:
    if not wanted or not keys.can_listen():
        yield
        return
    with keys.listening(messages):
        yield


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the program as Ctrl-C does: what was made is removed."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
