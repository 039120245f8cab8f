"""boto3 sessions for an environment: real clients everywhere, only their address differs.

A local session knows the daemon's address, a local key and a region, and reads nothing of the
user's AWS configuration. A remote one is the AWS chain, with the environment's profile and region.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from sagelet.environments.containers import for_local, with_role_arn
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.settings import EnvironmentSettings
from sagelet.environments.translation import translating
from sagelet.errors import InheritedEndpoint, NoCredentials, RemoteRefused

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# Longer than a held Describe (20 s) and than the 60 s that a model may take for an answer.
READ_TIMEOUT_S = 80
_CONNECT_TIMEOUT_S = 5

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104  compared, not bound
_SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
_PROJECT_OPERATIONS = ("CreateModel", "CreateTrainingJob")


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """Where the local daemon is and what its clients sign with."""

    address: str
    credentials: LocalCredentials
    region: str


class _AddressedSession(botocore.session.Session):
    """A botocore session whose clients all talk to one address, unless one is given another."""

    def __init__(self, address: str, **kwargs: Any) -> None:  # noqa: ANN401  botocore's own
        super().__init__(**kwargs)
        self._address = address

    def create_client(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  botocore's own
        """Create a client at the session's address."""
        kwargs["endpoint_url"] = kwargs.get("endpoint_url") or self._address
        return super().create_client(*args, **kwargs)


def local_session(
    target: LocalTarget, *, project: Path, variables: Mapping[str, str]
) -> boto3.Session:
    """Return a session whose clients talk to the daemon.

    Parameters of CreateModel and CreateTrainingJob are completed on their way out: relative
    `file://` URLs start from the project, and `variables` go into the containers' environment.
    """
    nothing = (None, None, None, None)
    core = _AddressedSession(
        target.address,
        # The user's profiles and files are about AWS, and this is not AWS.
        session_vars={
            "profile": nothing,
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        },
    )
    core.set_default_client_config(
        Config(
            proxies={},
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            s3={"addressing_style": "path"},
        )
    )
    session = boto3.Session(
        botocore_session=core,
        aws_access_key_id=target.credentials.access_key_id,
        aws_secret_access_key=target.credentials.secret_access_key,
        region_name=target.region,
    )
    complete = partial(for_local, project=project, variables=variables)
    _on_project_operations(session, complete)
    return session


def remote_session(
    settings: EnvironmentSettings,
    *,
    region: str | None,
    environ: Mapping[str, str],
    on_note: Callable[[str], None],
) -> boto3.Session:
    """Return a session of the AWS chain; a role's bare name becomes its ARN on the way out.

    An `endpoint_url` of the configuration is told to `on_note`.

    Raises:
        InheritedEndpoint: the shell would send the calls somewhere else.
        NoCredentials: the chain has none, or the profile is not there.
    """
    address = settings.endpoint_url
    core: botocore.session.Session
    if address is None:
        refuse_inherited_endpoint(settings.name, environ)
        core = botocore.session.Session()
    else:
        on_note(f"environment {settings.name} talks to {address} (its configured endpoint_url)")
        core = _AddressedSession(address)
    core.set_default_client_config(Config(read_timeout=READ_TIMEOUT_S))
    try:
        session = boto3.Session(
            botocore_session=core, profile_name=settings.profile, region_name=region
        )
        found = session.get_credentials()
    except BotoCoreError as error:
        raise NoCredentials(environment=settings.name, reason=str(error)) from error
    if found is None:
        raise NoCredentials(environment=settings.name, reason="the AWS chain found no credentials")
    _on_project_operations(session, partial(with_role_arn, arn_of=_RoleArns(session).arn_of))
    return session


def machine_credentials(profile: str | None) -> dict[str, str]:
    """Return the machine's own AWS credentials, as the variables that hold them.

    Raises:
        NoCredentials: the AWS chain finds none, or no such profile.
    """
    try:
        found = boto3.Session(profile_name=profile).get_credentials()
    except BotoCoreError as error:
        raise NoCredentials("", str(error)) from error
    if found is None:
        raise NoCredentials("", "the AWS chain finds none")
    keys = found.get_frozen_credentials()
    variables = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
    }
    return {name: value for name, value in variables.items() if value}


def refuse_inherited_endpoint(environment: str, environ: Mapping[str, str]) -> None:
    """Refuse a shell that points AWS clients elsewhere (`sagelet env` does).

    Raises:
        InheritedEndpoint: it does; the error has the variable's name.
    """
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return
    for name in sorted(environ):
        if name.startswith("AWS_ENDPOINT_URL") and environ[name]:
            raise InheritedEndpoint(environment=environment, source=name, address=environ[name])


def refuse_loopback(environment: str, client: BaseClient) -> None:
    """Refuse a client of AWS that the AWS configuration files have pointed at this machine.

    Raises:
        InheritedEndpoint: its address is on loopback.
    """
    address = client.meta.endpoint_url
    if urlsplit(address).hostname in _LOOPBACK:
        raise InheritedEndpoint(
            environment=environment, source="the AWS configuration file", address=address
        )


def is_serving(client: SageMakerClient, endpoint: str, *, environment: str) -> bool:
    """Tell whether an endpoint exists and answers.

    Raises:
        RemoteRefused: the API refused for another reason than the endpoint's absence.
        RemoteUnreachable: nothing answers at its address.
    """
    try:
        with translating("DescribeEndpoint", environment=environment):
            status = client.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    except RemoteRefused as error:
        if error.message.startswith("Could not find endpoint"):
            return False
        raise
    return status in _SERVING


class _RoleArns:
    """Looks up each role once a session."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self.arn_of = lru_cache(maxsize=None)(self._look_up)

    def _look_up(self, role: str) -> str:
        return self._session.client("iam").get_role(RoleName=role)["Role"]["Arn"]


def _on_project_operations(
    session: boto3.Session, complete: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> None:
    # botocore takes the parameters that a handler returns; its stubs say that it returns nothing.
    def handler(params: Mapping[str, Any], **_event: object) -> Any:  # noqa: ANN401
        return complete(params)

    for operation in _PROJECT_OPERATIONS:
        session.events.register(f"provide-client-params.sagemaker.{operation}", handler)
