"""`POST /api/v1/predict/{endpoint}`: the body goes to the model as it is, its answer comes back so.

The container's status and ours:

    2xx        the same, with the model's bytes and content type
    1xx, 3xx   200, for it is a result to SageMaker, and means something else to HTTP
    415        415: the model takes no such content type
    any other  424, as AWS has it: the model refused (4xx), failed (5xx) or did not answer (0)

An error is `application/problem+json` with `original_status`, `handler`, `where` and `request_id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from ulid import ULID

from sagelet.domain.media import OCTETS
from sagelet.web.access.guard import may_predict
from sagelet.web.access.principals import Principal, Visitor
from sagelet.web.api.sse import unless_gone
from sagelet.web.faults import MEDIA_TYPE
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.public.answers import said_to_strangers
from sagelet.web.runs import Payload, Run, run
from sagelet.web.site import Site
from sagelet.wire.messages import as_header

REQUEST_ID = "request_id"
_ANY = "*/*"
_CURLS_OWN = "application/x-www-form-urlencoded"
_SHOWN_CHARACTERS = 4096
_UNSUPPORTED = 415
_FAILED = 424

# An answer is the model's, and no page of ours: a browser that is led to it runs nothing of it.
_HEADERS = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
_TOLD_TO_ANYBODY = frozenset({*_HEADERS, "x-request-id", "x-model-latency-ms"})
_VARIANT = "x-amzn-sagemaker-target-variant"
_MODEL = "x-amzn-sagemaker-target-model"


class PredictApi:
    """`/api/v1/predict`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where it is."""
        return [Route("/api/v1/predict/{endpoint}", self._predict, methods=["POST"])]

    async def _predict(self, request: Request) -> Response:
        # Before there is a run: what the errors that come first are known by.
        request.scope["state"][REQUEST_ID] = str(ULID())
        endpoint = request.path_params["endpoint"]
        who = may_predict(request, endpoint)
        payload = payload_of(request, await request.body())
        source = "public" if isinstance(who, Visitor) else "api"
        done = await unless_gone(request, run(self._site.backend, endpoint, payload, source=source))
        return answer_of(done, who)


def payload_of(request: Request, body: bytes) -> Payload:
    """Return what a request sends to a model.

    Programs that were told nothing of `accept` send `*/*`, and curl says of every body that it is a
    form's: both count for nothing said.
    """
    asked, headers = request.query_params, request.headers
    accept, content_type = headers.get("accept", _ANY), headers.get("content-type")
    return Payload(
        body=body,
        content_type=None if content_type == _CURLS_OWN else content_type,
        accept=None if accept == _ANY else accept,
        target_variant=asked.get("variant") or headers.get(_VARIANT),
        target_model=asked.get("model") or headers.get(_MODEL),
    )


def answer_of(done: Run, who: Principal, *, is_public: bool = False) -> Response:
    """Return a run as an answer: to a stranger if it is public, or nobody knows who it is for."""
    is_known = not (is_public or isinstance(who, Visitor))
    headers = {
        **_HEADERS,
        **_ours(done.headers),
        "x-request-id": done.id,
        "x-model-latency-ms": f"{sum(done.timing.handlers_ms.values()):.3f}",
        "x-model-version": str(done.generation),
    }
    if not is_known:
        headers = {name: value for name, value in headers.items() if name in _TOLD_TO_ANYBODY}
    if done.is_error:
        problem = _problem(done, is_known=is_known)
        return JsonAnswer(problem, problem["status"], headers, MEDIA_TYPE)
    answer = Response(done.body, _status(done), headers)
    answer.headers["content-type"] = as_header(done.content_type or OCTETS)
    return answer


def _ours(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a model's header fields that are passed on: no cookie, no length, none for a proxy."""
    return {
        name.lower(): as_header(value)
        for name, value in headers.items()
        if name.lower().startswith(("x-", "server-timing"))
    }


def _status(done: Run) -> int:
    """Return the status of a result: 200 where the model's says that there is no such body."""
    has_odd_body = bool(done.body) and done.status in (204, 205)
    return 200 if has_odd_body or not 200 <= done.status < 300 else done.status


def _problem(done: Run, *, is_known: bool) -> dict[str, Any]:
    """Return a model's error. A visitor is not told what a traceback tells of the code."""
    status = _UNSUPPORTED if done.status == _UNSUPPORTED else _FAILED
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _said(done) if is_known else said_to_strangers(done),
        "code": "ModelError",
        "original_status": done.status,
        REQUEST_ID: done.id,
    }
    if is_known:
        problem |= {"handler": done.handler or None, "where": done.where or None}
    return problem | {"message": problem["detail"]}


def _said(done: Run) -> str:
    text = done.body.decode("utf-8", "replace").strip()
    if not text:
        return "the model did not answer in time" if done.status == 0 else "the model said nothing"
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
