"""Which model an endpoint serves, asked as any client would: its folder and its script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagelet.domain.facts import EndpointFacts
from sagelet.errors import EndpointConfigNotFound, EndpointNotInService, ModelNotFound
from sagelet.web.backend import Backend
from sagelet.web.forms.folder import ModelFolder

_PROGRAM = "SAGEMAKER_PROGRAM"
_DEFAULT_PROGRAM = "inference.py"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What serves. `folder` is None while nothing does."""

    folder: ModelFolder | None
    program: str
    generation: int


async def model_facts(backend: Backend, endpoint: str) -> ModelFacts:
    """Return what is known of the model that an endpoint's first variant serves.

    Raises:
        EndpointNotFound: there is no endpoint of that name.
    """
    described = await backend.call("sagemaker", "DescribeEndpoint", EndpointName=endpoint)
    program = await _program(backend, described)
    try:
        root = backend.host.model_folder(endpoint)
        facts = backend.host.facts(endpoint)
    except EndpointNotInService:
        return ModelFacts(None, program, 0)
    # What was unpacked lies in our home; anything else is the user's own folder.
    may_leave = not root.resolve().is_relative_to(backend.home.root.resolve())
    return ModelFacts(ModelFolder(root, may_leave), program, _generation(facts))


async def _program(backend: Backend, endpoint: dict[str, Any]) -> str:
    try:
        config = await backend.call(
            "sagemaker",
            "DescribeEndpointConfig",
            EndpointConfigName=endpoint.get("EndpointConfigName", ""),
        )
        model = await backend.call(
            "sagemaker", "DescribeModel", ModelName=config["ProductionVariants"][0]["ModelName"]
        )
    except (EndpointConfigNotFound, ModelNotFound):
        return _DEFAULT_PROGRAM  # it was deleted; what serves serves on
    container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
    program = container.get("Environment", {}).get(_PROGRAM, _DEFAULT_PROGRAM)
    return str(program)


def _generation(facts: EndpointFacts) -> int:
    return facts.variants[0].generation if facts.variants else 0
