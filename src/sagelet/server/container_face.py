"""A container's own HTTP face: what SageMaker asks of a container on port 8080, at a port of ours.

    gate ── route by path and verb ── the container ── the model server's headers

The container's protocol has no credentials, so this face has none: it exists only where a model's
Environment asks for it (SAGEMAKER_BIND_TO_PORT), on loopback, behind the same gate as the daemon.
Nothing but this one container can be reached through it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from sagelet.domain.container import LoadedModel, ManyModels, ServedContainer
from sagelet.domain.invocation import Invocation, StreamedAnswer
from sagelet.errors import ModelDataMissing, ModelNotLoaded, ModelStreamBroken, SageletError
from sagelet.server import bodies
from sagelet.server import container_answers as answers
from sagelet.server.asgi import Send, head_of, send_response
from sagelet.server.bodies import ClientGone, Receive
from sagelet.server.gate import Gate, Refused
from sagelet.server.streams import WhileHeard
from sagelet.wire.faults import Fault
from sagelet.wire.messages import RequestHead, Response, StreamedResponse, as_text

log = logging.getLogger(__name__)

_PAGE = 100
_BATCHES = {"BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
_STARTUP_MODEL = LoadedModel("model", "/opt/ml/model")
# What makes up a request apart from its headers.
_NOT_HEADERS = frozenset({"accept", "connection", "content-length", "content-type", "host"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that passed the gate, whom it asks, and the model's name that its path holds."""

    container: ServedContainer
    head: RequestHead
    receive: Receive
    name: str

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the query."""
        return next((value for key, value in self.head.query if key == name), None)


Answered = Response | StreamedResponse
Route = Callable[["ContainerFace", Asked], Awaitable[Answered]]


class ContainerFace:
    """The ASGI application of one container's port."""

    def __init__(
        self, container: Callable[[], ServedContainer], *, gate: Gate, max_body_bytes: int
    ) -> None:
        """Answer for a container; `max_body_bytes` is the limit where it has none of its own."""
        self._container = container
        self._gate = gate
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        head = head_of(scope)
        try:
            answer = await self._answer(head, receive)
            await send_response(answer, send, bodiless=head.method == "HEAD")
        except ClientGone:
            return
        except ModelStreamBroken as broken:
            # The status is out: that the last chunk does not come is all that can be told.
            log.warning("endpoint %s: %s", self._container().endpoint, broken)

    async def _answer(self, head: RequestHead, receive: Receive) -> Answered:
        try:
            self._gate.check(head.headers)
            for pattern, route in _ROUTES:
                found = pattern.fullmatch(head.path)
                if found is not None:
                    name = found.groupdict().get("name") or ""
                    return await route(self, Asked(self._container(), head, receive, name))
        except Refused as refused:
            return answers.problem(refused.status, "RequestRefused", refused.message)
        except Fault as fault:
            # Too large, or too slow: the server itself says so, without a body.
            return answers.bare(fault.status)
        except ClientGone:
            raise
        except SageletError as error:
            return answers.refusal(error)
        return _not_found()

    async def ping(self, asked: Asked) -> Answered:
        """Answer /ping: healthy as soon as every worker has loaded, and not before."""
        reason = asked.container.why_unhealthy
        if reason:
            return answers.document(500, {"status": "Unhealthy", "reason": reason})
        return answers.document(200, {"status": "Healthy"})

    async def execution_parameters(self, asked: Asked) -> Answered:
        """Answer /execution-parameters, which the PyTorch container does not have."""
        if asked.container.is_strict:
            return _not_found()
        concurrency = {"MaxConcurrentTransforms": asked.container.workers}
        return answers.document(200, {**concurrency, **_BATCHES})

    async def invocations(self, asked: Asked) -> Answered:
        """Answer /invocations, by any verb, as the model server takes it."""
        name = asked.parameter("model_name")
        if name is None and asked.container.many is not None:
            return answers.problem(400, "BadRequestException", "Parameter model_name is required.")
        return await self._invoke(asked, name or _STARTUP_MODEL.name)

    async def invoke(self, asked: Asked) -> Answered:
        """Answer a request to one model by name."""
        return await self._invoke(asked, asked.name)

    async def models(self, asked: Asked) -> Answered:
        """Answer /models: what is loaded, or a model to load."""
        if asked.head.method == "GET":
            return _listed(asked)
        if asked.head.method == "POST" and asked.container.many is not None:
            return await self._load(asked, asked.container.many)
        return _not_allowed()

    async def model(self, asked: Asked) -> Answered:
        """Answer /models/{name}: what it is, or that it is to be unloaded."""
        if asked.head.method == "GET":
            return _described(asked)
        if asked.head.method == "DELETE" and asked.container.many is not None:
            await asked.container.many.unload(asked.name)
            return answers.document(200, {"status": f'Model "{asked.name}" unregistered'})
        return _not_allowed()

    async def root(self, asked: Asked) -> Answered:
        """Answer /, where there is nothing."""
        del asked
        return _not_allowed()

    async def _invoke(self, asked: Asked, name: str) -> Answered:
        _known(asked, name)
        headers = asked.head.headers
        body = await self._body(asked)
        accepts = headers.get_all("accept")
        answer = await asked.container.answer(
            Invocation(
                endpoint=asked.container.endpoint,
                body=body,
                content_type=headers.get("content-type"),
                accept=accepts[-1] if accepts else None,
                target_model=None if asked.container.many is None else name,
                headers={
                    _as_sent(key): as_text(value)
                    for key, value in headers
                    if key not in _NOT_HEADERS
                },
            )
        )
        if isinstance(answer, StreamedAnswer):
            answer = replace(answer, parts=WhileHeard(answer.parts, asked.receive))
        return answers.result(answer)

    async def _load(self, asked: Asked, many: ManyModels) -> Answered:
        try:
            said = json.loads(await self._body(asked))
        except ValueError as error:
            return answers.problem(500, "JsonSyntaxException", str(error))
        if not isinstance(said, dict) or not said.get("url"):
            return answers.problem(400, "BadRequestException", "Parameter url is required.")
        if not said.get("model_name"):
            return answers.problem(400, "BadRequestException", "Parameter model_name is required.")
        name, url = str(said["model_name"]), str(said["url"])
        try:
            await many.load(name, url)
        except ModelDataMissing:
            return answers.problem(404, "ModelNotFoundException", f"Model not found at: {url}")
        except SageletError as error:
            known = answers.refusal(error)
            return known if known.status != 500 else answers.failed_to_load(name, error)
        return answers.document(
            200, {"status": f'Model "{name}" Version: 1.0 registered with 1 initial workers'}
        )

    async def _body(self, asked: Asked) -> bytes:
        limit = asked.container.max_request_bytes or self._max_body_bytes
        return await bodies.read_whole(
            asked.receive, asked.head.headers, limit=limit, code="RequestTooLarge"
        )


