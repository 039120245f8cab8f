"""All that training needs of a daemon, without its HTTP: for tests that run real jobs."""

from __future__ import annotations

import os
import shutil
import tarfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import S3Uri
from sagelet.domain.account import Account
from sagelet.domain.clock import SystemClock
from sagelet.domain.home import Home
from sagelet.domain.training import SecondaryStatus, ToolkitProgram, TrainingJob
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from sagelet.training.hostlog import GROUP
from sagelet.training.jobs import LocalJobRunner, TrainingSettings
from sagelet.training.order import JobPaths
from sagelet.worker.loglines import decode_record
from tests.training_builders import a_job

PATIENCE_S = 60.0

_PASSED_ON = ("HOME", "PATH", "SAGELET_NAMESPACE")


class TrainingMachine:
    """A home with a bucket, and a job runner on it."""

    def __init__(
        self,
        home: Path,
        *,
        variables: Mapping[str, str] | None = None,
        warm: bool = False,
        preload: Sequence[str] = (),
    ) -> None:
        self.root = home.parent / "work"
        self.home = Home(home)
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._environ = environ | dict(variables or {})
        account, clock = Account("us-east-1"), SystemClock()
        self.root.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)
        self.store = Store(self.home.database, account)
        self.logs = LogStreams(self.home.logs)
        self.buckets = Buckets(self.home.buckets)
        self.artifacts = Artifacts(self.buckets)
        self.notes: list[str] = []
        self.launchers = Launchers(
            package_path=package_path.ensure(self.home.pythonpath),
            warm=warm,
            preload=preload,
            on_note=self.notes.append,
        )
        self.runner = LocalJobRunner(
            store=self.store,
            logs=self.logs,
            launchers=self.launchers,
            home=self.home,
            account=account,
            clock=clock,
            settings=TrainingSettings(grace_s=0.5, environ=self._environ),
        )

    @property
    def has_namespace(self) -> bool:
        """Whether a job gets a /opt/ml of its own."""
        return self._environ.get("SAGELET_NAMESPACE") != "off"

    async def __aenter__(self) -> Self:
        if not (self.home.buckets / "bucket").exists():
            self.buckets.create_bucket("bucket")
        await self.runner.start_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.close()
        await self.launchers.close()
        self.store.close()

    def folder(self, name: str, files: Mapping[str, str]) -> Path:
        """Make a folder with files."""
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return folder

    def put(self, key: str, file: Path) -> str:
        """Store a file in the bucket; return its URI."""
        uri = S3Uri("bucket", key)
        self.artifacts.upload(file, uri)
        return str(uri)

    def job(self, name: str = "digits", **changes: Any) -> TrainingJob:  # noqa: ANN401  any field
        """A job that has begun just now."""
        return a_job(name, created_at=SystemClock().now(), **changes)

    def record(self, job: TrainingJob) -> None:
        """Record a job, as CreateTrainingJob does."""
        with self.store.writing() as tx:
            tx.training_jobs.add(job)

    async def begin(
        self,
        script: str,
        *,
        entry_point: str = "train.py",
        name: str = "digits",
        **changes: Any,  # noqa: ANN401  any field
    ) -> TrainingJob:
        """Create a job with one script."""
        text = textwrap.dedent(script)
        source = self.folder(f"source-{name}", {entry_point: text})
        program = ToolkitProgram(entry_point, source.as_uri())
        job = self.job(name, program=program, **changes)
        self.record(job)
        self.runner.start(job)
        return job

    async def run(self, script: str, **changes: Any) -> TrainingJob:  # noqa: ANN401  any field
        """Run a script as a job, to its end."""
        job = await self.begin(script, **changes)
        return await self.ended(job.name)

    async def finish(self, job: TrainingJob) -> TrainingJob:
        """Run a job to its end."""
        self.record(job)
        self.runner.start(job)
        return await self.ended(job.name)

    def stop(self, name: str) -> None:
        """Record that a job is being stopped, and have it stopped."""
        with self.store.writing() as tx:
            job = tx.training_jobs.get(name).moved_to(
                SecondaryStatus.STOPPING, at=SystemClock().now(), message="Stopping"
            )
            tx.training_jobs.put(job)
        self.runner.stop(job)

    def find(self, name: str) -> TrainingJob:
        """A job as the store has it."""
        with self.store.reading() as snapshot:
            return snapshot.training_jobs.get(name)

    async def ended(self, name: str) -> TrainingJob:
        """Wait for a job's end."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            arn = self.find(name).arn
            version = self.store.changes.version(arn)
            job = self.find(name)
            if job.status.is_terminal:
                return job
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"{name} is still {job.secondary_status}: {self.lines(job)}"
            await self.store.changes.wait(arn, version, min(left_s, 1.0))

    async def said(self, job: TrainingJob, line: str) -> None:
        """Wait until a job's log has a line."""
        deadline = time.monotonic() + PATIENCE_S
        while line not in self.lines(job):
            assert time.monotonic() < deadline, f"{line!r} is not in {self.lines(job)}"
            await self.store.changes.wait(job.arn, self.store.changes.version(job.arn), 0.02)

    def paths(self, job: TrainingJob) -> JobPaths:
        """The files of a job's folder."""
        return JobPaths(self.home.job(job.ulid))

    def lines(self, job: TrainingJob, host: int = 0) -> list[str]:
        """What a job's host, the first by default, has logged."""
        path = self.logs.path_of(GROUP, job.log_stream(job.cluster.hosts[host]))
        if not path.exists():
            return []
        records = map(decode_record, path.read_bytes().splitlines())
        return [record[1] for record in records if record is not None]

    def member(self, job: TrainingJob, archive: str, name: str) -> str:
        """The text of a file in one of a job's archives."""
        uri = S3Uri("bucket", f"out/{job.name}/output/{archive}")
        with tarfile.open(self.artifacts.local_path(uri)) as tar:
            file = tar.extractfile(name)
            assert file is not None
            return file.read().decode()

    def members(self, job: TrainingJob, archive: str) -> list[str]:
        """The names in one of a job's archives."""
        uri = S3Uri("bucket", f"out/{job.name}/output/{archive}")
        with tarfile.open(self.artifacts.local_path(uri)) as tar:
            return tar.getnames()
