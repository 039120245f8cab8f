"""Calls of an endpoint: what is asked beside the payload, and what comes back beside the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.cli.context import App
from sagelet.cli.payloads import Payload
from sagelet.domain.media import JSON, essence

_MEMBERS = {
    "accept": "Accept",
    "variant": "TargetVariant",
    "target_model": "TargetModel",
    "inference_id": "InferenceId",
    "custom_attributes": "CustomAttributes",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Whom to ask, and how. What is None is not sent."""

    endpoint: str
    accept: str | None = None
    variant: str | None = None
    target_model: str | None = None
    inference_id: str | None = None
    custom_attributes: str | None = None

    def parameters(self, payload: Payload) -> dict[str, Any]:
        """Return InvokeEndpoint's parameters."""
        said = {member: getattr(self, name) for name, member in _MEMBERS.items()}
        return {
            "EndpointName": self.endpoint,
            "ContentType": payload.content_type,
            "Body": payload.body,
            **{member: value for member, value in said.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `ms` is what the caller waited; headers are in lower case."""

    body: bytes
    ms: float
    status: int = 200
    content_type: str | None = None
    variant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def generation(self) -> str | None:
        """Which generation of the code answered; only this machine's endpoints say."""
        return self.headers.get("x-sagelet-generation")

    @property
    def phases_ms(self) -> dict[str, float]:
        """Where the server's time went: the queue, each handler, and in all."""
        return server_timing(self.headers.get("server-timing", ""))

    @property
    def differs(self) -> str:
        """What `contract: strict` would have done otherwise."""
        return self.headers.get("x-sagelet-strict-differs", "")

    @property
    def reload_error(self) -> str:
        """Why the last edit is not served."""
        return self.headers.get("x-sagelet-reload-error", "")

    def document(self) -> dict[str, Any]:
        """Return the answer as data, what came with it beside it."""
        facts = {
            "status": self.status,
            "ms": round(self.ms, 3),
            "content_type": self.content_type,
            "variant": self.variant,
            "generation": self.generation,
            "server_ms": self.phases_ms or None,
            "strict_differs": self.differs or None,
            "reload_error": self.reload_error or None,
        }
        told = {name: value for name, value in facts.items() if value is not None}
        return told | {"answer": self.content()}

    def content(self) -> Any:  # noqa: ANN401  whatever the JSON holds
        """Return what the body says: JSON's value, else its text."""
        text = self.body.decode("utf-8", "backslashreplace")
        if essence(self.content_type) == JSON:
            try:
                return json.loads(text)
            except ValueError:
                return text  # a handler's own mistake, and no reason to hide what it said
        return text


def ask(app: App, call: Call, payload: Payload, *, client: Any = None) -> Reply:  # noqa: ANN401  boto3's
    """Send a payload and return the answer.

    Raises:
        RemoteRefused: the endpoint is not there, or its model failed.
    """
    begun = time.perf_counter()
    said = app.exchange("InvokeEndpoint", client or app.runtime(), **call.parameters(payload))
    body = said["Body"].read()
    return reply_of(said, body, begun)


def stream(app: App, call: Call, payload: Payload, write: Any) -> Reply:  # noqa: ANN401  a callable
    """Send a payload and hand each part of the answer to `write` as it comes; return the whole.

    Raises:
        RemoteRefused: the endpoint is not there, or its model failed, perhaps half-way.
    """
    begun = time.perf_counter()
    operation = "InvokeEndpointWithResponseStream"
    said = app.exchange(operation, app.runtime(), **call.parameters(payload))
    parts = []
    for part in _parts(app, operation, said["Body"]):
        parts.append(part)
        write(part)
    return reply_of(said, b"".join(parts), begun)


def server_timing(header: str) -> dict[str, float]:
    """Read a Server-Timing header: milliseconds by name."""
    phases = {}
    for entry in header.split(","):
        name, *attributes = (part.strip() for part in entry.split(";"))
        for attribute in attributes:
            key, _, value = attribute.partition("=")
            if key == "dur":
                phases[name] = float(value)
    return phases


def _parts(app: App, operation: str, events: Any) -> Iterator[bytes]:  # noqa: ANN401  botocore's
    with app.translating(operation):
        for event in events:
            if "PayloadPart" in event:
                yield event["PayloadPart"]["Bytes"]


def reply_of(said: Mapping[str, Any], body: bytes, begun: float) -> Reply:
    """Return what InvokeEndpoint answered to a call that began at a `time.perf_counter`."""
    metadata = said["ResponseMetadata"]
    return Reply(
        body=body,
        ms=(time.perf_counter() - begun) * 1000,
        status=int(metadata["HTTPStatusCode"]),
        content_type=said.get("ContentType"),
        variant=said.get("InvokedProductionVariant"),
        headers=metadata["HTTPHeaders"],
    )
