"""What a prediction's statuses mean: told alike by the API tab, by openapi.json and in the docs."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Status:
    """One status of an error: when it comes, and what a program does about it."""

    code: int
    when: str
    then: str

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.code).phrase


ERRORS = (
    Status(401, "There is no key, or it is wrong, revoked or has expired.", "Send another key."),
    Status(403, "The key is not good for this endpoint, or for this site.", "Use another key."),
    Status(404, "There is no such endpoint, or it does not serve (yet).", "Look at its page."),
    Status(413, "The body is too large.", "Send less at once."),
    Status(415, "The model takes no body of this content type.", "Send what its schema says."),
    Status(
        424,
        "The model refused (original_status 4xx), failed (5xx) or did not answer in time (0).",
        "Read detail; do not send the same again.",
    ),
    Status(429, "The key has been used too often.", "Wait for as long as Retry-After says."),
    Status(
        503,
        "Too many requests wait for the endpoint; this one was not begun.",
        "Wait for as long as Retry-After says, and send it again.",
    ),
)
