"""The Protocols between floors: `control` calls them, `training` and `hosting` implement them."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sagelet.domain.facts import EndpointFacts
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

    def kill(self, job: TrainingJob) -> None:
        """End a job that the store has recorded as Stopping without its grace."""
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


class HostNote(Protocol):
    """One thing that happened to an endpoint; one without a name concerns them all.

    `number` counts all notes since the daemon started.
    """

    @property
    def number(self) -> int:
        """Its place in the order of notes, from 1."""
        ...

    @property
    def at(self) -> datetime:
        """When it happened."""
        ...

    @property
    def endpoint(self) -> str:
        """Whom it is about."""
        ...

    @property
    def variant(self) -> str:
        """Which of its variants, or nothing where it is about the whole."""
        ...

    @property
    def text(self) -> str:
        """What happened."""
        ...

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to do something about it."""
        ...


class HostNotes(Protocol):
    """What happened to endpoints: the latest notes, from any thread."""

    def after(self, number: int = 0, *, endpoint: str | None = None) -> Sequence[HostNote]:
        """Return the notes that follow a number, of one endpoint or of all."""
        ...

    async def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until there are notes after a number; False if none came in time."""
        ...


class EndpointFactsSource(Protocol):
    """Tells what is known of running endpoints, on the daemon's event loop."""

    @property
    def notes(self) -> HostNotes:
        """What happened to them."""
        ...

    def facts(self, name: str) -> EndpointFacts:
        """Return what is known of one now.

        Raises:
            EndpointNotInService: no such endpoint, or it does not serve (yet).
        """
        ...

    def model_folder(self, name: str, variant: str | None = None) -> Path:
        """Return where the model lies that a variant serves, the first unless one is named.

        It is the root of its archive: `code/` is inside.

        Raises:
            EndpointNotInService: no such endpoint or variant, or it does not serve (yet), or not
                one model but several.
        """
        ...

    async def lines_of(self, trace: str, timeout_s: float = 0.3) -> tuple[str, ...]:
        """Return what the worker printed while it answered the invocation of this trace, once.

        In order, and at most 1,000 lines or 256 kB; a last line then says what is left out. What
        has not come `timeout_s` after the answer is left out, too.
        """
        ...
