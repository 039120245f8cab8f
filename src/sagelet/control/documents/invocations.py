"""Invocations and their answers in documents.

A container gets a few headers of the call and no others; the inference contract names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.domain.invocation import UNTIMED, Answer, Invocation, StreamedAnswer, Timing
from sagelet.wire.faults import Fault
from sagelet.wire.messages import as_header

_TO_CONTAINER = {
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "EnableExplanations": "X-Amzn-SageMaker-Enable-Explanations",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "PrefixAwareId": "X-Amzn-SageMaker-Prefix-Aware-Id",
    "SessionId": "X-Amzn-SageMaker-Session-Id",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
}
_FROM_CONTAINER = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-new-session-id": "NewSessionId",
    "x-amzn-sagemaker-closed-session-id": "ClosedSessionId",
}

LOCAL_HEADERS = "LocalHeaders"
"""The member of a shown answer that holds headers which AWS does not have, by name."""

# That an edit is not served, because it cannot work, is told with each answer.
_RELOAD_ERROR = "x-sagelet-reload-error"

# A message is read by people; what is beyond this many characters of a body is in the log.
_SHOWN_CHARACTERS = 4096
_KEPT_CHARACTERS = 65536


def read_invocation(document: Document) -> Invocation:
    """Read an InvokeEndpoint request."""
    return Invocation(
        endpoint=document["EndpointName"],
        body=document.get("Body") or b"",
        content_type=document.get("ContentType"),
        accept=document.get("Accept"),
        target_variant=document.get("TargetVariant"),
        target_model=document.get("TargetModel"),
        headers={
            header: document[member]
            for member, header in _TO_CONTAINER.items()
            if member in document
        },
    )


def is_refusal(answer: Answer) -> bool:
    """Return whether the container did not answer with a result; status 0 is no answer at all."""
    return not 100 <= answer.status < 400


def show_answer(answer: Answer | StreamedAnswer) -> Document:
    """Return a result as InvokeEndpoint does, or its sister, whose Body is yet to come."""
    body = answer.body if isinstance(answer, Answer) else answer.parts
    shown: Document = {"Body": body, "InvokedProductionVariant": answer.variant}
    if answer.content_type is not None:
        shown["ContentType"] = answer.content_type
    return shown | _returned(answer.headers) | {LOCAL_HEADERS: local_headers(answer)}


def model_error(answer: Answer, *, endpoint: str, account: Account) -> Fault:
    """Return what a refusal becomes: ModelError, in SageMaker's own words.

    424 is not repeated by the SDKs, so that a payload that kills a worker is sent once.
    """
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    side = "client" if 400 <= answer.status < 500 else "server"
    body = _text(answer.body)
    said = (
        "and could not load the entire response body"
        if body is None
        else f'with message "{_cut(body, _SHOWN_CHARACTERS)}"'
    )
    url = (
        f"https://{account.region}.console.aws.amazon.com/cloudwatch/home"
        f"?region={account.region}#logEventViewer:group={group}"
    )
    return Fault(
        code="ModelError",
        status=424,
        message=f"Received {side} error ({answer.status}) from primary {said}. "
        f"See {url} in account {account.id} for more information.",
        fields={
            "OriginalStatusCode": answer.status,
            "OriginalMessage": "" if body is None else _cut(body, _KEPT_CHARACTERS),
            "LogStreamArn": account.log_group_arn(group),
        },
        headers=local_headers(answer),
    )


def is_plain(answer: Answer) -> bool:
    """Say whether an answer is a result of which `show_answer` tells no header of the container."""
    if is_refusal(answer):
        return False
    return not answer.headers or _FROM_CONTAINER.keys().isdisjoint(map(str.lower, answer.headers))


def local_headers(answer: Answer | StreamedAnswer) -> dict[str, str]:
    """Return the headers that AWS does not have: which code answered, for how long, what differs.

    `docs/reference/local-api.md` lists them.
    """
    return generation_header(answer) | telling_headers(answer)


def generation_header(answer: Answer | StreamedAnswer) -> dict[str, str]:
    """Return the local header that is the same for all answers of a generation."""
    return {"x-sagelet-generation": str(answer.generation)}


def telling_headers(answer: Answer | StreamedAnswer) -> dict[str, str]:
    """Return the other local headers, which tell of one answer."""
    ours: dict[str, str] = {}
    if isinstance(answer, Answer):
        if answer.timing is not UNTIMED:
            ours["server-timing"] = server_timing(answer.timing)
        if answer.differs:
            ours["x-sagelet-strict-differs"] = as_header(", ".join(answer.differs))
        if answer.handler:
            ours["x-sagelet-handler"] = as_header(answer.handler)
        if answer.where:
            ours["x-sagelet-where"] = as_header(answer.where)
    if _RELOAD_ERROR in answer.headers:
        ours[_RELOAD_ERROR] = as_header(answer.headers[_RELOAD_ERROR])
    return ours


def server_timing(timing: Timing) -> str:
    """Return a Server-Timing header, in milliseconds, which browsers' tools show as bars."""
    handlers_ms = timing.handlers_ms
    shown = _timing_of(tuple(handlers_ms))
    return shown % (timing.queue_ms, *handlers_ms.values(), timing.total_ms)


@lru_cache(maxsize=64)
def _timing_of(handlers: tuple[str, ...]) -> str:
    """Return the header for handlers of these names, but for the times."""
    names = ("queue", *(name.replace("%", "%%") for name in handlers), "total")
    return as_header(", ".join(f"{name};dur=%.3f" for name in names))


def _returned(headers: Mapping[str, str]) -> Document:
    return {
        _FROM_CONTAINER[name.lower()]: value
        for name, value in headers.items()
        if name.lower() in _FROM_CONTAINER
    }


def _text(body: bytes) -> str | None:
    """Return a body as text; None where it is none."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
