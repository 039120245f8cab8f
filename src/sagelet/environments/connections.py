"""The boto3 sessions and clients that a DeployEnv has made, kept until the environment moves.

boto3 is imported when the first session is made, not when this module is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagelet.environments.containers import container_variables
from sagelet.environments.credentials import load_or_create
from sagelet.environments.daemon import DaemonInfo
from sagelet.environments.settings import EnvironmentSettings
from sagelet.errors import BadConfig

if TYPE_CHECKING:
    import boto3

    from sagelet.domain.home import Home

LOCAL_REGION = "us-east-1"


class Connections:
    """Makes each session and client once for what it depends on: address, key, region, profile.

    It may be used from several threads.
    """

    def __init__(
        self,
        *,
        home: Callable[[], Home],
        daemon: Callable[[], DaemonInfo],
        on_note: Callable[[str], None],
    ) -> None:
        """`home` and `daemon` are asked each time; `on_note` hears of a configured address."""
        self._home = home
        self._daemon = daemon
        self._on_note = on_note
        self._lock = threading.RLock()
        self._sessions: dict[object, boto3.Session] = {}
        self._clients: dict[object, Any] = {}

    def session(self, settings: EnvironmentSettings, project: Path) -> boto3.Session:
        """Return the session of an environment."""
        return self._session(settings, project, is_here=settings.is_local)[1]

    def client(self, settings: EnvironmentSettings, project: Path, service: str) -> Any:  # noqa: ANN401
        """Return the client of a service; with `s3: aws`, that of S3 is AWS's.

        Raises:
            BadConfig: no region is known.
            InheritedEndpoint: the AWS configuration files point it at this machine.
        """
        with self._lock:
            is_here = settings.is_local
            if service == "s3" and settings.reads_aws:
                is_here = False
                settings = settings.model_copy(update={"endpoint_url": settings.s3_endpoint_url})
            key, session = self._session(settings, project, is_here=is_here)
            client = self._clients.get((key, service))
            if client is None:
                client = _make_client(session, settings, service, is_here=is_here)
                self._clients[key, service] = client
            return client

    def _session(
        self, settings: EnvironmentSettings, project: Path, *, is_here: bool
    ) -> tuple[object, boto3.Session]:
        make = self._local if is_here else self._remote
        with self._lock:
            key, maker = make(settings, project)
            session = self._sessions.get(key)
            if session is None:
                session = self._sessions[key] = maker()
            return key, session

    def _local(
        self, settings: EnvironmentSettings, project: Path
    ) -> tuple[object, Callable[[], boto3.Session]]:
        from sagelet.environments import clients  # noqa: PLC0415  boto3 comes with it

        target = clients.LocalTarget(
            address=self._daemon().address,
            credentials=load_or_create(self._home()),
            region=written_region(settings) or LOCAL_REGION,
        )
        variables = container_variables(settings)
        key = (target, project, tuple(variables.items()))
        return key, lambda: clients.local_session(target, project=project, variables=variables)

    def _remote(
        self, settings: EnvironmentSettings, _project: Path
    ) -> tuple[object, Callable[[], boto3.Session]]:
        from sagelet.environments import clients  # noqa: PLC0415  boto3 comes with it

        region = written_region(settings)
        key = (settings.name, settings.endpoint_url, settings.profile, region)
        return key, lambda: clients.remote_session(
            settings, region=region, environ=os.environ, on_note=self._on_note
        )


def written_region(settings: EnvironmentSettings) -> str | None:
    """Return the configuration's region, else the shell's; the AWS files may know one yet."""
    return settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _make_client(
    session: boto3.Session, settings: EnvironmentSettings, service: str, *, is_here: bool
) -> Any:  # noqa: ANN401
    from sagelet.environments import clients  # noqa: PLC0415  boto3 comes with it

    if not session.region_name:
        raise BadConfig(
            file="the configuration",
            where=f"environments.{settings.name}",
            problem="no region: write `region:`, or set AWS_REGION",
        )
    make: Any = session.client
    client = make(service)
    if not is_here and settings.endpoint_url is None:
        clients.refuse_loopback(settings.name, client)
    return client
