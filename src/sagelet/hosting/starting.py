"""From a model to a pool of workers: its files laid out, its packages installed, its order made."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sagelet.artifacts.access import S3Access, artifacts_of_aws
from sagelet.artifacts.files import Artifacts
from sagelet.domain.account import Account
from sagelet.domain.hosting import Model
from sagelet.errors import InvalidRequest
from sagelet.hosting import model_data
from sagelet.hosting.admission import shortage
from sagelet.hosting.environment import worker_environment
from sagelet.hosting.metering import Meter
from sagelet.hosting.model_data import ModelFiles
from sagelet.hosting.model_urls import ModelUrls
from sagelet.hosting.observing import Observing
from sagelet.hosting.output import LogSink
from sagelet.hosting.pool import Pool, PoolSettings
from sagelet.hosting.samples import Sample, read_sample
from sagelet.hosting.settings import Container, HostingSettings
from sagelet.hosting.together import to_the_end
from sagelet.hosting.worker import Interpreters, Launches, Recruiting
from sagelet.supervision.foreground import UNHURRIED_S, ForegroundLauncher
from sagelet.supervision.requirements import RequirementsCache
from sagelet.worker.spec import Mounts, ServeOrder

_LOG = logging.getLogger(__name__)

_OPT_ML = "/opt/ml"


@dataclass(frozen=True, slots=True)
class Start:
    """What a pool is to serve.

    `ulid` is the endpoint's; `tree` is where its files go; `place` is the model's in /opt/ml.
    """

    endpoint: str
    ulid: str
    variant: str
    model: Model
    container: Container
    tree: Path
    generation: int
    sink: LogSink
    on_note: Callable[[str], None]
    place: str = model_data.MODEL
    meter: Meter | None = None


async def try_out(pool: Pool, sample: Sample | None) -> None:
    """Have a pool that has just started answer the sample, if there is one.

    Raises:
        WorkerStartFailed: it does not; nothing is left of the pool.
    """
    if sample is None:
        return
    try:
        await pool.try_sample(sample)
    except BaseException:
        await to_the_end(pool.drain(0))
        raise


class PoolStarter:
    """Starts pools; the only way to workers."""

    def __init__(
        self,
        *,
        artifacts: Artifacts,
        downloads: Path,
        launchers: Interpreters,
        account: Account,
        requirements: RequirementsCache,
        settings: HostingSettings,
        observing: Observing,
    ) -> None:
        """Take what pools are made with; `downloads` keeps models that came from AWS."""
        self._artifacts = artifacts
        self._downloads = downloads
        self._launchers = launchers
        self._account = account
        self._requirements = requirements
        self._settings = settings
        self._observing = observing

    def urls(self, model: Model) -> ModelUrls:
        """Return where the models of a container of several lie.

        Raises:
            InvalidRequest: it does not say, or says something else than s3:// or file://.
        """
        if not model.data_url:
            raise InvalidRequest(f"Model {model.name} of several models needs a ModelDataUrl.")
        return ModelUrls(model.data_url, self._artifacts_of(model))

    def meter(self, start: Start) -> Meter:
        """Return new counters for what is started."""
        return self._observing.meter(start.endpoint, start.variant)

    async def lay_out(self, start: Start) -> ModelFiles:
        """Lay the model's files out in its tree.

        Raises:
            SageletError: as `model_data.prepare`.
        """
        return await asyncio.to_thread(
            model_data.prepare,
            start.model,
            self._artifacts_of(start.model),
            start.tree,
            start.place,
        )

    def _artifacts_of(self, model: Model) -> Artifacts:
        """Return what reads a model's data: our buckets, or AWS's where its Environment says so."""
        access = S3Access.of(model.environment)
        if not access.is_aws:
            return self._artifacts
        return artifacts_of_aws(access, downloads=self._downloads, tell=_LOG.info)

    async def pool(self, start: Start, files: ModelFiles) -> Pool:
        """Return a pool whose workers have all loaded the model.

        Raises:
            RequirementsFailed: its packages cannot be installed.
            WorkerStartFailed: a worker did not load it, or did not answer the sample; none is left.
        """
        pool = Pool(
            endpoint=start.endpoint,
            variant=start.variant,
            recruiting=await self._recruiting(start, files),
            settings=self._pool_settings(start.container),
            on_note=start.on_note,
            meter=start.meter or self.meter(start),
            recorder=self._observing.recorder,
        )
        warning = await asyncio.to_thread(shortage, files.root, start.container.workers)
        if warning:
            start.on_note(warning)
        sample = await read_sample(start.container.sample, start.on_note)
        await pool.start()
        await try_out(pool, sample)
        return pool

    async def renewed(self, pool: Pool, start: Start, files: ModelFiles, generation: int) -> Pool:
        """Return a pool in the place of another, to be started with what the files hold now.

        Raises:
            RequirementsFailed: their packages cannot be installed.
        """
        return pool.again(generation, await self._recruiting(start, files))

    async def _packages(self, start: Start, files: ModelFiles) -> tuple[str, ...]:
        """Return the folders with what a model's requirements.txt asks for."""
        if files.requirements is None:
            return ()
        python = start.container.python or Path(sys.executable)
        folder = await self._requirements.ensure(python, files.requirements, start.sink.add)
        return (str(folder),)

    async def _recruiting(self, start: Start, files: ModelFiles) -> Recruiting:
        container, model_dir = start.container, f"{_OPT_ML}/{start.place}"
        site_dirs = await self._packages(start, files)
        order = ServeOrder(
            model_dir=model_dir,
            code_dir=f"{model_dir}/code" if files.has_code else model_dir,
            program=container.program,
            cwd=model_dir,
            environment=worker_environment(
                start.model,
                self._account,
                self._settings.environ,
                self._settings.keys_of(start.ulid, start.model.environment),
            ),
            threads=container.threads,
            generation=start.generation,
            contract=container.contract,
            mounts=Mounts(opt_ml=str(files.opt_ml)),
            site_dirs=site_dirs,
            max_request_bytes=container.max_request_bytes,
            max_response_bytes=container.max_response_bytes,
        )
        return Recruiting(
            launcher=self._launcher(container),
            order=order,
            load_s=UNHURRIED_S if container.attach else self._settings.load_s,
            stop_s=self._settings.stop_s,
            on_line=start.sink.add,
            traces=self._observing.traces,
        )

    def _launcher(self, container: Container) -> Launches:
        """Return what starts the workers: a person's terminal, where the model names one."""
        if container.attach is not None:
            return ForegroundLauncher(container.attach)
        return self._launchers.for_python(container.python)

    def _pool_settings(self, container: Container) -> PoolSettings:
        settings = PoolSettings(
            workers=container.workers,
            waiting_limit=container.waiting_limit,
            timeout_s=container.timeout_s,
            stop_s=self._settings.stop_s,
            rest_s=self._settings.rest_s,
            max_batch=container.max_batch,
            stream_s=max(container.timeout_s, self._settings.stream_s),
        )
        if container.attach is None:
            return settings
        # There is one terminal, and the person at it takes all the time in the world.
        return replace(settings, workers=1, timeout_s=UNHURRIED_S, stream_s=UNHURRIED_S)
