"""The Protocols between floors: `control` calls them, `training` and `hosting` implement them."""

from __future__ import annotations

from asyncio import Future
from typing import Protocol

from sagelet.domain.hosting import Endpoint
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.domain.training import TrainingJob


class JobRunner(Protocol):
    """Runs training jobs. Every call may come from any thread and returns at once.

    What becomes of a job is written to the store by the runner's implementation.
    """

    def start(self, job: TrainingJob) -> None:
        """Begin a job that the store has just recorded as Starting."""
        ...

    def stop(self, job: TrainingJob) -> None:
        """End a job that the store has just recorded as Stopping: SIGTERM, grace, SIGKILL."""
        ...

    def forget(self, job: TrainingJob) -> None:
        """Remove the folder of a job that has ended and is no longer in the store."""
        ...


class EndpointHost(Protocol):
    """Serves endpoints. `converge` and `delete` may come from any thread and return at once.

    What becomes of an endpoint is written to the store by the host's implementation.
    """

    def converge(self, endpoint: Endpoint) -> None:
        """Bring up `endpoint.wanted` (recorded as Creating or Updating), or keep the old."""
        ...

    def delete(self, endpoint: Endpoint) -> None:
        """Drain and stop what serves an endpoint recorded as Deleting, then remove its record."""
        ...

    def submit(self, invocation: Invocation) -> Future[Answer]:
        """Begin one invocation, on the daemon's event loop; it needs no task of its own.

        Cancelling the result withdraws a request that has not been started.

        Raises (here, or as the result's exception):
            EndpointNotInService: no such endpoint, or it does not serve (yet).
            VariantNotFound: the target variant is not one of the endpoint's.
            QueueFull: too many requests wait; this one was not started.
        """
        ...

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        An Answer is what there was no stream of: an error before the first part.

        Raises:
            EndpointNotInService, VariantNotFound, QueueFull: as `submit`.
        """
        ...
