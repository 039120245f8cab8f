"""What comes of a job while it runs and at its end: metrics, checkpoints, model and output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sagelet.artifacts.files import Artifacts
from sagelet.errors import SageletError
from sagelet.training import outcome
from sagelet.training.checkpoints import CheckpointSync, local_folder
from sagelet.training.hosts import JobHost
from sagelet.training.metrics import MetricsMatcher, Value
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outcome import Outcome
from sagelet.training.outputs import Outputs


@dataclass(frozen=True, slots=True)
class Stored:
    """How a job ended, now that all it left is stored, or could not be."""

    ended: Outcome
    artifact_uri: str | None
    final_metrics: tuple[Value, ...]


class Results:
    """The results of one job."""

    def __init__(
        self, order: JobOrder, paths: JobPaths, artifacts: Artifacts, hosts: Sequence[JobHost]
    ) -> None:
        """Take the hosts; nothing is read before they are laid out."""
        self._order = order
        self._hosts = tuple(hosts)
        self._outputs = Outputs(artifacts, order, paths, self._say)
        self._metrics = MetricsMatcher(
            order.metrics, {host.name: host.log for host in hosts}, paths.metrics
        )
        self._checkpoints: CheckpointSync | None = None
        if order.checkpoints is not None:
            folders = {
                host.name: local_folder(order.checkpoints, host.folder.tree.base) for host in hosts
            }
            self._checkpoints = CheckpointSync(
                artifacts, order.checkpoints, folders, paths.checkpoints, self._say
            )

    def restore(self, *, attempt: int) -> Outcome | None:
        """Give the hosts their checkpoints; return the job's end where that cannot be done."""
        wanted = self._order.checkpoints
        if self._checkpoints is None or wanted is None:
            if attempt > 1:
                self._say("WARNING: the job has no CheckpointConfig: it starts from scratch")
            return None
        try:
            count = self._checkpoints.restore()
        except (SageletError, OSError) as error:
            return outcome.checkpoints_failed(error)
        there = f"{count} files of {wanted.uri}" if count else f"none yet at {wanted.uri}"
        seen = local_folder(wanted, self._hosts[0].seen.base)
        self._say(f"Checkpoints: {there}; they are kept from {seen}")
        return None

    def tick(self) -> None:
        """Do, about once a second, what can be done while the hosts run."""
        self._metrics.catch_up()
        if self._checkpoints is not None:
            self._checkpoints.tick()

    def keep_checkpoints(self) -> Exception | None:
        """Store the last of the checkpoints; return what went wrong."""
        if self._checkpoints is None:
            return None
        try:
            self._checkpoints.finish()
        except (SageletError, OSError, UnicodeError) as error:
            return error
        return None

    def store(self, ended: Outcome) -> Stored:
        """Store everything, and say what became of it."""
        failure = self.keep_checkpoints()
        artifact_uri = None
        try:
            artifact_uri = self._outputs.store(
                ended.status,
                models={host.name: host.folder.tree.model for host in self._hosts},
                outputs={host.name: host.folder.tree.output_data for host in self._hosts},
            )
        except (SageletError, OSError) as error:
            sys.__excepthook__(type(error), error, error.__traceback__)
            failure = error
        if failure is not None and ended.failure_reason is None:
            ended = outcome.upload_failed(failure, ended)
        metrics = self._metrics.close()
        for warning in metrics.warnings:
            self._say(f"WARNING: {warning}")
        return Stored(ended, artifact_uri, metrics.values)

    def _say(self, line: str) -> None:
        """Write into the first host's log."""
        self._hosts[0].log.say(line)
