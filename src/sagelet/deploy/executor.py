"""Takes the steps of a plan: for real, or only in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol, assert_never

from sagelet.deploy.pace import Pace
from sagelet.deploy.plan import (
    CreateBucket,
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteFailedEndpoint,
    KeepAsIs,
    Plan,
    StageModel,
    StartTrainingJob,
    Step,
    UpdateEndpoint,
    UploadArchive,
    UploadFolder,
    sentence,
)
from sagelet.deploy.remote import Remote, ignored
from sagelet.deploy.staging import stage
from sagelet.deploy.waiting import wait_until_gone

Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


def _unseen(_size_bytes: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(ignored)


class Runs(Protocol):
    """Something that takes a plan's steps."""

    def run(self, plan: Plan) -> None:
        """Take every step, in order; the first error ends it."""
        ...


class PrintingExecutor:
    """Says the steps and does nothing: `--dry-run`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` gets one line a step."""
        self._say = say

    def run(self, plan: Plan) -> None:
        """Say every step."""
        for step in plan.steps:
            self._say(sentence(step))


class Executor:
    """Takes the steps. Each is safe to take again, since names hold their content's hash."""

    def __init__(
        self,
        remote: Remote,
        *,
        on_step: Callable[[Step], None],
        progress: Progress = _unseen,
        pace: Pace | None = None,
    ) -> None:
        """`on_step` hears of each step before it is taken; `pace` is for waits between steps.

        `progress` is entered with an upload's size in bytes, and told of the bytes that went.
        """
        self._remote = remote
        self._on_step = on_step
        self._progress = progress
        self._pace = pace or Pace()

    def run(self, plan: Plan) -> None:
        """Take every step, in order.

        Raises:
            RemoteError: a call was refused; the steps before it stand, and a new plan keeps them.
        """
        for step in plan.steps:
            self._on_step(step)
            self._take(step)

    def _take(self, step: Step) -> None:
        match step:
            case CreateBucket(bucket):
                self._remote.create_bucket(bucket)
            case UploadArchive(upload):
                self._upload(upload.bucket, {upload.key: upload.file})
            case UploadFolder(_, bucket, files):
                self._upload(bucket, files)
            case StageModel(staging):
                stage(staging.package, staging.folder)
            case StartTrainingJob(job, tags):
                self._remote.create_training_job(job, tags)
            case _:
                self._serve(step)

    def _upload(self, bucket: str, files: Mapping[str, Path]) -> None:
        with self._progress(sum(file.stat().st_size for file in files.values())) as on_bytes:
            for key, file in files.items():
                self._remote.upload(file, bucket, key, on_bytes=on_bytes)

    def _serve(
        self,
        step: CreateModel
        | CreateEndpointConfig
        | DeleteFailedEndpoint
        | CreateEndpoint
        | UpdateEndpoint
        | KeepAsIs,
    ) -> None:
        match step:
            case CreateModel(model, tags):
                self._remote.create_model(model, tags)
            case CreateEndpointConfig(config, tags):
                self._remote.create_endpoint_config(config, tags)
            case DeleteFailedEndpoint(name):
                self._remote.delete_endpoint(name)
                wait_until_gone(self._remote, name, pace=self._pace)
            case CreateEndpoint(name, config_name, tags):
                self._remote.create_endpoint(name, config_name, tags)
            case UpdateEndpoint(name, config_name):
                self._remote.update_endpoint(name, config_name)
            case KeepAsIs():
                pass
            case _:
                assert_never(step)
