"""Invocations and their answers in documents.

A container gets a few headers of the call and no others; the inference contract names them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.domain.invocation import Answer, Invocation
from sagelet.wire.faults import Fault

_TO_CONTAINER = {
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "EnableExplanations": "X-Amzn-SageMaker-Enable-Explanations",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "PrefixAwareId": "X-Amzn-SageMaker-Prefix-Aware-Id",
    "SessionId": "X-Amzn-SageMaker-Session-Id",
}
_FROM_CONTAINER = {
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-new-session-id": "NewSessionId",
    "x-amzn-sagemaker-closed-session-id": "ClosedSessionId",
}

LOCAL_HEADERS = "LocalHeaders"
"""The member of a shown answer that holds headers which AWS does not have, by name."""

# That an edit is not served, because it cannot work, is told with each answer.
_OURS = frozenset({"x-sagelet-reload-error"})

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
        headers={
            header: document[member]
            for member, header in _TO_CONTAINER.items()
            if member in document
        },
    )


def is_refusal(answer: Answer) -> bool:
    """Return whether the container did not answer with a result; status 0 is no answer at all."""
    return not 100 <= answer.status < 400


def show_answer(answer: Answer) -> Document:
    """Return a result as InvokeEndpoint does."""
    shown: Document = {"Body": answer.body, "InvokedProductionVariant": answer.variant}
    if answer.content_type is not None:
        shown["ContentType"] = answer.content_type
    ours = _ours(answer.headers)
    if ours:
        shown[LOCAL_HEADERS] = ours
    return shown | _returned(answer.headers)


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
        headers=_ours(answer.headers),
    )


def _returned(headers: Mapping[str, str]) -> Document:
    return {
        _FROM_CONTAINER[name.lower()]: value
        for name, value in headers.items()
        if name.lower() in _FROM_CONTAINER
    }


def _ours(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in _OURS}


def _text(body: bytes) -> str | None:
    """Return a body as text; None where it is none."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
