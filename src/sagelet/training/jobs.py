"""The runner of training jobs on this machine: the daemon's side.

control ── start, stop ──> LocalJobRunner ── a Follower for each job ──> the runner process
                                │                    └ journal ──> store
                                └ log growth ──> store.changes
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.artifacts.access import S3Access
from sagelet.artifacts.disk import remove_tree
from sagelet.domain.account import Account, KeysOf, no_keys
from sagelet.domain.clock import Clock
from sagelet.domain.home import Home
from sagelet.domain.training import TrainingJob
from sagelet.domain.variables import PYTHON
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.supervision import package_path
from sagelet.supervision.inherited import inherited
from sagelet.supervision.launcher import Launchers
from sagelet.training.followers import Followers
from sagelet.training.following import Follower
from sagelet.training.growth import LogGrowth
from sagelet.training.hostlog import GROUP
from sagelet.training.isolation import Isolation, find_out, switched_off
from sagelet.training.ledger import Ledger
from sagelet.training.order import JobOrder, JobPaths, Places, write_order
from sagelet.training.spawning import RunnerProcess, Runners


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How jobs run here: `environ` is the machine's own, of which scripts see a part.

    `keys_of` tells the variables with the credentials of a job's script, by the job's ULID and what
    its Environment says.
    """

    grace_s: float = 120.0
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    keys_of: KeysOf = no_keys


class LocalJobRunner:
    """Runs training jobs on this machine, each in a process that outlives this one."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStreams,
        launchers: Launchers,
        home: Home,
        account: Account,
        clock: Clock,
        settings: TrainingSettings | None = None,
    ) -> None:
        """Take the parts; nothing runs before `start_up`."""
        self._ledger = Ledger(store, clock)
        self._logs = logs
        self._launchers = launchers
        self._home = home
        self._account = account
        self._settings = settings or TrainingSettings()
        # None before start_up and after close: what is recorded then is found by the next start_up.
        self._followers: Followers | None = None

    async def start_up(self) -> None:
        """Find again what ran when the last daemon ended, and take new jobs from now on."""
        await asyncio.to_thread(self._logs.create_group, GROUP)
        ours = await asyncio.to_thread(package_path.ensure, self._home.pythonpath)
        followers = Followers(
            runners=Runners(ours, _runner_environ(self._settings.environ)),
            follower_of=self._follower,
            log_files=self._log_files,
            folder_of=lambda job: self._home.job(job.ulid),
            growth=LogGrowth(self._logs.path_of(GROUP, "x").parent, self._ledger.log_has_grown),
            isolation=asyncio.create_task(
                asyncio.to_thread(find_out, self._settings.environ, self._home.job("any").parent)
            ),
        )
        self._followers = followers
        running = await asyncio.to_thread(self._ledger.running)
        followers.tidy(await asyncio.to_thread(self._ended, running))
        for job in running:
            followers.begin(job)

    def _ended(self, running: Iterable[TrainingJob]) -> list[Path]:
        """Return the folders of all jobs that have ended."""
        jobs = self._home.job("any").parent
        kept = {job.ulid for job in running}
        return [path for path in jobs.glob("[0-9A-Z]*") if path.name not in kept]

    async def close(self) -> None:
        """Follow no job any longer; they go on by themselves."""
        followers, self._followers = self._followers, None
        if followers is not None:
            await followers.close()

    def start(self, job: TrainingJob) -> None:
        """Begin a job that the store has just recorded as Starting."""
        if self._followers is not None:
            self._followers.loop.call_soon_threadsafe(self._followers.begin, job)

    def stop(self, job: TrainingJob) -> None:
        """End a job that the store has just recorded as Stopping: SIGTERM, grace, SIGKILL."""
        if self._followers is not None:
            self._followers.loop.call_soon_threadsafe(self._followers.stop, job)

    def kill(self, job: TrainingJob) -> None:
        """End a job that the store has recorded as Stopping without its grace."""
        if self._followers is not None:
            self._followers.loop.call_soon_threadsafe(self._followers.kill, job)

    def forget(self, job: TrainingJob) -> None:
        """Remove the folder of a job that has ended; its artifacts are in their bucket."""
        folder = self._home.job(job.ulid)
        if folder.exists():
            # Its runner may be about to write its last word, which then has no place to go.
            gone = folder.with_name(f".{job.ulid}")
            folder.rename(gone)
            remove_tree(gone)

    def _follower(
        self, job: TrainingJob, runners: Runners, isolation: asyncio.Task[Isolation]
    ) -> Follower:
        """Return the follower of a job; the task tells how far a host can be by itself."""
        named = job.environment.get(PYTHON)
        paths = JobPaths(self._home.job(job.ulid))

        async def spawn_runner() -> RunnerProcess:
            found = switched_off(job.environment)
            if found is None:
                found = await asyncio.shield(isolation)
            await asyncio.to_thread(self._lay_down, job, paths, found)
            aws = _aws_variables(job.environment, self._settings.environ)
            return await asyncio.to_thread(runners.start, paths, aws)

        return Follower(
            job,
            paths,
            ledger=self._ledger,
            launcher=self._launchers.for_python(Path(named) if named else None),
            spawn=spawn_runner,
        )

    def _lay_down(self, job: TrainingJob, paths: JobPaths, isolation: Isolation) -> None:
        """Write a job's order, unless a runner has had it already, and make its log streams."""
        if not paths.order.exists():
            order = JobOrder.of(
                job,
                account=self._account,
                places=Places(
                    buckets=str(self._home.buckets),
                    logs=str(self._home.logs),
                    python=job.environment.get(PYTHON) or sys.executable,
                    package_path=str(self._home.pythonpath),
                    packages=str(self._home.packages),
                    downloads=str(self._home.downloads),
                    ports=str(self._home.ports),
                ),
                inherited=inherited(self._settings.environ),
                grace_s=self._settings.grace_s,
                no_namespace=isolation.no_namespace,
                no_overlay=isolation.no_overlay,
                credentials=self._settings.keys_of(job.ulid, job.environment),
            )
            write_order(order, paths)
        for host in job.cluster.hosts:
            self._logs.create_stream(GROUP, job.log_stream(host))

    def _log_files(self, job: TrainingJob) -> list[Path]:
        """The files that a job's hosts log to."""
        return [self._logs.path_of(GROUP, job.log_stream(host)) for host in job.cluster.hosts]


def _runner_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a runner sees: what a script does, and how packages are installed here."""
    installers = {k: v for k, v in environ.items() if k.startswith(("PIP_", "UV_"))}
    return {**inherited(environ), **installers}


def _aws_variables(job: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return what the runner of a job with AWS's S3 needs of the machine's; None for any other."""
    if not S3Access.of(job).is_aws:
        return None
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_") and not name.startswith("AWS_ENDPOINT_URL")
    }
