"""The runner of training jobs on this machine: the daemon's side.

control ── start, stop ──> LocalJobRunner ── a Follower for each job ──> the runner process
                                │                    └ journal ──> store
                                └ log growth ──> store.changes
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.artifacts.access import S3Access
from sagelet.artifacts.disk import remove_tree
from sagelet.domain.account import Account, KeysOf, no_keys
from sagelet.domain.clock import Clock
from sagelet.domain.home import Home
from sagelet.domain.training import TrainingJob
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.supervision import package_path
from sagelet.supervision.inherited import inherited
from sagelet.supervision.launcher import Launchers
from sagelet.training.channels import remove_inputs
from sagelet.training.following import Follower
from sagelet.training.growth import LogGrowth
from sagelet.training.hostlog import GROUP
from sagelet.training.ledger import Ledger
from sagelet.training.order import JobOrder, JobPaths, Places, write_order
from sagelet.training.spawning import SPARE_FOR_S, RunnerProcess, Runners
from sagelet.worker import namespace, placing

log = logging.getLogger(__name__)

PYTHON = "SAGELET_PYTHON"
"""The variable of a job's Environment that names the interpreter to train with."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How jobs run here: `environ` is the machine's own, of which scripts see a part.

    `keys_of` tells the variables with the credentials of a job's script, by the job's ULID and what
    its Environment says.
    """

    grace_s: float = 120.0
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    keys_of: KeysOf = no_keys


@dataclass(frozen=True, slots=True)
class Isolation:
    """Why a host here cannot have a /opt/ml of its own, or overlays in it; empty where it can."""

    no_namespace: str
    no_overlay: str


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
        self._session: _Session | None = None

    async def start_up(self) -> None:
        """Find again what ran when the last daemon ended, and take new jobs from now on."""
        await asyncio.to_thread(self._logs.create_group, GROUP)
        ours = await asyncio.to_thread(package_path.ensure, self._home.pythonpath)
        session = _Session(
            runners=Runners(ours, _runner_environ(self._settings.environ)),
            follower_of=self._follower,
            log_files=self._log_files,
            folder_of=lambda job: self._home.job(job.ulid),
            growth=LogGrowth(self._logs.path_of(GROUP, "x").parent, self._ledger.log_has_grown),
            isolation=asyncio.create_task(
                asyncio.to_thread(_find_out, self._settings.environ, self._home.job("any").parent)
            ),
        )
        self._session = session
        running = await asyncio.to_thread(self._ledger.running)
        session.tidy(await asyncio.to_thread(self._ended, running))
        for job in running:
            session.begin(job)

    def _ended(self, running: Iterable[TrainingJob]) -> list[Path]:
        """Return the folders of all jobs that have ended."""
        jobs = self._home.job("any").parent
        kept = {job.ulid for job in running}
        return [path for path in jobs.glob("[0-9A-Z]*") if path.name not in kept]

    async def close(self) -> None:
        """Follow no job any longer; they go on by themselves."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def start(self, job: TrainingJob) -> None:
        """Begin a job that the store has just recorded as Starting."""
        if self._session is not None:
            self._session.loop.call_soon_threadsafe(self._session.begin, job)

    def stop(self, job: TrainingJob) -> None:
        """End a job that the store has just recorded as Stopping: SIGTERM, grace, SIGKILL."""
        if self._session is not None:
            self._session.loop.call_soon_threadsafe(self._session.stop, job)

    def kill(self, job: TrainingJob) -> None:
        """End a job that the store has recorded as Stopping without its grace."""
        if self._session is not None:
            self._session.loop.call_soon_threadsafe(self._session.kill, job)

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
            why_off = _switched_off(job.environment)
            found = Isolation(why_off, why_off) if why_off else await asyncio.shield(isolation)
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


