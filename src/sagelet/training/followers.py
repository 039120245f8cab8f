"""The jobs that the daemon follows, each in a task of its event loop."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sagelet.domain.training import TrainingJob
from sagelet.training.channels import remove_inputs
from sagelet.training.following import Follower
from sagelet.training.growth import LogGrowth
from sagelet.training.isolation import Isolation
from sagelet.training.order import JobPaths
from sagelet.training.spawning import SPARE_FOR_S, Runners

log = logging.getLogger(__name__)


class Followers:
    """Follows jobs on the event loop that runs now, which is the daemon's, until it is closed."""

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
        """Follow none yet; `follower_of` makes the follower of a job."""
        self.loop = asyncio.get_running_loop()
        self._runners = runners
        self._follower_of = follower_of
        self._log_files = log_files
        self._folder_of = folder_of
        self._growth = growth
        self._isolation = isolation
        self._followers: dict[str, Follower] = {}
        self._tasks: set[asyncio.Task[None]] = set()

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
