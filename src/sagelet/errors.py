"""Every deliberate error of Sagelet. They carry facts; the edges choose words for them.

    SageletError
    ├── NotFound                 ModelNotFound, EndpointConfigNotFound, EndpointNotFound,
    │                            TrainingJobNotFound, LogGroupNotFound, LogStreamNotFound,
    │                            BucketNotFound, KeyNotFound, UploadNotFound
    ├── AlreadyExists, BucketNotEmpty, Busy, IllegalMove          the present state forbids it
    ├── InvalidRequest           a request that is well-formed and makes no sense
    │   └── NotSupported         ... or that this release does not serve
    ├── EndpointNotInService, VariantNotFound, QueueFull          nobody to answer an invocation
    ├── ModelDataMissing, UnsafeArchive                           data that cannot be used
    ├── DiskFull
    ├── ChildFailed              a child process ended, or never came up
    │   └── WorkerStartFailed    ... because the user's model would not load
    ├── ConfigError              ConfigNotFound, UnknownEnvironment, UnknownSetting, BadConfig,
    │                            InheritedEndpoint
    ├── DaemonError              DaemonRunning, DaemonStartFailed, VersionSkew, PortTaken
    ├── StateError               the state directory cannot be used
    └── RemoteError              RemoteRefused, RemoteUnreachable, WaitTimedOut, OperationFailed,
                                 NoCredentials, WrongAccount

This module is read by workers too: standard library only, Python 3.9's syntax.
"""

from __future__ import annotations

from dataclasses import dataclass


class SageletError(Exception):
    """The root of the tree. `str()` gives one plain sentence; edges may choose better words."""

    def __str__(self) -> str:
        """Return the sentence that a subclass makes of its facts."""
        return self.sentence()

    def sentence(self) -> str:
        """Say what happened, in one sentence."""
        return type(self).__name__


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
class ModelDataMissing(SageletError):
    """Nothing is stored at the URI of a model's archive or of an input channel."""

    uri: str

    def sentence(self) -> str:
        """Name the URI."""
        return f"Could not find model data at {self.uri}."


@dataclass(eq=False)
class UnsafeArchive(SageletError):
    """An archive is refused, whole. `reason` says why, and names the member."""

    archive: str
    reason: str

    def sentence(self) -> str:
        """Name the archive and the reason."""
        return f"{self.archive} was refused: {self.reason}"


@dataclass(eq=False)
class DiskFull(SageletError):
    """No space is left where something had to be written."""

    path: str
    free_bytes: int

    def sentence(self) -> str:
        """Say where, and how much is free."""
        return f"local disk full at {self.path} ({self.free_bytes // 2**20} MB free)"


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
    """A model would not load. `error` is the user's last error line, `where` its `file:line`."""

    error: str = ""
    where: str = ""
    traceback: str = ""

    def sentence(self) -> str:
        """Say the user's own error first, then the traceback."""
        place = f" at {self.where}" if self.where else ""
        first = f"{self.what} failed{place}: {self.error or 'it ended without a word'}"
        return "\n".join(part for part in (first, self.traceback or self.log_tail) if part)


class ConfigError(SageletError):
    """The configuration cannot be used."""


@dataclass(eq=False)
class ConfigNotFound(ConfigError):
    """No configuration file in any of the places that were searched."""

    searched: tuple[str, ...]

    def sentence(self) -> str:
        """List the places."""
        places = "\n".join(f"  {place}" for place in self.searched)
        return f"no configuration file was found; looked for:\n{places}"


@dataclass(eq=False)
class UnknownEnvironment(ConfigError):
    """The environment asked for is not in the file."""

    name: str
    file: str
    known: tuple[str, ...]

    def sentence(self) -> str:
        """Name the file and the environments there are."""
        return f"no environment {self.name!r} in {self.file}; it has: {', '.join(self.known)}"


@dataclass(eq=False)
class UnknownSetting(ConfigError):
    """An environment has no such key."""

    key: str
    environment: str
    file: str
    known: tuple[str, ...]

    def sentence(self) -> str:
        """Name the key, the file, and the keys there are."""
        return (
            f"no setting {self.key!r} in environment {self.environment!r} of {self.file}; "
            f"it has: {', '.join(self.known)}"
        )


