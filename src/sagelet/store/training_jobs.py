"""The table of training jobs."""

from __future__ import annotations

from sagelet.domain.training import TrainingJob, TrainingJobStatus
from sagelet.errors import TrainingJobNotFound
from sagelet.store.listing import microseconds
from sagelet.store.resources import Family, MutableResources, Resources

TRAINING_JOBS = Family(
    table="training_jobs",
    value=TrainingJob,
    not_found=TrainingJobNotFound,
    arn_kind="training-job",
    columns={
        "created_us": lambda job: microseconds(job.created_at),
        "modified_us": lambda job: microseconds(job.last_modified_at),
        "status": lambda job: str(job.status),
    },
)


class TrainingJobs(Resources[TrainingJob]):
    """Training jobs, to read."""

    def running(self) -> tuple[TrainingJob, ...]:
        """Return those that have not ended, oldest first."""
        return self._in_states(status for status in TrainingJobStatus if not status.is_terminal)


class MutableTrainingJobs(TrainingJobs, MutableResources[TrainingJob]):
    """Training jobs, to read and write."""
