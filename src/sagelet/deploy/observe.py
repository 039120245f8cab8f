"""What is there: the describe and list calls before a plan is made. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from sagelet.deploy.remote import EndpointSeen, Remote
from sagelet.deploy.staging import is_staged
from sagelet.deploy.wanted import Staging, Upload, Wanted


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a wanted endpoint is there already."""

    bucket_exists: bool
    source_exists: bool
    model_exists: bool
    config_exists: bool
    endpoint: EndpointSeen | None


@dataclass(frozen=True, slots=True)
class JobSeen:
    """What a training job's uploads would find."""

    bucket_exists: bool
    source_exists: bool


def observe(wanted: Wanted, remote: Remote) -> Seen:
    """Look for everything that is wanted."""
    bucket_exists, source_exists = _source(wanted.source, remote)
    return Seen(
        bucket_exists=bucket_exists,
        source_exists=source_exists,
        model_exists=remote.model_exists(wanted.model.name),
        config_exists=remote.endpoint_config_exists(wanted.config.name),
        endpoint=remote.find_endpoint(wanted.endpoint),
    )


def observe_upload(upload: Upload, remote: Remote) -> JobSeen:
    """Look for a bucket and an object in it."""
    return JobSeen(*_source(upload, remote))


def _source(source: Upload | Staging | None, remote: Remote) -> tuple[bool, bool]:
    match source:
        case None:
            return True, True
        case Staging(package, folder):
            return True, is_staged(package, folder)
        case Upload(_, bucket, key):
            if remote.object_version(bucket, key) is not None:
                return True, True
            return remote.bucket_exists(bucket), False
        case _:
            assert_never(source)
