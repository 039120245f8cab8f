"""Nobody answers an invocation, or a child process does not do its work."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.errors.root import SageletError


@dataclass(eq=False)
class EndpointNotInService(SageletError):
    """An invocation names an endpoint that does not exist or does not serve yet."""

    name: str
    account_id: str

    def sentence(self) -> str:
        """Say it as SageMaker does."""
        return f"Endpoint {self.name} of account {self.account_id} not found."


@dataclass(eq=False)
class VariantNotFound(SageletError):
    """An invocation names a variant that the endpoint does not have."""

    variant: str
    endpoint: str

    def sentence(self) -> str:
        """Name both."""
        return f"Variant {self.variant} not found for endpoint {self.endpoint}."


@dataclass(eq=False)
class QueueFull(SageletError):
    """Too many requests wait for an endpoint; this one was not started."""

    endpoint: str
    waiting: int

    def sentence(self) -> str:
        """Say how many wait."""
        return f"{self.waiting} requests wait for endpoint {self.endpoint}; no worker is available."


@dataclass(eq=False)
class ModelStreamBroken(SageletError):
    """A model's streamed answer ended half-way: `code` as ModelStreamError's ErrorCode has it."""

    code: str
    message: str

    def sentence(self) -> str:
        """Return the message: the handler's own error first."""
        return self.message


@dataclass(eq=False)
class ChildFailed(SageletError):
    """A child process ended when it should not have. `exit_code` is negative for a signal."""

    what: str
    exit_code: int | None = None
    log_tail: str = ""

    def sentence(self) -> str:
        """Say how it ended, with the last it said."""
        how = "did not come up" if self.exit_code is None else f"ended with {self.exit_code}"
        return f"{self.what} {how}" + (f":\n{self.log_tail}" if self.log_tail else "")


@dataclass(eq=False)
class WorkerStartFailed(ChildFailed):
    """A model would not load. `error` is the user's last error line, `where` its `file:line`.

    `advice` tells what to do about it, where that is known.
    """

    error: str = ""
    where: str = ""
    traceback: str = ""
    advice: str = ""

    def sentence(self) -> str:
        """Say the user's own error first, then the traceback."""
        place = f" at {self.where}" if self.where else ""
        first = f"{self.what} failed{place}: {self.error or 'it ended without a word'}"
        advice = f"hint: {self.advice}" if self.advice else ""
        parts = (first, advice, self.traceback or self.log_tail)
        return "\n".join(part for part in parts if part)


@dataclass(eq=False)
class RequirementsFailed(SageletError):
    """A requirements.txt could not be installed. `said` is the installer's own text."""

    path: str
    said: str

    def sentence(self) -> str:
        """Say it as SageMaker does, then in the installer's words."""
        return f"InstallRequirementsError: {self.path} could not be installed.\n{self.said}"


@dataclass(eq=False)
class TargetModelNotSupported(SageletError):
    """An invocation names a model, and the endpoint has but one."""

    endpoint: str

    def sentence(self) -> str:
        """Say it as SageMaker does."""
        return (
            f"Endpoint {self.endpoint} is not a multi-model endpoint and does not support target "
            "model header."
        )


@dataclass(eq=False)
class TargetModelRequired(SageletError):
    """An invocation of an endpoint of many models names none of them."""

    endpoint: str

    def sentence(self) -> str:
        """Say it nearly as SageMaker does, which names the request."""
        return f"Request to endpoint {self.endpoint} is missing a target model header."


@dataclass(eq=False)
class ModelNotReady(SageletError):
    """A model that an invocation names is still being loaded; ask again."""

    endpoint: str
    model: str

    def sentence(self) -> str:
        """Name both."""
        return f"Model {self.model} of endpoint {self.endpoint} is being loaded; try again."


@dataclass(eq=False)
class ModelNotLoaded(SageletError):
    """A container of several models has none of this name."""

    name: str

    def sentence(self) -> str:
        """Say it as the model server does."""
        return f"Model not found: {self.name}"


@dataclass(eq=False)
class ModelAlreadyLoaded(SageletError):
    """A container of several models has one of this name."""

    name: str

    def sentence(self) -> str:
        """Say it as the model server does."""
        return f"Model version 1.0 is already registered for model {self.name}"


@dataclass(eq=False)
class NoRoomForModel(SageletError):
    """A container has as many models as it may load."""

    name: str
    limit: int

    def sentence(self) -> str:
        """Say how many there may be."""
        return f"No room for model {self.name}: {self.limit} models are loaded; unload one of them."