class _Session:
    """What runs on the daemon's event loop between start_up and close."""

    def __init__(
        self,
        *,
        runners: Runners,
        follower_of: Callable[[TrainingJob, Runners, asyncio.Task[Isolation]], Follower],
        log_files: Callable[[TrainingJob], list[Path]],
        folder_of: Callable[[TrainingJob], Path],
        growth: LogGrowth,
        isolation: asyncio.Task[Isolation],
    ) -> None:
        """Begin; the loop that runs now is the daemon's."""
        self.loop = asyncio.get_running_loop()
        self._runners = runners
        self._follower_of = follower_of
        self._log_files = log_files
        self._folder_of = folder_of
        self._growth = growth
        self._followers: dict[str, Follower] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._isolation = isolation

    def begin(self, job: TrainingJob) -> None:
        """Follow a job, from its start or from where it is."""
        if job.ulid in self._followers:
            return
        follower = self._follower_of(job, self._runners, self._isolation)
        self._followers[job.ulid] = follower
        self._keep(self.loop.create_task(self._follow(job, follower)))

    def tidy(self, ended: Sequence[Path]) -> None:
        """Remove inputs of ended jobs whose runners were killed before they could."""

        def remove() -> None:
            for folder in ended:
                try:
                    remove_inputs(JobPaths(folder))
                except OSError as error:
                    log.warning("%s cannot be tidied: %s", folder, error)

        self._keep(self.loop.create_task(asyncio.to_thread(remove)))

    def stop(self, job: TrainingJob) -> None:
        """Have a job's runner stop it."""
        follower = self._followers.get(job.ulid)
        if follower is not None:
            follower.ask_to_stop()

    def kill(self, job: TrainingJob) -> None:
        """Have a job's runner kill its hosts' processes."""
        follower = self._followers.get(job.ulid)
        if follower is not None:
            follower.ask_to_kill()

    async def close(self) -> None:
        """End the following, not the jobs."""
        for task in (*self._tasks, self._isolation):
            task.cancel()
        await asyncio.gather(*self._tasks, self._isolation, return_exceptions=True)
        await self._growth.close()
        await asyncio.to_thread(self._runners.close)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, job: TrainingJob, follower: Follower) -> None:
        try:
            with self._growth.watching(job.arn, self._log_files(job)):
                await follower.follow()
            self.tidy([self._folder_of(job)])  # if its runner was killed, nobody has
            await self._keep_spare()
        except Exception:
            # Nobody awaits this task: what went wrong is said here, or nowhere.
            log.exception("training job %s can no longer be followed", job.name)
        finally:
            self._followers.pop(job.ulid, None)

    async def _keep_spare(self) -> None:
        """Who trains once trains again: have the next runner ready, and not for ever."""
        await asyncio.to_thread(self._runners.keep_spare)
        self.loop.call_later(SPARE_FOR_S + 1, self._look_at_spare)

    def _look_at_spare(self) -> None:
        unused = functools.partial(self._runners.dismiss_spare, unused_for_s=SPARE_FOR_S)
        self._keep(self.loop.create_task(asyncio.to_thread(unused)))


def _runner_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a runner sees: what a script does, and how packages are installed here."""
    installers = {k: v for k, v in environ.items() if k.startswith(("PIP_", "UV_"))}
    return {**inherited(environ), **installers}


def _switched_off(environ: Mapping[str, str]) -> str:
    """Whether a person turned namespaces off: the reason, or an empty string."""
    off = environ.get(placing.SWITCH, "").lower() == "off"
    return f"{placing.SWITCH}=off" if off else ""


def _find_out(environ: Mapping[str, str], jobs: Path) -> Isolation:
    """Try what a job can have of its own: a /opt/ml, and channels that are not copied."""
    try:
        no_namespace = _switched_off(environ) or namespace.probe()
        if no_namespace:
            return Isolation(no_namespace, no_namespace)
        jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Isolation("", namespace.probe_overlay(str(jobs)))
    except (OSError, subprocess.SubprocessError) as error:
        return Isolation(str(error), str(error))


def _aws_variables(job: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return what the runner of a job with AWS's S3 needs of the machine's; None for any other."""
    if not S3Access.of(job).is_aws:
        return None
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_") and not name.startswith("AWS_ENDPOINT_URL")
    }
