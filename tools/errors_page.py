"""Every deliberate error: its sentence, how clients are answered, what the program exits with.

The sentence is the error's own, made of its fields' names; `control/faults.py` gives the answer.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, cast

from sagelet import errors
from sagelet.cli.failures import exit_code
from sagelet.control.faults import fault_of
from tools.markdown import code, first_paragraph, paragraph, table

# Facts that a sentence computes with, or that would read oddly as their own names.
_SAMPLES: dict[str, Any] = {
    "DiskFull.free_bytes": 3 * 2**20,
    "ChildFailed.exit_code": 1,
    "WorkerStartFailed.exit_code": 1,
    "OperationFailed.exit_code": 1,
    "DaemonRunning.pid": 4711,
    "PortTaken.port": 7543,
    "QueueFull.waiting": 100,
    "RemoteRefused.status": 400,
    "WaitTimedOut.waited_s": 1800.0,
    "EndpointNotInService.account_id": "000000000000",
    "Busy.doing": "update",
}
_EMPTY = frozenset({"log_tail", "traceback"})
_KINDS_TAKEN = ("model", "training job", "log group", "log stream")
_OURS = 500
_SERVICES = ("sagemaker", "sagemaker-runtime", "logs", "sts", "iam", "s3")


def error_classes() -> list[type[errors.SageletError]]:
    """Return every class of the tree, the root first, in the order of the module."""
    return [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, errors.SageletError)
    ]


def tree() -> str:
    """Return the tree as the module draws it."""
    _, _, drawing = (errors.__doc__ or "").partition("\n\n")
    lines = drawing.split("\n\n")[0].splitlines()
    return "```\n" + "\n".join(line.removeprefix("    ") for line in lines) + "\n```"


def meanings() -> str:
    """Return what each error means, says, and makes the command line exit with."""
    rows = [
        [
            code(kind.__name__),
            first_paragraph(kind.__doc__),
            paragraph(str(_sample(kind))),
            str(exit_code(_sample(kind))),
        ]
        for kind in _raised()
    ]
    return table(["error", "what it means", "its sentence", "exit code"], rows)


def answers() -> str:
    """Return how the daemon answers the errors that a request can bring about."""
    rows = []
    for label, error in _samples():
        fault = fault_of(error, service="sagemaker")
        if fault.status != _OURS:
            shown = code(fault.code) + (" *" if _is_by_service(error) else "")
            rows.append([label, shown, str(fault.status), paragraph(str(fault))])
    return table(["error", "code", "status", "words"], rows)


def invalid_codes() -> str:
    """Return what stands for a starred code, service by service."""
    rows = [
        [service, code(fault_of(errors.InvalidRequest("MESSAGE"), service=service).code)]
        for service in _SERVICES
    ]
    return table(["service", "code"], rows)


def _raised() -> Iterator[type[errors.SageletError]]:
    """Yield the classes that are raised: those with facts of their own."""
    return (kind for kind in error_classes() if _has_facts(kind))


def _has_facts(kind: type) -> bool:
    return dataclasses.is_dataclass(kind)


def _samples() -> Iterator[tuple[str, errors.SageletError]]:
    for kind in _raised():
        if kind is errors.AlreadyExists:
            for taken in _KINDS_TAKEN:
                yield f"{code(kind.__name__)}: {taken}", kind(kind=taken, name="NAME")
        else:
            yield code(kind.__name__), _sample(kind)


def _is_by_service(error: errors.SageletError) -> bool:
    """Whether the code is the one that a service has for a request that is not valid."""
    codes = {fault_of(error, service=service).code for service in _SERVICES}
    return len(codes) > 1


def _sample(kind: type[errors.SageletError]) -> errors.SageletError:
    """Return an error whose facts are their own names, in capitals."""
    facts: Any = dataclasses.fields(cast("Any", kind))
    return kind(**{field.name: _fact(kind, field) for field in facts})


def _fact(kind: type, field: dataclasses.Field[Any]) -> Any:  # noqa: ANN401  of the field's own type
    sample = _SAMPLES.get(f"{kind.__name__}.{field.name}")
    if sample is not None:
        return sample
    if field.name in _EMPTY:
        return ""
    if field.type == "tuple[str, ...]":
        return (field.name.upper(), "…")
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.name.upper()
