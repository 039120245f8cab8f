"""The credentials that scripts and handlers find: a local key of their own, or the machine's.

The machine's AWS credentials are passed where a job's or a model's Environment says so, which a
configuration's `pass_credentials: true` or `s3: aws` does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sagelet.domain.variables import PASS_CREDENTIALS, S3, S3_ENDPOINT, S3_PROFILE
from sagelet.environments import scoped_keys
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.scoped_keys import Holder
from sagelet.errors import NoCredentials

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScriptKeys:
    """Hands keys out. `address` is the daemon's, `home_key` what local keys are made of."""

    home_key: LocalCredentials
    address: str
    region: str

    def of_job(self, ulid: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with the credentials of a job's script; see `_of`."""
        return self._of(Holder.JOB, ulid, environment)

    def of_endpoint(self, ulid: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with the credentials of an endpoint's handlers; see `_of`."""
        return self._of(Holder.ENDPOINT, ulid, environment)

    def _of(self, holder: Holder, ulid: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return a holder's variables; `environment` is what its Environment says.

        Where the machine was to pass its credentials and has none there are none: code that
        needs some fails in boto3's own words.
        """
        if not _wants_the_machines(environment):
            key = scoped_keys.key_of(self.home_key, holder, ulid)
            return scoped_keys.variables(key, address=self.address, region=self.region)
        # boto3 takes a moment to import, and few jobs need it here.
        from sagelet.environments.clients import machine_credentials  # noqa: PLC0415

        address = environment.get(S3_ENDPOINT)
        try:
            found = machine_credentials(environment.get(S3_PROFILE))
        except NoCredentials as error:
            _LOG.warning("no credentials are passed to %s: %s", ulid, error)
            found = {}
        at = {"AWS_ENDPOINT_URL_S3": address, "S3_ENDPOINT_URL": address} if address else {}
        return {"AWS_DEFAULT_REGION": self.region, **found, **at}


def _wants_the_machines(environment: Mapping[str, str]) -> bool:
    return (
        environment.get(PASS_CREDENTIALS, "").lower() == "true"
        or environment.get(S3, "").lower() == "aws"
    )
