"""Access keys for the code that a job or an endpoint runs: good for data, and for nothing else.

Such a key is kept nowhere. Its id names its holder, its secret follows from the id and from the
home's own secret, and it is known for as long as its holder is at work.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from enum import StrEnum

from sagelet.environments.credentials import LocalCredentials

PREFIX = "SGLS"
SERVICES = frozenset({"s3", "logs", "monitoring", "sts"})
"""What scripts and handlers may call: by the names that signatures are scoped to."""

_SECRET_CHARACTERS = 40


class Holder(StrEnum):
    """Who holds a key: the letter after the prefix; the holder's ULID follows it."""

    JOB = "J"
    ENDPOINT = "E"


def key_of(home_key: LocalCredentials, holder: Holder, ulid: str) -> LocalCredentials:
    """Return the key of a job or an endpoint."""
    key_id = f"{PREFIX}{holder}{ulid}"
    return LocalCredentials(key_id, _secret(home_key.secret_access_key, key_id))


def allows(access_key_id: str, service: str) -> bool:
    """Say whether a key may be used for a service; the home's own may for all."""
    return not access_key_id.startswith(PREFIX) or service in SERVICES


def variables(key: LocalCredentials, *, address: str, region: str) -> dict[str, str]:
    """Return the variables by which code finds its key, and this machine instead of AWS.

    `AWS_ENDPOINT_URL` leads every service here, so that none is AWS's by mistake; the other two
    addresses are those that SageMaker's own local mode sets.
    """
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": address,
        "AWS_ENDPOINT_URL_S3": address,
        "S3_ENDPOINT_URL": address,
    }


class ScopedKeys:
    """The secrets of the home's keys, and of those that were handed to jobs and endpoints."""

    def __init__(
        self,
        home_key: LocalCredentials,
        known: Callable[[str], str | None],
        holds: Callable[[Holder, str], bool],
    ) -> None:
        """`known` tells the secrets of the home's keys; `holds` who, by its ULID, is at work."""
        self._home_key = home_key
        self._known = known
        self._holds = holds

    def secret_of(self, access_key_id: str) -> str | None:
        """Return the secret of an access key, or None where it is nobody's, or no longer.

        Raises:
            StateError: the home's keys cannot be read.
        """
        if not access_key_id.startswith(PREFIX):
            return self._known(access_key_id)
        home_key, held = self._home_key, access_key_id[len(PREFIX) :]
        letter, ulid = held[:1], held[1:]
        if letter not in tuple(Holder) or not self._holds(Holder(letter), ulid):
            return None
        # Who takes the home's key away takes away what follows from it.
        if self._known(home_key.access_key_id) != home_key.secret_access_key:
            return None
        return _secret(home_key.secret_access_key, access_key_id)


def _secret(home_secret: str, key_id: str) -> str:
    digest = hmac.digest(home_secret.encode(), key_id.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:_SECRET_CHARACTERS]
