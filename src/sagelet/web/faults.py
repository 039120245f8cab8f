"""What went wrong, as HTTP has it (RFC 9457): a status and a sentence, for pages and programs."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from sagelet import errors
from sagelet.control.faults import fault_of
from sagelet.errors import SageletError
from sagelet.wire.faults import Fault

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[SageletError], int], ...] = (
    (errors.NotFound, 404),
    (errors.EndpointNotInService, 404),
    (errors.VariantNotFound, 404),
    (errors.AlreadyExists, 409),
    (errors.Busy, 409),
    (errors.IllegalMove, 409),
    (errors.QueueFull, 503),
)


class Refused(SageletError):
    """A request that is not let through: a status, a sentence, and header fields to go with it."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Keep them."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}

    def sentence(self) -> str:
        """Return the message."""
        return self.message


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as an answer."""

    status: int
    code: str
    detail: str

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def document(self) -> dict[str, Any]:
        """Return it as `application/problem+json` has it, `message` for our older clients."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "message": self.detail,
        }


def problem_of(error: BaseException) -> Problem:
    """Return the answer to an error; what nobody foresaw is logged, too."""
    if isinstance(error, Refused):
        return Problem(
            error.status, HTTPStatus(error.status).phrase.replace(" ", ""), error.message
        )
    if isinstance(error, HTTPException):
        code = HTTPStatus(error.status_code).phrase.replace(" ", "")
        return Problem(error.status_code, code, error.detail)
    fault: Fault = fault_of(error, service="sagelet")
    status = next((s for kind, s in _STATUSES if isinstance(error, kind)), fault.status)
    return Problem(status, fault.code, str(error) if status == 404 else fault.message)


def headers_of(error: BaseException) -> dict[str, str]:
    """Return the header fields that go with the answer to an error."""
    if isinstance(error, Refused | HTTPException):
        return dict(error.headers or {})
    return {"retry-after": "1"} if isinstance(error, errors.QueueFull) else {}
