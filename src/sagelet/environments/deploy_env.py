"""DeployEnv: one object that knows which environment a script works in.

    env = DeployEnv()                     # DEPLOY_ENV, or local
    env.setting("model_data_path")        # that environment's own value
    env.runtime_client().invoke_endpoint(EndpointName=env.setting("model_name"), ...)

The clients are real boto3 clients in every environment; locally they talk to the daemon, which is
started when it is first needed. boto3 is imported when the first client is made.
"""

from __future__ import annotations

import difflib
import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, overload

from sagelet.domain.home import Home
from sagelet.environments.config import EnvironmentSettings, ProjectConfig, load
from sagelet.environments.connections import LOCAL_REGION, Connections, written_region
from sagelet.environments.daemon import DaemonInfo, ensure, find_home
from sagelet.environments.settings import DEFAULT_ENVIRONMENT, OURS, PRODUCTION
from sagelet.errors import ConfigNotFound, UnknownSetting

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sts import STSClient

_LOG = logging.getLogger("sagelet")
_OUR_FOLDER = Path(__file__).parent


class DeployEnv:
    """The environment of a script: its settings and its AWS clients.

    The configuration file is looked for beside the file that calls this constructor, then in the
    other places of `environments.search`. `DEPLOY_ENV` is read at each call unless `environment` is
    given. `start` is the project's folder, by default the current one; `flags` hold what a command
    line said, by key.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        environment: str | None = None,
        *,
        start: Path | None = None,
        flags: Mapping[str, str] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        """Remember where to look; the file is read when something in it is first asked for."""
        self._named_config = config
        self._named_environment = environment
        self._beside = None if start is not None else _callers_folder()
        self._start = start if start is None else start.absolute()
        self._working_folder = Path.cwd()
        self._flags = dict(flags or {})
        self._connections = Connections(
            home=lambda: self.home, daemon=self.daemon, on_note=on_note or _LOG.warning
        )

    @cached_property
    def config(self) -> ProjectConfig:
        """The project's configuration.

        Raises:
            ConfigNotFound: a file that was named outright is not there.
            BadConfig: a file does not say what it must.
        """
        return load(
            self._named_config,
            beside=self._beside,
            start=self._start,
            working_folder=self._working_folder,
            environ=os.environ,
        )

    @property
    def settings(self) -> EnvironmentSettings:
        """The current environment's settings.

        Raises:
            UnknownEnvironment: the file has no such environment.
            ConfigNotFound: there is no file, and the environment is not `local`.
        """
        return self.config.environment(self.current_env(), flags=self._flags, environ=os.environ)

    @property
    def home(self) -> Home:
        """The state directory of the local daemon."""
        return find_home()

    @property
    def region(self) -> str:
        """The region of the current environment's clients.

        Raises:
            BadConfig: the environment is AWS's and names no region, nor does the AWS chain.
        """
        if self.is_local():
            return written_region(self.settings) or LOCAL_REGION
        return str(self.client().meta.region_name)

    def current_env(self) -> str:
        """Return the environment's name: the one asked for, DEPLOY_ENV, or `local`."""
        return self._named_environment or os.environ.get("DEPLOY_ENV") or DEFAULT_ENVIRONMENT

    def is_local(self) -> bool:
        """Tell whether the environment is the daemon on this machine.

        It is, if it is named `local` or its instance type is `local` or `local_gpu`, and it has no
        `endpoint_url`.
        """
        return self.settings.is_local

    def is_production(self) -> bool:
        """Tell whether the environment is the one named `production`; no other name counts.

        `not is_local()` asks whether calls leave this machine.
        """
        return self.current_env() == PRODUCTION

    def setting(self, name: str) -> Any:  # noqa: ANN401  whatever the user wrote
        """Return a key of the environment, ours or the user's own, as it was written.

        A key of ours that was not written answers with its default, if it has one.

        Raises:
            UnknownSetting: the environment has no such key.
            UnknownEnvironment: the file has no such environment.
            ConfigNotFound: there is no file.
        """
        settings = self.settings
        if name in settings.raw:
            return settings.raw[name]
        if name in OURS and (value := getattr(settings, name)) is not None:
            return value
        if self.config.file is None:
            raise ConfigNotFound(searched=self.config.searched)
        raise UnknownSetting(
            key=name,
            environment=settings.name,
            file=self.config.label,
            known=_nearest_first(name, settings.raw),
        )

    @overload
    def client(self, service: Literal["sagemaker"] = ...) -> SageMakerClient: ...
    @overload
    def client(self, service: Literal["sagemaker-runtime"]) -> SageMakerRuntimeClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: str) -> Any: ...  # noqa: ANN401  any of boto3's clients

    def client(self, service: str = "sagemaker") -> Any:
        """Return a boto3 client of the environment; the same one each time, until it moves.

        Raises:
            ConfigError: the configuration, or the shell, does not allow it.
            NoCredentials: the environment is AWS's and the chain has no credentials.
            DaemonError: the environment is local and the daemon does not come up.
        """
        return self._connections.client(self.settings, self.config.project, service)

    def runtime_client(self) -> SageMakerRuntimeClient:
        """Return the boto3 client that invokes endpoints."""
        return self.client("sagemaker-runtime")

    def s3_client(self) -> S3Client:
        """Return the boto3 client of the environment's buckets."""
        return self.client("s3")

    def logs_client(self) -> CloudWatchLogsClient:
        """Return the boto3 client of the environment's logs."""
        return self.client("logs")

    def sts_client(self) -> STSClient:
        """Return the boto3 client that says who is asking."""
        return self.client("sts")

    def session(self) -> boto3.Session:
        """Return the boto3 session behind the clients, for libraries that want one."""
        return self._connections.session(self.settings, self.config.project)

    def is_deployed(self) -> bool:
        """Tell whether the endpoint that `model_name` names exists and serves."""
        from sagelet.environments.clients import is_serving  # noqa: PLC0415  boto3 comes with it

        endpoint = str(self.setting("model_name"))
        return is_serving(self.client(), endpoint, environment=self.current_env())

    def daemon(self) -> DaemonInfo:
        """Return the local daemon, which is started if there is none.

        Raises:
            DaemonError: it does not come up, or is of another release.
        """
        return ensure(self.home, on_start=self._say_started)

    # The first article's own names.
    isLocal = is_local  # noqa: N815
    isProduction = is_production  # noqa: N815
    isDeployed = is_deployed  # noqa: N815

    def _say_started(self, info: DaemonInfo) -> None:
        _LOG.info("started the daemon (pid %d) at %s", info.pid, info.address)


def _nearest_first(name: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    near = difflib.get_close_matches(name, known, n=len(known) or 1)
    return (*near, *(key for key in known if key not in near))


def _callers_folder() -> Path | None:
    """Return the folder of the file that made the DeployEnv; None in an interactive session."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and Path(frame.f_code.co_filename).parent == _OUR_FOLDER:
        frame = frame.f_back
    file = frame.f_globals.get("__file__") if frame is not None else None
    return Path(file).absolute().parent if isinstance(file, str) else None
