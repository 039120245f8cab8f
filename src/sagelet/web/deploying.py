"""Deploying what a job has made: from its page to an endpoint, through AWS's own operations.

The functions that serve are looked for in the archive's `code/`, then in the source that the job
ran. In the second case the model is packed anew, with the source as its code, as SageMaker's SDK
does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sagelet.artifacts.uris import parse_uri
from sagelet.control.context import Document
from sagelet.control.deviations import WIDENED
from sagelet.domain.variables import PYTHON
from sagelet.errors import AlreadyExists, EndpointNotFound, SageletError
from sagelet.web import repacking
from sagelet.web.backend import Backend
from sagelet.web.job_view import artifact_of
from sagelet.web.trees import Trees
from sagelet.wire.faults import Fault
from sagelet.wire.models import service_model
from sagelet.wire.validation import validate

VARIANT = "AllTraffic"
_CODE = "/opt/ml/model/code"
_SERVES = re.compile(r"^def (?:model_fn|input_fn|predict_fn|transform_fn)\b", re.MULTILINE)
_FIRST = "inference.py"
_LONGEST_NAME = 63
_EXISTS = "There is an endpoint {} already: choose another name, or update it."
_FAILED = "The endpoint {0} has failed: choose another name, or “sagelet rm {0}” deletes it."


@dataclass(frozen=True, slots=True)
class Program:
    """A script with the functions that serve; `source` is where it comes from, if not the model."""

    file: str
    source: str = ""

    @property
    def key(self) -> str:
        """What the form calls it."""
        return f"{'source' if self.source else 'model'}:{self.file}"

    @property
    def title(self) -> str:
        """What people call it."""
        where = "from the job's source" if self.source else "in the model"
        return f"{self.file}, {where}"


@dataclass(frozen=True, slots=True)
class DeployForm:
    """What is asked before a model is deployed, what was answered, and what is wrong with that."""

    data_url: str
    programs: tuple[Program, ...]
    endpoint: str
    program: str = ""
    is_update: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    error: SageletError | None = None

    def filled(self, given: Mapping[str, Any]) -> DeployForm:
        """Return it as somebody has filled it in."""
        return replace(
            self,
            endpoint=str(given.get("endpoint", "")).strip(),
            program=str(given.get("program", self.program)),
            is_update=given.get("update") == "yes",
        )

    def refused(self, error: SageletError, name: str, message: str) -> DeployForm:
        """Return it with what is wrong with one of its fields."""
        return replace(self, error=error, errors={name: message})


async def form_of(backend: Backend, trees: Trees, job: Mapping[str, Any]) -> DeployForm | None:
    """Return the form for a job's model; None where it has left none here."""
    found = await asyncio.to_thread(artifact_of, backend, job, "model.tar.gz")
    if found is None:
        return None
    programs = await asyncio.to_thread(_programs, trees, found.uri, job)
    return DeployForm(
        data_url=found.uri,
        programs=programs,
        endpoint=job["TrainingJobName"][:_LONGEST_NAME].rstrip("-"),
        program=programs[0].key if programs else "",
    )


async def deploy(backend: Backend, job: Mapping[str, Any], form: DeployForm) -> DeployForm:
    """Create a model, a configuration and an endpoint; what cannot be done stands in the form."""
    program = next((each for each in form.programs if each.key == form.program), None)
    try:
        _check_name(form.endpoint)
    except Fault as fault:
        return form.refused(fault, "endpoint", fault.message)
    status = await _status(backend, form.endpoint)
    if status == "Failed" or (status and not form.is_update):
        return form.refused(
            AlreadyExists(kind="endpoint", name=form.endpoint),
            "endpoint",
            (_FAILED if status == "Failed" else _EXISTS).format(form.endpoint),
        )
    try:
        data_url = form.data_url
        if program is not None and program.source:
            data_url = await asyncio.to_thread(
                repacking.with_code, backend, form.data_url, program.source
            )
        await _create(backend, job, form, program, data_url, is_update=bool(status))
    except SageletError as error:
        return form.refused(error, "form", str(error))
    return form


