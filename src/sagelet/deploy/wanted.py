"""What should be: the values that a deployment brings about, with names made of their content.

Because a name holds the hash of what it names, running a deployment twice finds everything in place
the second time, and an interrupted one goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sagelet.deploy.names import hash_of, named_by
from sagelet.deploy.packaging import Package
from sagelet.deploy.remote import Tags, WantedEndpointConfig, WantedModel
from sagelet.environments.config import EnvironmentSettings
from sagelet.environments.containers import container_variables

_CONTAINER_LOG_LEVEL = "20"
_SUBMIT_DIRECTORY = "/opt/ml/model/code"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has to be in a bucket, under a key that holds its content's hash."""

    file: Path
    bucket: str
    key: str

    @property
    def url(self) -> str:
        """The object's S3 URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def size_bytes(self) -> int:
        """The file's size."""
        return self.file.stat().st_size


@dataclass(frozen=True, slots=True)
class Staging:
    """A package that has to lie in a folder as links."""

    package: Package
    folder: Path


@dataclass(frozen=True, slots=True)
class ModelData:
    """Where a model's files are, what identifies their content, and what brings them there.

    `program` is SAGEMAKER_PROGRAM; without one the container runs its default, inference.py.
    """

    url: str
    content: str
    program: str | None = None
    source: Upload | Staging | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint, and all that it needs."""

    endpoint: str
    model: WantedModel
    config: WantedEndpointConfig
    source: Upload | Staging | None
    tags: Tags


def want(
    settings: EnvironmentSettings,
    data: ModelData,
    *,
    endpoint: str,
    image: str,
    role: str,
    region: str,
    instance_type: str,
    tags: Tags,
    variables: Mapping[str, str] = _NOTHING,
) -> Wanted:
    """Return what should be, from what the configuration says and what the model's data is.

    `variables` are for a local container, over those of the configuration.
    """
    environment = _environment(settings, data, region, variables)
    model_hash = hash_of(image, data.url, data.content, role, environment)
    model = WantedModel(
        name=named_by(endpoint, model_hash),
        image=image,
        data_url=data.url,
        role=role,
        environment=environment,
    )
    config = WantedEndpointConfig(
        name=named_by(endpoint, hash_of(model.name, instance_type, 1)),
        model_name=model.name,
        instance_type=instance_type,
    )
    return Wanted(endpoint=endpoint, model=model, config=config, source=data.source, tags=tags)


def _environment(
    settings: EnvironmentSettings, data: ModelData, region: str, variables: Mapping[str, str]
) -> Mapping[str, str]:
    environment = {
        "DEPLOY_ENV": settings.name,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": _CONTAINER_LOG_LEVEL,
        "SAGEMAKER_REGION": region,
    }
    if data.program is not None:
        environment["SAGEMAKER_PROGRAM"] = data.program
    if data.program is not None and data.source is not None:
        environment["SAGEMAKER_SUBMIT_DIRECTORY"] = _SUBMIT_DIRECTORY
    if settings.is_local:
        # The client would add them on the way out; here they have a part in the model's name, so
        # that changing one is a change to deploy.
        environment.update(container_variables(settings) | dict(variables))
    return environment
