"""What is checked before anything leaves for AWS: the account, the region and the address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sagelet.deploy.remote import Remote
from sagelet.environments.config import EnvironmentSettings
from sagelet.errors import WrongAccount


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deployment goes and who makes it."""

    account: str
    identity: str
    region: str
    host: str


def check(settings: EnvironmentSettings, remote: Remote) -> Standing:
    """Ask who is signing and compare it with what the configuration allows.

    An address inherited from the shell is refused when the clients are made
    (`environments.clients`), so by now the host is the configuration's or AWS's own.

    Raises:
        WrongAccount: the credentials are another account's than `account:` says.
        RemoteError: the question could not be asked.
    """
    identity = remote.identity()
    if settings.account is not None and settings.account != identity.account:
        raise WrongAccount(
            environment=settings.name,
            wanted=settings.account,
            actual=identity.account,
            identity=identity.arn,
        )
    return Standing(
        account=identity.account,
        identity=identity.arn,
        region=remote.region,
        host=urlsplit(remote.address).netloc,
    )