async def _create(
    backend: Backend,
    job: Mapping[str, Any],
    form: DeployForm,
    program: Program | None,
    data_url: str,
    *,
    is_update: bool,
) -> None:
    stamp = backend.clock.now().strftime("%y%m%d-%H%M%S%f")[:-3]
    name = f"{form.endpoint[: _LONGEST_NAME - len(stamp) - 1].rstrip('-')}-{stamp}"
    model = {
        "ModelName": name,
        "ExecutionRoleArn": job["RoleArn"],
        "PrimaryContainer": {
            "Image": job["AlgorithmSpecification"]["TrainingImage"].replace(
                "pytorch-training", "pytorch-inference"
            ),
            "ModelDataUrl": data_url,
            "Environment": _environment(job, program),
        },
    }
    variant = {
        "VariantName": VARIANT,
        "ModelName": name,
        "InstanceType": job["ResourceConfig"].get("InstanceType", "local"),
        "InitialInstanceCount": 1,
    }
    config = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    await _do(backend, "CreateModel", model)
    try:
        await _do(backend, "CreateEndpointConfig", config)
        operation = "UpdateEndpoint" if is_update else "CreateEndpoint"
        endpoint = {"EndpointName": form.endpoint, "EndpointConfigName": name}
        await _do(backend, operation, endpoint)
    except SageletError:
        with contextlib.suppress(SageletError):
            await backend.call("sagemaker", "DeleteModel", ModelName=name)
        with contextlib.suppress(SageletError):
            await backend.call("sagemaker", "DeleteEndpointConfig", EndpointConfigName=name)
        raise


async def _do(backend: Backend, operation: str, document: Document) -> None:
    validate(document, service_model("sagemaker").operation_model(operation), WIDENED)
    await backend.call("sagemaker", operation, **document)


def _environment(job: Mapping[str, Any], program: Program | None) -> dict[str, str]:
    environment: dict[str, str] = {}
    if program is not None:
        environment |= {"SAGEMAKER_PROGRAM": program.file, "SAGEMAKER_SUBMIT_DIRECTORY": _CODE}
    python = job.get("Environment", {}).get(PYTHON)
    return environment | ({PYTHON: python} if python else {})


def _check_name(name: str) -> None:
    document = {"EndpointName": name, "EndpointConfigName": "x"}
    validate(document, service_model("sagemaker").operation_model("CreateEndpoint"), WIDENED)


async def _status(backend: Backend, name: str) -> str:
    """Return an endpoint's status; nothing where there is none of that name."""
    try:
        shown = await backend.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    except EndpointNotFound:
        return ""
    status: str = shown["EndpointStatus"]
    return status


def _programs(trees: Trees, data_url: str, job: Mapping[str, Any]) -> tuple[Program, ...]:
    """Return the scripts that may serve, the likeliest first."""
    inside = [
        Program(name.rpartition("/")[2])
        for name in sorted(trees.listing(parse_uri(data_url)).names)
        if re.fullmatch(r"(?:[^/]+/)?code/[^/]+\.py", name)
    ]
    if inside:
        return tuple(sorted(inside, key=lambda each: (each.file != _FIRST, each.file)))
    source = repacking.source_of(job)
    if source is None:
        return ()
    uri = parse_uri(source)
    try:
        names = trees.listing(uri).names
        found = [
            Program(name, source)
            for name in sorted(names)
            if name.endswith(".py") and "/" not in name and _serves(trees, source, name)
        ]
    except SageletError:
        return ()  # the source is gone, which a job needs no more
    return tuple(sorted(found, key=lambda each: (each.file != _FIRST, each.file)))


def _serves(trees: Trees, source: str, name: str) -> bool:
    text = trees.preview(parse_uri(source), name).text
    return text is not None and _SERVES.search(text) is not None
