"""A deployment from end to end: check, plan, act, wait. What `sagelet deploy` does.

deployment = Deployment(env, AwsRemote(env), on_note=say)
prepared = deployment.prepare()      # list and describe calls only
deployment.act(prepared, Executor(deployment.remote, on_step=...))
deployment.wait(prepared, timeout_s=...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.deploy import guards, names
from sagelet.deploy.executor import Runs
from sagelet.deploy.guards import Standing
from sagelet.deploy.images import Image, image_for
from sagelet.deploy.model_data import Source
from sagelet.deploy.observe import Seen, observe
from sagelet.deploy.pace import Pace
from sagelet.deploy.plan import Plan, make_plan
from sagelet.deploy.remote import EndpointSeen, Remote
from sagelet.deploy.roles import role_of
from sagelet.deploy.versions import project_versions
from sagelet.deploy.waiting import (
    DEFAULT_TIMEOUT_S,
    wait_for_endpoint,
    wait_until_settled,
)
from sagelet.deploy.wanted import ModelData, Wanted, want
from sagelet.domain.variables import SAMPLE
from sagelet.environments.config import EnvironmentSettings, ProjectConfig
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import UnknownSetting

_LOCAL_INSTANCE = "local"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A deployment that was planned. `standing` is None in a local environment."""

    wanted: Wanted
    seen: Seen
    plan: Plan
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Instead:
    """What a command line says in place of the configuration.

    `model` is a folder, an archive or a job, and `folder` is model and code in one, served from
    where it is with `program`. `sample` is a payload's file. `variables` go into a local container.
    """

    model: str | None = None
    folder: Path | None = None
    program: str | None = None
    sample: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


class Deployment:
    """Brings a project's endpoint to what the project says, in one environment."""

    def __init__(
        self,
        env: DeployEnv,
        remote: Remote,
        *,
        on_note: Callable[[str], None],
        instead: Instead | None = None,
    ) -> None:
        """`on_note` hears what a person should know before the plan is acted on."""
        self.remote = remote
        self._config: ProjectConfig = env.config
        self._settings: EnvironmentSettings = env.settings
        self._on_note = on_note
        self._instead = instead or Instead()

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self._settings.name

    @property
    def is_local(self) -> bool:
        """Whether the environment is the daemon on this machine."""
        return self._settings.is_local

    def prepare(
        self, *, settle_timeout_s: float = DEFAULT_TIMEOUT_S, pace: Pace | None = None
    ) -> Prepared:
        """Check where the deployment goes, look at what is there, and plan.

        An endpoint that is being changed is waited for first, so that a deployment that was
        interrupted can simply be run again.

        Raises:
            ConfigError: the configuration does not say what to deploy.
            WrongAccount: the credentials are another account's.
            RemoteError: the API refused to say what is there.
        """
        settings = self._settings
        standing = None if settings.is_local else guards.check(settings, self.remote)
        wanted = self._wanted()
        seen = observe(wanted, self.remote)
        if seen.endpoint is not None and seen.endpoint.is_in_progress:
            self._on_note(f"endpoint {wanted.endpoint} is {seen.endpoint.status}; waiting for that")
            wait_until_settled(self.remote, wanted.endpoint, timeout_s=settle_timeout_s, pace=pace)
            seen = observe(wanted, self.remote)
        return Prepared(wanted, seen, make_plan(wanted, seen), standing)

    def act(self, prepared: Prepared, executor: Runs) -> None:
        """Take the plan's steps.

        Raises:
            RemoteError: a step was refused; running the deployment again keeps what was done.
        """
        executor.run(prepared.plan)

    def wait(
        self,
        prepared: Prepared,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        pace: Pace | None = None,
        on_status: Callable[[EndpointSeen], None] = lambda _seen: None,
    ) -> EndpointSeen:
        """Wait until the endpoint serves what was wanted.

        Raises:
            OperationFailed: it does not come up, or went back to what it served before.
            WaitTimedOut: it takes longer than `timeout_s`.
        """
        before = prepared.seen.endpoint
        return wait_for_endpoint(
            self.remote,
            prepared.wanted.endpoint,
            config_name=prepared.wanted.config.name,
            before=before.last_modified_at if before is not None else None,
            timeout_s=timeout_s,
            pace=pace,
            on_status=on_status,
        )

    def _wanted(self) -> Wanted:
        config, settings = self._config, self._settings
        endpoint = endpoint_name(config, settings)
        instance_type = settings.instance_type or (_LOCAL_INSTANCE if settings.is_local else None)
        if instance_type is None:
            raise config.problem(
                ("environments", settings.name), "`instance_type:` is missing: what should serve?"
            )
        return want(
            settings,
            self._model_data(endpoint),
            endpoint=endpoint,
            image=self._image(instance_type).uri,
            role=role_of(config, settings),
            region=self.remote.region,
            instance_type=instance_type,
            tags=names.tags(config.project, settings.name),
            variables=self._variables(),
        )

    def _model_data(self, endpoint: str) -> ModelData:
        said = self._instead
        if said.folder is not None:
            # Its content is not what it is known by: that changes with each save.
            return ModelData(url=said.folder.as_uri(), content="", program=said.program)
        source = Source(self._config, self._settings, self.remote, endpoint, said.model)
        return source.model_data()

    def _variables(self) -> dict[str, str]:
        """Return what a local container is told beside the environment's keys."""
        sample = self._sample()
        told = {SAMPLE: str(sample)} if sample is not None else {}
        return told | dict(self._instead.variables)

    def _sample(self) -> Path | None:
        if self._instead.sample is not None:
            return self._instead.sample.absolute()
        serve = self._config.serve
        if self._instead.folder is not None or serve is None or serve.sample is None:
            return None
        path = self._config.path(serve.sample)
        if not path.is_file():
            raise self._config.problem(("serve", "sample"), f"there is no file {path}")
        return path

    def _image(self, instance_type: str) -> Image:
        if self._settings.image is not None:
            return Image(self._settings.image)
        image = image_for(
            "inference",
            project_versions(self._settings.python),
            region=self.remote.region,
            instance_type=instance_type,
        )
        if image.note and not self._settings.is_local:
            self._on_note(f"image {image.uri}: {image.note}")
        return image


def endpoint_name(config: ProjectConfig, settings: EnvironmentSettings) -> str:
    """Return `model_name`, which is the endpoint's name and the beginning of all others.

    Raises:
        UnknownSetting: the environment does not say it.
    """
    if settings.model_name is None:
        raise UnknownSetting(
            key="model_name",
            environment=settings.name,
            file=config.label,
            known=tuple(settings.raw),
        )
    return settings.model_name
