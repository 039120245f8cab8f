"""How long a job may take, whether its instances may be taken away, and what it then goes on from.

The texts are SageMaker's own where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from sagelet.artifacts.uris import parse_uri
from sagelet.control.context import Document
from sagelet.domain.training import Checkpoints
from sagelet.domain.variables import INTERRUPT_AFTER
from sagelet.errors import InvalidRequest

_DEFAULT_MAX_RUNTIME_S = 86400
_OPT_ML = PurePosixPath("/opt/ml")

# What the platform itself fills, so that checkpoints would mix with it.
_TAKEN = ("input", "code", "shared")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one job. `max_wait_s` is None for a job without spot instances."""

    max_runtime_s: int
    is_spot: bool
    max_wait_s: int | None


def stopping_condition(document: Document) -> Document:
    """Return when a job is to be stopped, with AWS's default."""
    return {
        "MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME_S,
        **(document.get("StoppingCondition") or {}),
    }


def read_limits(document: Document) -> Limits:
    """Read StoppingCondition and EnableManagedSpotTraining.

    Raises:
        InvalidRequest: one does not fit the other, or an interruption is asked for without spot.
    """
    condition = stopping_condition(document)
    runtime_s, wait_s = condition["MaxRuntimeInSeconds"], condition.get("MaxWaitTimeInSeconds")
    is_spot = bool(document.get("EnableManagedSpotTraining"))
    if is_spot and (wait_s is None or wait_s < runtime_s):
        raise InvalidRequest(
            message="Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal "
            "to MaxRuntimeInSeconds"
        )
    if not is_spot and wait_s is not None:
        raise InvalidRequest(
            message="Invalid MaxWaitTimeInSeconds. It is only supported when "
            "EnableManagedSpotTraining is set to true"
        )
    _check_interruption(document, is_spot=is_spot)
    return Limits(runtime_s, is_spot, wait_s)


def _check_interruption(document: Document, *, is_spot: bool) -> None:
    """Refuse a simulated interruption that cannot be, instead of passing it over."""
    said = (document.get("Environment") or {}).get(INTERRUPT_AFTER)
    if said is None:
        return
    if not is_spot:
        raise InvalidRequest(
            message=f"{INTERRUPT_AFTER} is set, and only the instances of a spot job are taken "
            "away: set EnableManagedSpotTraining and MaxWaitTimeInSeconds, too."
        )
    if not said.strip().isdecimal() or int(said) < 1:
        raise InvalidRequest(
            message=f"{INTERRUPT_AFTER} is {said!r}, and has to be a whole number of seconds."
        )


def read_checkpoints(document: Document) -> Checkpoints | None:
    """Read CheckpointConfig.

    Raises:
        InvalidRequest: its S3Uri is neither s3:// nor file://, or its LocalPath cannot be synced.
    """
    asked = document.get("CheckpointConfig")
    if not asked:
        return None
    parse_uri(asked["S3Uri"])
    wanted = Checkpoints(asked["S3Uri"])
    local = asked.get("LocalPath")
    return wanted if local is None else Checkpoints(wanted.uri, _checked(local))


def _checked(local_path: str) -> str:
    path = PurePosixPath(local_path)
    parts = path.parts[len(_OPT_ML.parts) :]
    if not path.is_relative_to(_OPT_ML) or not parts or ".." in parts:
        raise InvalidRequest(
            message=f"CheckpointConfig.LocalPath {local_path!r} is not below /opt/ml, and the rest "
            "of the file system is this machine's own; the default is /opt/ml/checkpoints."
        )
    if parts[0] in _TAKEN:
        raise InvalidRequest(
            message=f"CheckpointConfig.LocalPath {local_path!r} lies in /opt/ml/{parts[0]}, which "
            "the platform fills; the default is /opt/ml/checkpoints."
        )
    return str(path)
