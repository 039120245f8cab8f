"""Which store `s3://` leads to, as a job's or a model's Environment says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.domain.variables import S3, S3_ENDPOINT, S3_PROFILE, S3_REGION


@dataclass(frozen=True, slots=True)
class S3Access:
    """Where s3:// leads to: our buckets, or AWS's with a profile, a region and an address."""

    is_aws: bool = False
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> S3Access:
        """Read the variables of an Environment."""

        def said(name: str) -> str:
            return environment.get(name, "").strip()

        return cls(
            is_aws=said(S3).lower() == "aws",
            profile=said(S3_PROFILE) or None,
            region=said(S3_REGION) or None,
            endpoint_url=said(S3_ENDPOINT) or None,
        )


def artifacts_at(
    access: S3Access, *, buckets: Path, downloads: Path, tell: Callable[[str], None]
) -> Artifacts:
    """Return what reads and writes URIs, in our buckets or in AWS's."""
    if access.is_aws:
        return artifacts_of_aws(access, downloads=downloads, tell=tell)
    return Artifacts(Buckets(buckets))


def artifacts_of_aws(
    access: S3Access, *, downloads: Path, tell: Callable[[str], None]
) -> Artifacts:
    """Return what reads and writes URIs, in AWS's buckets.

    `downloads` keeps what came from there, for the next time; `tell` hears how far that is.
    """
    # Its import takes longer than a job's start: nobody waits for it who has no use for it.
    from sagelet.artifacts.s3 import AwsBuckets  # noqa: PLC0415

    return Artifacts(AwsBuckets(access, downloads, tell=tell))
