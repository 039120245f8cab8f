"""A training job: what was asked for, the hosts it runs on, and the states it may move through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sagelet.errors import IllegalMove


class TrainingJobStatus(StrEnum):
    """TrainingJobStatus of DescribeTrainingJob."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return not MOVES[self]


class SecondaryStatus(StrEnum):
    """SecondaryStatus of DescribeTrainingJob.

    `Pending` waits for another job; `Interrupted` lost its spot instances, and starts again.
    """

    STARTING = "Starting"
    PENDING = "Pending"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    INTERRUPTED = "Interrupted"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
    MAX_WAIT_TIME_EXCEEDED = "MaxWaitTimeExceeded"

    @property
    def primary(self) -> TrainingJobStatus:
        """The TrainingJobStatus that goes with this secondary status."""
        return _PRIMARY.get(self, TrainingJobStatus.IN_PROGRESS)


_PRIMARY = {
    SecondaryStatus.STOPPING: TrainingJobStatus.STOPPING,
    SecondaryStatus.COMPLETED: TrainingJobStatus.COMPLETED,
    SecondaryStatus.FAILED: TrainingJobStatus.FAILED,
    SecondaryStatus.STOPPED: TrainingJobStatus.STOPPED,
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: TrainingJobStatus.STOPPED,
    SecondaryStatus.MAX_WAIT_TIME_EXCEEDED: TrainingJobStatus.STOPPED,
}

MOVES: Mapping[TrainingJobStatus, frozenset[TrainingJobStatus]] = {
    TrainingJobStatus.IN_PROGRESS: frozenset(
        {
            TrainingJobStatus.IN_PROGRESS,
            TrainingJobStatus.STOPPING,
            TrainingJobStatus.COMPLETED,
            TrainingJobStatus.FAILED,
            TrainingJobStatus.STOPPED,
        }
    ),
    # A script may end by itself while it is being stopped.
    TrainingJobStatus.STOPPING: frozenset(
        {
            TrainingJobStatus.STOPPING,
            TrainingJobStatus.STOPPED,
            TrainingJobStatus.COMPLETED,
            TrainingJobStatus.FAILED,
        }
    ),
    TrainingJobStatus.COMPLETED: frozenset(),
    TrainingJobStatus.FAILED: frozenset(),
    TrainingJobStatus.STOPPED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One of SecondaryStatusTransitions: a secondary status, from when to when."""

    status: SecondaryStatus
    started_at: datetime
    message: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """An input channel: what S3 or a folder has, shown at /opt/ml/input/data/<name>.

    The fields are those of Channel and S3DataSource in CreateTrainingJob; `groups` names the
    instance groups that get the channel, all of them where it is empty.
    """

    name: str
    uri: str
    content_type: str | None = None
    input_mode: str = "File"
    distribution: str = "FullyReplicated"
    record_wrapper: str = "None"
    data_type: str = "S3Prefix"
    compression: str = "None"
    shuffle_seed: int | None = None
    attributes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def reaches(self, host: Host) -> bool:
        """Whether a host sees the channel."""
        return not self.groups or host.group in self.groups


@dataclass(frozen=True, slots=True)
class Host:
    """One of a job's machines: algo-1, algo-2 and so on, in its instance group."""

    name: str
    instance_type: str
    group: str = "homogeneousCluster"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The hosts of a job, in order of their number."""

    hosts: tuple[Host, ...]

    @property
    def host_count(self) -> int:
        """How many hosts there are."""
        return len(self.hosts)

    @classmethod
    def of(cls, count: int, instance_type: str) -> Cluster:
        """Return a cluster of equal hosts, algo-1 to algo-<count>."""
        return cls(tuple(Host(f"algo-{n}", instance_type) for n in range(1, count + 1)))

    @classmethod
    def of_groups(cls, groups: Iterable[tuple[str, str, int]]) -> Cluster:
        """Return a cluster of groups, each a name, an instance type and a count of hosts."""
        asked = [(name, kind) for name, kind, count in groups for _ in range(count)]
        return cls(
            tuple(Host(f"algo-{n}", kind, name) for n, (name, kind) in enumerate(asked, start=1))
        )


@dataclass(frozen=True, slots=True)
class ToolkitProgram:
    """A script under the training toolkit's contract (contract T of the training chapter).

    `hyperparameters` is what the script is given: the decoded values without the sagemaker_* ones.
    """

    entry_point: str
    source_uri: str


@dataclass(frozen=True, slots=True)
class LiteralProgram:
    """A command that is run as it is: ContainerEntrypoint and ContainerArguments (contract V3)."""

    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...] = ()


Program = ToolkitProgram | LiteralProgram


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """CheckpointConfig: where checkpoints are kept, and where the script sees them."""

    uri: str
    local_path: str = "/opt/ml/checkpoints"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric's name and the expression whose first group is its value in a log line."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training job.

    `submitted` is the CreateTrainingJob document as it came, for Describe to echo. `max_wait_s`
    bounds a spot job's whole time, interruptions included; it is None for any other job.
    """

    name: str
    ulid: str
    arn: str
    image: str
    program: Program
    hyperparameters: Mapping[str, str]
    channels: tuple[Channel, ...]
    cluster: Cluster
    environment: Mapping[str, str]
    output_uri: str
    max_runtime_s: int
    metrics: tuple[MetricDefinition, ...]
    submitted: Mapping[str, Any]
    created_at: datetime
    checkpoints: Checkpoints | None = None
    is_spot: bool = False
    max_wait_s: int | None = None
    transitions: tuple[Transition, ...] = ()
    failure_reason: str | None = None
    exit_code: int | None = None
    artifact_uri: str | None = None
    final_metrics: tuple[tuple[str, float, datetime], ...] = ()

    @property
    def secondary_status(self) -> SecondaryStatus:
        """The status of the last transition."""
        return self.transitions[-1].status if self.transitions else SecondaryStatus.STARTING

    @property
    def status(self) -> TrainingJobStatus:
        """The primary status."""
        return self.secondary_status.primary

    @property
    def last_modified_at(self) -> datetime:
        """When the status last changed."""
        return self.transitions[-1].started_at if self.transitions else self.created_at

    @property
    def started_at(self) -> datetime | None:
        """When training (not the download before it) began."""
        return next(
            (t.started_at for t in self.transitions if t.status is SecondaryStatus.TRAINING), None
        )

    @property
    def ended_at(self) -> datetime | None:
        """When the job reached a terminal status."""
        return self.last_modified_at if self.status.is_terminal else None

    def log_stream(self, host: Host) -> str:
        """Return the name of a host's log stream, `<job>/algo-<n>-<epoch seconds>`."""
        return f"{self.name}/{host.name}-{int(self.created_at.timestamp())}"

    def moved_to(
        self,
        status: SecondaryStatus,
        *,
        at: datetime,
        message: str,
        failure_reason: str | None = None,
    ) -> TrainingJob:
        """Return the job in its next status; the transition that was open is closed.

        Raises:
            IllegalMove: the table of moves does not lead there.
        """
        if self.transitions and status.primary not in MOVES[self.status]:
            raise IllegalMove(what=self.arn, source=self.status, target=status.primary)
        closed = tuple(t if t.ended_at else replace(t, ended_at=at) for t in self.transitions)
        ended_at = at if status.primary.is_terminal else None
        return replace(
            self,
            transitions=(*closed, Transition(status, at, message, ended_at)),
            failure_reason=failure_reason or self.failure_reason,
        )
