"""A case: handlers, a model's files, and one request to them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.results import written

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Case:
    """One request, and what it is sent to. `None` stands for a header that is not sent.

    `is_uninitialised` where the container answers with memory that nobody wrote: each time other
    numbers, so that only how many is recorded.
    """

    name: str
    code: str
    body: bytes = b"[[1, 2]]"
    content_type: str | None = JSON
    accept: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    is_uninitialised: bool = False

    @property
    def request_headers(self) -> dict[str, str]:
        """All headers of the request."""
        said = {"Content-Type": self.content_type, "Accept": self.accept}
        return {name: value for name, value in said.items() if value is not None} | dict(
            self.headers
        )


def as_recorded(case: Case) -> dict[str, Any]:
    """Return a case's input as a recording has it; the handlers by their hash."""
    asked: dict[str, Any] = {"handlers": hashlib.sha256(case.code.encode()).hexdigest()[:16]}
    asked |= {"body": written(case.body), "content_type": case.content_type, "accept": case.accept}
    for name in ("headers", "environment", "files"):
        if getattr(case, name):
            asked[name] = dict(getattr(case, name))
    return asked
