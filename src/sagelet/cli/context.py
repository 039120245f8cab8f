"""What every command shares: its options, where output goes, and the project it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sagelet.cli.output import Output

if TYPE_CHECKING:
    from sagelet.domain.home import Home
    from sagelet.environments.deploy_env import DeployEnv

F = TypeVar("F", bound=Callable[..., Any])


class App:
    """The invocation of the program: shared options, filled in as they are parsed."""

    def __init__(self) -> None:
        """Start with what holds when no option is given."""
        self.output = Output()
        self.environment: str | None = None
        self.config: Path | None = None
        self.project: Path | None = None
        self.assume_yes = False
        self.no_input = False
        self.timeout_s: float | None = None
        self._flags: dict[str, str] = {}
        self._environments: dict[str | None, DeployEnv] = {}

    def settle(self, flags: Mapping[str, object | None]) -> None:
        """Put keys of an environment in place of what its file says; None says nothing."""
        said = {key: str(value) for key, value in flags.items() if value is not None}
        self._flags |= said
        self._environments.clear()

    def deploy_env(self, environment: str | None = None) -> DeployEnv:
        """Return the environment named, else the one that the options choose.

        Raises:
            ConfigError: there is no such file or environment.
        """
        from sagelet.environments.deploy_env import DeployEnv

        name = environment or self.environment
        if name not in self._environments:
            self._environments[name] = DeployEnv(
                self.config,
                name,
                start=self.project or Path.cwd(),
                flags=self._flags,
                on_note=self.output.say,
            )
        return self._environments[name]

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  the API's own
        """Make one API call in the chosen environment and return its result.

        Raises:
            RemoteRefused: the API answered with an error.
            RemoteUnreachable: nothing answers there.
        """
        result = self.exchange(operation, self.deploy_env().client(service), **parameters)
        del result["ResponseMetadata"]  # boto3's own, of the HTTP exchange
        return result

    def exchange(
        self,
        operation: str,
        client: Any,  # noqa: ANN401  boto3's
        **parameters: Any,  # noqa: ANN401  the API's own
    ) -> dict[str, Any]:
        """Make one API call with a client; `ResponseMetadata` tells of the HTTP exchange.

        Raises:
            RemoteRefused: the API answered with an error.
            RemoteUnreachable: nothing answers there.
        """
        from botocore import xform_name

        with self.translating(operation):
            result: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        return result

    def translating(self, operation: str) -> AbstractContextManager[None]:
        """Make our errors of those that boto3 raises inside."""
        from sagelet.environments.translation import translating

        return translating(operation, environment=self.deploy_env().current_env())

    def runtime(self, *, attempts: int | None = None) -> Any:  # noqa: ANN401  boto3's
        """Return the client that invokes endpoints; it waits as long as --timeout says.

        `attempts` is how often a call is tried in all; boto3's own number where it is None.
        """
        client = self.deploy_env().client("sagemaker-runtime")
        if self.timeout_s is None and attempts is None:
            return client
        from botocore.config import Config

        waits: dict[str, Any] = {"read_timeout": self.timeout_s} if self.timeout_s else {}
        tries: dict[str, Any] = {"retries": {"total_max_attempts": attempts}} if attempts else {}
        session: Any = self.deploy_env().session()
        return session.client("sagemaker-runtime", config=Config(**waits, **tries))

    def home(self) -> Home:
        """Return the state directory."""
        from sagelet.environments.daemon import find_home

        return find_home()

    def confirm(self, question: str) -> bool:
        """Ask a person; without one, only --yes is a yes."""
        if self.assume_yes:
            return True
        if self.no_input or not self.output.can_ask:
            raise click.UsageError(f"{question} Say so with --yes.")
        return click.confirm(question, err=True)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401  click's own
        if value is not None and value is not False:
            setattr(ctx.ensure_object(App), name, value)

    return callback


def _set_output(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401  click's own
        if value:
            setattr(ctx.ensure_object(App).output, name, value)

    return callback


_PATH = click.Path(path_type=Path)

_SHARED = (
    click.option(
        "-e",
        "--env",
        metavar="NAME",
        expose_value=False,
        callback=_set("environment"),
        help="Environment; default: $DEPLOY_ENV, else local.",
    ),
    click.option(
        "--config",
        type=_PATH,
        metavar="FILE",
        expose_value=False,
        callback=_set("config"),
        help="Configuration file.",
    ),
    click.option(
        "--project",
        type=_PATH,
        metavar="DIR",
        expose_value=False,
        callback=_set("project"),
        help="Project folder; default: this one.",
    ),
    click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_set_output("json"),
        help="One JSON document on standard output.",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_set_output("quiet"),
        help="No progress on standard error.",
    ),
    click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_output("verbosity"),
        help="More detail.",
    ),
    click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        callback=_set_output("no_color"),
        help="Plain text.",
    ),
    click.option(
        "--no-input", is_flag=True, expose_value=False, callback=_set("no_input"), help="Never ask."
    ),
    click.option(
        "-y",
        "--yes",
        is_flag=True,
        expose_value=False,
        callback=_set("assume_yes"),
        help="Answer yes to every question.",
    ),
    click.option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        expose_value=False,
        callback=_set("timeout_s"),
        help="Wait at most this long.",
    ),
)


def with_shared_options(function: F) -> F:
    """Give a command the options that all have, before or after the command's name."""
    for option in reversed(_SHARED):
        function = option(function)
    return function
