"""What was asked for is not there, is there already, or cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.errors.root import SageletError


@dataclass(eq=False)
class NotFound(SageletError):
    """A named thing does not exist. `name` is its ARN where it has one."""

    name: str

    kind = "resource"

    def sentence(self) -> str:
        """Name what was not found."""
        return f'Could not find {self.kind} "{self.name}".'


class ModelNotFound(NotFound):
    """No such model."""

    kind = "model"


class EndpointConfigNotFound(NotFound):
    """No such endpoint configuration."""

    kind = "endpoint configuration"


class EndpointNotFound(NotFound):
    """No such endpoint."""

    kind = "endpoint"


class TrainingJobNotFound(NotFound):
    """No such training job."""

    kind = "training job"


class LogGroupNotFound(NotFound):
    """No such log group."""

    kind = "log group"


class LogStreamNotFound(NotFound):
    """No such log stream."""

    kind = "log stream"


class BucketNotFound(NotFound):
    """No such bucket."""

    kind = "bucket"


class KeyNotFound(NotFound):
    """No such object. `name` is its key."""

    kind = "key"


class ApiKeyNotFound(NotFound):
    """No such API key. `name` is its id."""

    kind = "API key"


class UploadNotFound(NotFound):
    """No such multipart upload."""

    kind = "upload"


@dataclass(eq=False)
class AlreadyExists(SageletError):
    """A name is taken. `kind` is in AWS's words: model, endpoint, training job and so on."""

    kind: str
    name: str

    def sentence(self) -> str:
        """Name what exists."""
        return f'Cannot create already existing {self.kind} "{self.name}".'


@dataclass(eq=False)
class BucketNotEmpty(SageletError):
    """A bucket that is to be deleted holds objects."""

    name: str

    def sentence(self) -> str:
        """Name the bucket."""
        return f'The bucket "{self.name}" is not empty.'


@dataclass(eq=False)
class Busy(SageletError):
    """A resource is being changed, and what was asked for has to wait for that."""

    kind: str
    name: str
    doing: str = "update"

    def sentence(self) -> str:
        """Name what is in progress."""
        return f'Cannot {self.doing} in-progress {self.kind} "{self.name}".'


@dataclass(eq=False)
class IllegalMove(SageletError):
    """A state cannot follow another."""

    what: str
    source: str
    target: str

    def sentence(self) -> str:
        """Name both states."""
        return f"{self.what} cannot move from {self.source} to {self.target}."


@dataclass(eq=False)
class InvalidRequest(SageletError):
    """A request is well-formed and makes no sense; `message` is shown as it is."""

    message: str

    def sentence(self) -> str:
        """Return the message."""
        return self.message


class NotSupported(InvalidRequest):
    """A request that AWS would serve and this release does not."""


@dataclass(eq=False)
class TooManyHosts(SageletError):
    """A training job asks for more hosts than one machine is made to run."""

    asked: int
    most: int

    def sentence(self) -> str:
        """Name both numbers."""
        return (
            f"The job asks for {self.asked} hosts, and one machine runs at most {self.most} of a "
            "job: each is a process of its own."
        )