@dataclass(eq=False)
class BadConfig(ConfigError):
    """The file does not say what it must. `where` names key and line."""

    file: str
    where: str
    problem: str

    def sentence(self) -> str:
        """Name file, place and problem."""
        return f"{self.file}, {self.where}: {self.problem}"


@dataclass(eq=False)
class InheritedEndpoint(ConfigError):
    """Calls for AWS would go elsewhere. `source` is the variable, or the file, that says so."""

    environment: str
    source: str
    address: str

    def sentence(self) -> str:
        """Name the source, and say what to do about it."""
        return (
            f"{self.source} points AWS clients at {self.address}, and environment "
            f"{self.environment!r} is AWS: unset it, or write `endpoint_url:` in that environment"
        )


class DaemonError(SageletError):
    """The daemon is not there, or cannot be."""


@dataclass(eq=False)
class DaemonRunning(DaemonError):
    """Another daemon holds this home."""

    pid: int
    address: str
    home: str

    def sentence(self) -> str:
        """Name the one that runs."""
        return f"a daemon (pid {self.pid}) already runs on {self.home} at {self.address}"


@dataclass(eq=False)
class DaemonStartFailed(DaemonError):
    """A daemon that was started did not come up. `exit_code` is its own, if it ended itself."""

    log: str
    log_tail: str = ""
    exit_code: int | None = None

    def sentence(self) -> str:
        """Show its last words, and where the rest is."""
        return f"the daemon did not come up; its log is {self.log}\n{self.log_tail}".rstrip()


@dataclass(eq=False)
class VersionSkew(DaemonError):
    """The daemon and this program are of different releases."""

    daemon: str
    ours: str

    def sentence(self) -> str:
        """Say what to do."""
        return (
            f"the daemon is {self.daemon}, this is {self.ours}: run `sagelet down` and `sagelet up`"
        )


@dataclass(eq=False)
class PortTaken(DaemonError):
    """A port that was asked for by number is in use."""

    port: int
    owner: str = ""

    def sentence(self) -> str:
        """Name the owner where it is known."""
        return f"port {self.port} is used by {self.owner or 'another process'}"


@dataclass(eq=False)
class StateError(SageletError):
    """The state directory cannot be used as it is; nothing in it was changed."""

    path: str
    problem: str

    def sentence(self) -> str:
        """Name the path and the problem."""
        return f"{self.path}: {self.problem}"


class RemoteError(SageletError):
    """A call of an API, ours or AWS's, did not work out."""


@dataclass(eq=False)
class RemoteRefused(RemoteError):
    """The API answered with an error."""

    operation: str
    code: str
    message: str
    status: int = 0

    def sentence(self) -> str:
        """Name the operation and the API's own words."""
        return f"{self.operation}: {self.code}: {self.message}"


@dataclass(eq=False)
class RemoteUnreachable(RemoteError):
    """Nothing answers at the API's address."""

    address: str
    reason: str = ""

    def sentence(self) -> str:
        """Name the address."""
        return f"nothing answers at {self.address}" + (f" ({self.reason})" if self.reason else "")


@dataclass(eq=False)
class WaitTimedOut(RemoteError):
    """A resource did not reach the state waited for in time."""

    what: str
    waited_s: float
    status: str

    def sentence(self) -> str:
        """Say how long, and where it stands."""
        return f"{self.what} is still {self.status} after {self.waited_s:.0f} s"


@dataclass(eq=False)
class OperationFailed(RemoteError):
    """A job or an endpoint ended in a failure of its own; `reason` is its FailureReason."""

    what: str
    reason: str
    exit_code: int | None = None

    def sentence(self) -> str:
        """Give the reason."""
        return f"{self.what} failed: {self.reason}"


@dataclass(eq=False)
class NoCredentials(RemoteError):
    """An environment that is AWS's has no credentials to sign with."""

    environment: str
    reason: str

    def sentence(self) -> str:
        """Name the environment and what the AWS chain said."""
        whose = f" for environment {self.environment!r}" if self.environment else ""
        return f"no AWS credentials{whose}: {self.reason}"


@dataclass(eq=False)
class WrongAccount(RemoteError):
    """The credentials are another account's than the one that the configuration names."""

    environment: str
    wanted: str
    actual: str
    identity: str

    def sentence(self) -> str:
        """Name both accounts and who is asking."""
        return (
            f"environment {self.environment!r} is for account {self.wanted}, and the credentials "
            f"({self.identity}) are of account {self.actual}"
        )