def _listed(asked: Asked) -> Response:
    start = _number(asked.parameter("next_page_token"), 0)
    end = start + (_number(asked.parameter("limit"), _PAGE) or _PAGE)
    models = _models(asked)
    shown: dict[str, Any] = {"models": [_shown(model) for model in models[start:end]]}
    if end < len(models):
        shown["nextPageToken"] = str(end)
    return answers.document(200, shown)


def _described(asked: Asked) -> Response:
    shown: dict[str, Any] = _shown(_known(asked, asked.name))
    if not asked.container.is_strict:
        return answers.document(200, shown)
    # TorchServe answers a list, one for each version; SageMaker asks for an object.
    workers = asked.container.workers
    numbers = {"minWorkers": workers, "maxWorkers": workers, "batchSize": 1}
    return answers.document(200, [{**shown, "modelVersion": "1.0", **numbers}])


def _known(asked: Asked, name: str) -> LoadedModel:
    """Return a model by name.

    Raises:
        ModelNotLoaded: there is none.
    """
    for model in _models(asked):
        if model.name == name:
            return model
    raise ModelNotLoaded(name=name)


def _models(asked: Asked) -> tuple[LoadedModel, ...]:
    many = asked.container.many
    return (_STARTUP_MODEL,) if many is None else many.models()


def _shown(model: LoadedModel) -> dict[str, Any]:
    return {"modelName": model.name, "modelUrl": model.url}


def _not_found() -> Response:
    return answers.problem(
        404,
        "ResourceNotFoundException",
        "Requested resource is not found, please refer to API document.",
    )


def _not_allowed() -> Response:
    return answers.problem(
        405,
        "MethodNotAllowedException",
        "Requested method is not allowed, please refer to API document.",
    )


def _number(text: str | None, otherwise: int) -> int:
    """Return a number of a query; what is none is as good as not there."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() else otherwise


def _as_sent(name: str) -> str:
    """Return a header's name with the capitals that clients send; uvicorn has lowered them."""
    prefix = "x-amzn-sagemaker-"
    if not name.startswith(prefix):
        return "-".join(part.capitalize() for part in name.split("-"))
    rest = "-".join(part.capitalize() for part in name.removeprefix(prefix).split("-"))
    return f"X-Amzn-SageMaker-{rest}"


_NAMED = r"(?P<name>[^/]+)"
_ROUTES: tuple[tuple[re.Pattern[str], Route], ...] = tuple(
    (re.compile(pattern), route)
    for pattern, route in (
        ("/ping/?", ContainerFace.ping),
        ("/invocations/?", ContainerFace.invocations),
        ("/execution-parameters/?", ContainerFace.execution_parameters),
        ("/models/?", ContainerFace.models),
        (f"/models/{_NAMED}/?", ContainerFace.model),
        (f"/models/{_NAMED}/invoke", ContainerFace.invoke),
        (f"/predictions/{_NAMED}", ContainerFace.invoke),
        (f"/v1/models/{_NAMED}:predict", ContainerFace.invoke),
        (f"/v2/models/{_NAMED}/infer", ContainerFace.invoke),
        (f"/{_NAMED}/predict", ContainerFace.invoke),
        ("/", ContainerFace.root),
    )
)
