"""The same cases through our worker's Responder, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.serving import stand_in, stand_in_ts
from tests.oracle.case import Case
from tests.oracle.model_files import lay_out
from tests.oracle.results import Result, answered, not_loaded
from tests.serving_projects import Project, serving


@dataclass(frozen=True)
class Ours:
    """What we answer, and the ids of the differences that the answer says took effect."""

    result: Result
    differs: tuple[str, ...] = ()


@contextmanager
def toolkit() -> Iterator[None]:
    """Our stand-ins for the container's packages are importable, as they are in a worker."""
    stand_in.offer()
    stand_in_ts.offer()
    try:
        yield
    finally:
        stand_in_ts.withdraw()
        stand_in.withdraw()


class Parts:
    """Takes the parts of an answer, as the worker's socket does."""

    def __init__(self) -> None:
        self.begun: Mapping[str, Any] = {}
        self.sent: list[bytes] = []

    def begin(self, header: Mapping[str, Any]) -> None:
        self.begun = header

    def part(self, asked: object, body: bytes) -> bool:
        self.sent.append(body)
        return True


def answer(case: Case, contract: str, folder: Path, patch: pytest.MonkeyPatch) -> Ours:
    """Load a case's handlers and send its request."""
    lay_out(folder, case.code, case.files)
    for name, value in case.environment.items():
        patch.setenv(name, value)
    program = case.environment.get("SAGEMAKER_PROGRAM", "inference.py")
    environment = dict(case.environment)
    loaded = False
    try:
        with serving(
            folder, {}, contract=contract, program=program, environment=environment
        ) as project:
            loaded = True
            return _asked(project, case, str(folder))
    except BaseException as error:
        if not loaded:
            return Ours(not_loaded(error, str(folder)))
        if isinstance(error, Exception):
            raise
        return Ours(Result("died"))


def _asked(project: Project, case: Case, folder: str) -> Ours:
    parts = Parts()
    asked = {"op": "invoke", "id": 7, "headers": dict(case.headers)}
    asked |= {"content_type": case.content_type, "accept": case.accept}
    end, body = project.responder.answer(asked, case.body, parts)
    head: Mapping[str, Any] = end
    if parts.begun and end["status"] < HTTPStatus.BAD_REQUEST:
        # As the daemon joins them for a client that wants no stream.
        head, body = parts.begun, b"".join(parts.sent) + body
    result = answered(head["status"], head["content_type"], head["headers"], body, folder)
    return Ours(result, tuple(end.get("differs", ())))
