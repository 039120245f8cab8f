"""Waiting for an endpoint, and telling an update that worked from one that was rolled back.

An update that fails leaves the endpoint InService on its old configuration, which boto3's waiter
takes for success; here the configuration's name is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sagelet.deploy.pace import Pace
from sagelet.deploy.remote import FAILED, IN_SERVICE, EndpointSeen, Remote
from sagelet.errors import EndpointNotFound, OperationFailed, WaitTimedOut

DEFAULT_TIMEOUT_S = 30 * 60.0


def wait_for_endpoint(
    remote: Remote,
    name: str,
    *,
    config_name: str,
    before: datetime | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    pace: Pace | None = None,
    on_status: Callable[[EndpointSeen], None] = lambda _seen: None,
) -> EndpointSeen:
    """Wait until an endpoint serves a configuration.

    `before` is when the endpoint was last modified before it was updated: as long as that has not
    changed, the API has not begun.

    Raises:
        OperationFailed: it failed, or the update was rolled back; with the API's reason.
        WaitTimedOut: it was still busy after `timeout_s`.
        EndpointNotFound: it was deleted meanwhile.
    """
    pace = pace or Pace()
    deadline = pace.now() + timeout_s
    while True:
        seen = remote.find_endpoint(name, held=True)
        if seen is None:
            raise EndpointNotFound(name)
        on_status(seen)
        if seen.status == IN_SERVICE and seen.config_name == config_name:
            return seen
        if not seen.is_in_progress and seen.last_modified_at != before:
            raise _failure(seen, config_name)
        if pace.now() >= deadline:
            raise WaitTimedOut(f"endpoint {name!r}", waited_s=timeout_s, status=seen.status)
        pace.wait()


def wait_until_settled(
    remote: Remote, name: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, pace: Pace | None = None
) -> EndpointSeen | None:
    """Wait until nothing is being done to an endpoint; None if it is not there then.

    Raises:
        WaitTimedOut: it was still busy after `timeout_s`.
    """
    pace = pace or Pace()
    deadline = pace.now() + timeout_s
    while (seen := remote.find_endpoint(name, held=True)) is not None and seen.is_in_progress:
        if pace.now() >= deadline:
            raise WaitTimedOut(f"endpoint {name!r}", waited_s=timeout_s, status=seen.status)
        pace.wait()
    return seen


def wait_until_gone(
    remote: Remote, name: str, *, timeout_s: float = DEFAULT_TIMEOUT_S, pace: Pace | None = None
) -> None:
    """Wait until an endpoint that is being deleted is gone.

    Raises:
        WaitTimedOut: it was still there after `timeout_s`.
    """
    pace = pace or Pace()
    deadline = pace.now() + timeout_s
    while (seen := remote.find_endpoint(name, held=True)) is not None:
        if pace.now() >= deadline:
            raise WaitTimedOut(f"endpoint {name!r}", waited_s=timeout_s, status=seen.status)
        pace.wait()


def _failure(seen: EndpointSeen, config_name: str) -> OperationFailed:
    reason = seen.failure_reason or "the API gives no reason"
    if seen.status == FAILED:
        return OperationFailed(f"endpoint {seen.name!r}", reason)
    # Before the reason, which may end in a traceback of the user's.
    kept = f"it still serves {seen.config_name}" if seen.status == IN_SERVICE else seen.status
    return OperationFailed(
        f"the update of endpoint {seen.name!r} to {config_name} ({kept})", reason
    )
