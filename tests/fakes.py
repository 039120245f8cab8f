"""Typed, in-memory stand-ins for the Protocols in `sagelet.domain`, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sagelet.deploy.remote import (
    EndpointSeen,
    Identity,
    Tags,
    WantedEndpointConfig,
    WantedJob,
    WantedModel,
    ignored,
)
from sagelet.domain.container import LoadedModel, ServedContainer
from sagelet.domain.facts import EndpointFacts
from sagelet.domain.hosting import Endpoint
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.domain.training import TrainingJob
from sagelet.errors import (
    EndpointNotInService,
    ModelAlreadyLoaded,
    ModelDataMissing,
    ModelNotLoaded,
    PortTaken,
)


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class ScriptedRunner:
    """A JobRunner that runs nothing and remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[TrainingJob] = []
        self.stopped: list[TrainingJob] = []
        self.forgotten: list[TrainingJob] = []
        self.killed: list[TrainingJob] = []

    def start(self, job: TrainingJob) -> None:
        self.started.append(job)

    def stop(self, job: TrainingJob) -> None:
        self.stopped.append(job)

    def kill(self, job: TrainingJob) -> None:
        self.killed.append(job)

    def forget(self, job: TrainingJob) -> None:
        self.forgotten.append(job)


@dataclass(frozen=True)
class ScriptedNote:
    """Something that is said to have happened."""

    number: int
    endpoint: str
    text: str
    at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    variant: str = "v"
    is_problem: bool = False


class ScriptedNotes:
    """HostNotes that a test writes."""

    def __init__(self) -> None:
        self.all: list[ScriptedNote] = []
        self._news = asyncio.Condition()

    async def add(self, endpoint: str, text: str) -> None:
        self.all.append(ScriptedNote(len(self.all) + 1, endpoint, text))
        async with self._news:
            self._news.notify_all()

    def after(self, number: int = 0, *, endpoint: str | None = None) -> Sequence[ScriptedNote]:
        return [n for n in self.all if n.number > number and endpoint in (None, n.endpoint)]

    async def wait(self, number: int, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s), self._news:
                return await self._news.wait_for(lambda: len(self.all) > number)
        except TimeoutError:
            return False


class ScriptedHost:
    """An EndpointHost that serves nothing: it remembers what it was told, and says its line."""

    def __init__(self, line: Answer | Exception | None = None) -> None:
        self.line: Answer | Exception = line or Answer(200, b"{}", "application/json", "v", 1)
        self.converged: list[Endpoint] = []
        self.deleted: list[Endpoint] = []
        self.invocations: list[Invocation] = []
        self.streamed: StreamedAnswer | None = None
        self.notes = ScriptedNotes()
        self.known: dict[str, EndpointFacts] = {}
        self.folders: dict[str, Path] = {}
        self.printed: tuple[str, ...] = ()

    def facts(self, name: str) -> EndpointFacts:
        if name not in self.known:
            raise EndpointNotInService(name=name, account_id="000000000000")
        return self.known[name]

    def model_folder(self, name: str, variant: str | None = None) -> Path:
        if name not in self.folders:
            raise EndpointNotInService(name=name, account_id="000000000000")
        return self.folders[name]

    async def lines_of(self, trace: str, timeout_s: float = 0.3) -> tuple[str, ...]:
        return self.printed if trace else ()

    def converge(self, endpoint: Endpoint) -> None:
        self.converged.append(endpoint)

    def delete(self, endpoint: Endpoint) -> None:
        self.deleted.append(endpoint)

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        self.invocations.append(invocation)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if isinstance(self.line, Exception):
            answer.set_exception(self.line)
        else:
            answer.set_result(self.line)
        return answer

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        answer = await self.submit(invocation)
        return self.streamed or answer


class ScriptedContainer:
    """A ServedContainer that says its line, and keeps the names of the models it is told to load.

    `unloadable` are errors by URL: what loading from there raises.
    """

    def __init__(self, line: Answer | StreamedAnswer | Exception | None = None) -> None:
        self.line: Answer | StreamedAnswer | Exception = line or Answer(
            200, b"{}", "application/json", "v", 1
        )
        self.endpoint = "sentiment"
        self.is_strict = False
        self.many: ScriptedContainer | None = None
        self.max_request_bytes: int | None = None
        self.workers = 2
        self.why_unhealthy = ""
        self.loaded = {"model": "/opt/ml/model"}
        self.unloadable: dict[str, Exception] = {}
        self.invocations: list[Invocation] = []

    def models(self) -> tuple[LoadedModel, ...]:
        return tuple(LoadedModel(name, url) for name, url in self.loaded.items())

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        self.invocations.append(invocation)
        if isinstance(self.line, Exception):
            raise self.line
        return self.line

    async def load(self, name: str, url: str) -> None:
        if name in self.loaded:
            raise ModelAlreadyLoaded(name=name)
        if url in self.unloadable:
            raise self.unloadable[url]
        self.loaded[name] = url

    async def unload(self, name: str) -> None:
        if name not in self.loaded:
            raise ModelNotLoaded(name=name)
        del self.loaded[name]


class ScriptedPort:
    """An OpenPort without a socket."""

    def __init__(self, ports: ScriptedPorts, port: int) -> None:
        self._ports = ports
        self._port = port

    def refuse(self) -> None:
        self._ports.open_ports.pop(self._port, None)

    async def close(self, within_s: float) -> None:
        self._ports.closed.append((self._port, within_s))


