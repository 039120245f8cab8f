"""The same cases through our worker's Responder, in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagelet.worker.serving import stand_in
from tests.oracle.case import Case
from tests.oracle.model_files import lay_out
from tests.oracle.results import Result, answered, not_loaded
from tests.serving_projects import serving


@dataclass(frozen=True)
class Ours:
    """What we answer, and the ids of the differences that the answer says took effect."""

    result: Result
    differs: tuple[str, ...] = ()


@contextmanager
def toolkit() -> Iterator[None]:
    """Our stand-in for the toolkit is importable, as it is in a worker."""
    path = list(sys.path)
    stand_in.offer()
    try:
        yield
    finally:
        sys.path[:] = path
        for name in [name for name in sys.modules if name.partition(".")[0] in stand_in.NAMES]:
            del sys.modules[name]


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
            header, body = project.ask(
                case.body, case.content_type, case.accept, dict(case.headers)
            )
    except BaseException as error:
        if not loaded:
            return Ours(not_loaded(error, str(folder)))
        if isinstance(error, Exception):
            raise
        return Ours(Result("died"))
    result = answered(
        header["status"], header["content_type"], header["headers"], body, str(folder)
    )
    return Ours(result, tuple(header.get("differs", ())))