class ScriptedPorts:
    """ContainerPorts without sockets: whoever is behind a port is found by its number."""

    def __init__(self, taken: tuple[int, ...] = ()) -> None:
        self.taken = taken
        self.open_ports: dict[int, Callable[[], ServedContainer]] = {}
        self.closed: list[tuple[int, float]] = []

    def behind(self, port: int) -> ServedContainer:
        return self.open_ports[port]()

    async def open(self, port: int, container: Callable[[], ServedContainer]) -> ScriptedPort:
        if port in self.taken:
            raise PortTaken(port=port, owner="pid 1 (init)")
        self.open_ports[port] = container
        return ScriptedPort(self, port)


class FakeRemote:
    """`deploy.remote.Remote` in memory: what was made is there, and endpoints settle when told.

    `outcomes` are the states that an endpoint passes through after each create or update; an
    update that ends in "rolled back" is InService on its old configuration, with a reason.
    """

    def __init__(self, *, region: str = "us-east-1", account: str = "123456789012") -> None:
        self.region = region
        self.address = f"https://api.sagemaker.{region}.amazonaws.com"
        self.account = account
        self.buckets: set[str] = set()
        self.objects: dict[tuple[str, str], bytes] = {}
        self.models: dict[str, WantedModel] = {}
        self.configs: dict[str, WantedEndpointConfig] = {}
        self.endpoints: dict[str, EndpointSeen] = {}
        self.jobs: dict[str, WantedJob] = {}
        self.tags: dict[str, Tags] = {}
        self.uploads: list[str] = []
        self.asked_identity = 0
        self.outcomes: list[str] = ["Creating", "InService"]
        self._coming: dict[str, list[EndpointSeen]] = {}
        self._clock = HeldClock()

    def identity(self) -> Identity:
        self.asked_identity += 1
        return Identity(self.account, f"arn:aws:iam::{self.account}:user/me")

    def bucket_exists(self, bucket: str) -> bool:
        return bucket in self.buckets

    def create_bucket(self, bucket: str) -> None:
        self.buckets.add(bucket)

    def object_version(self, bucket: str, key: str) -> str | None:
        content = self.objects.get((bucket, key))
        return None if content is None else f"etag-{hash(content)}"

    def object_sizes(self, bucket: str, prefix: str) -> Mapping[str, int]:
        return {
            key: len(content)
            for (where, key), content in self.objects.items()
            if where == bucket and key.startswith(prefix)
        }

    def upload(
        self, file: Path, bucket: str, key: str, *, on_bytes: Callable[[int], None] = ignored
    ) -> None:
        assert bucket in self.buckets
        self.objects[bucket, key] = file.read_bytes()
        on_bytes(file.stat().st_size)
        self.uploads.append(key)

    def download(self, bucket: str, key: str, file: Path) -> None:
        if (bucket, key) not in self.objects:
            raise ModelDataMissing(uri=f"s3://{bucket}/{key}")
        file.write_bytes(self.objects[bucket, key])

    def artifact_of(self, job: str) -> str | None:
        return f"s3://artifacts/{job}/model.tar.gz" if job in self.jobs else None

    def latest_job(self, prefix: str) -> str | None:
        return next((name for name in reversed(self.jobs) if name.startswith(prefix)), None)

    def model_exists(self, name: str) -> bool:
        return name in self.models

    def create_model(self, model: WantedModel, tags: Tags) -> None:
        self.models[model.name] = model
        self.tags[model.name] = tags

    def endpoint_config_exists(self, name: str) -> bool:
        return name in self.configs

    def create_endpoint_config(self, config: WantedEndpointConfig, tags: Tags) -> None:
        assert config.model_name in self.models
        self.configs[config.name] = config
        self.tags[config.name] = tags

    def find_endpoint(self, name: str, *, held: bool = False) -> EndpointSeen | None:
        if self._coming.get(name):
            self.endpoints[name] = self._coming[name].pop(0)
            if self.endpoints[name].status == "gone":
                del self.endpoints[name]
        return self.endpoints.get(name)

    def create_endpoint(self, name: str, config_name: str, tags: Tags) -> None:
        assert name not in self.endpoints
        assert config_name in self.configs
        self.tags[name] = tags
        self._settle(name, config_name, config_name)

    def update_endpoint(self, name: str, config_name: str) -> None:
        assert config_name in self.configs
        self._settle(name, config_name, self.endpoints[name].config_name)

    def delete_endpoint(self, name: str) -> None:
        old = self.endpoints[name]
        self._coming[name] = [
            EndpointSeen(name, status, old.config_name, self._clock.now())
            for status in ("Deleting", "gone")
        ]

    def create_training_job(self, job: WantedJob, tags: Tags) -> None:
        self.jobs[job.name] = job
        self.tags[job.name] = tags

    def _settle(self, name: str, new: str, old: str) -> None:
        states = []
        for outcome in self.outcomes:
            self._clock.move(1)
            done, failed = outcome == "InService", outcome in ("rolled back", "Failed")
            states.append(
                EndpointSeen(
                    name,
                    "InService" if outcome == "rolled back" else outcome,
                    new if done else old,
                    self._clock.now(),
                    "ValueError: no such file" if failed else None,
                )
            )
        self._coming[name] = states[1:]
        self.endpoints[name] = states[0]
