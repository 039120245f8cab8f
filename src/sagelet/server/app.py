"""The daemon's ASGI application: the gate, then health, the web app (API and pages), then AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.server.asgi import Send, head_of, send_response
from sagelet.server.aws import AwsFace
from sagelet.server.bodies import ClientGone, Receive
from sagelet.server.gate import Gate, Refused
from sagelet.server.web_door import API, WebDoor, is_for_the_web, shows_page, takes_keys
from sagelet.wire.messages import RequestHead, Response, StreamedResponse

# A browser that is led here shows it as the text that it is.
_NO_PAGE = (
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
)


class App:
    """What uvicorn calls for each request."""

    def __init__(self, *, home: Home, gate: Gate, aws: AwsFace, web: WebDoor) -> None:
        """Keep the parts."""
        self._is_stopping = False
        self._web = web
        self._home = home
        self._gate = gate
        self._aws = aws

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        head = head_of(scope)
        try:
            refusal = self._refusal(head)
            if refusal is None and is_for_the_web(head):
                await self._web.answer(scope, receive, send)
                return
            answer = refusal or await self._answer(head, receive)
            await send_response(answer, send, bodiless=head.method == "HEAD")
        except ClientGone:
            return

    def _refusal(self, head: RequestHead) -> Response | None:
        try:
            self._gate.check(head.headers, shows_page=shows_page(head), takes_keys=takes_keys(head))
        except Refused as refused:
            return _refused(head, refused)
        return None

    async def _answer(self, head: RequestHead, receive: Receive) -> Response | StreamedResponse:
        if head.method in ("GET", "HEAD") and head.raw_path == "/healthz":
            return _json_response(200, self._health())
        if head.method in ("GET", "HEAD") and head.raw_path == "/readyz":
            status = 503 if self._is_stopping else 200
            return _json_response(status, {"is_ready": not self._is_stopping})
        return await self._aws.answer(head, receive)

    def begin_to_stop(self) -> None:
        """End what would go on for ever, and say that nothing new should come."""
        self._is_stopping = True
        self._web.end_streams()

    def _health(self) -> dict[str, Any]:
        return {"version": __version__, "pid": os.getpid(), "home": str(self._home.root)}


def _refused(head: RequestHead, refused: Refused) -> Response:
    """Return what the gate says, to clients of the API as all its errors are."""
    if not head.raw_path.startswith(API):
        return _json_response(refused.status, {"message": refused.message})
    title = HTTPStatus(refused.status).phrase
    problem = {
        "type": "about:blank",
        "title": title,
        "status": refused.status,
        "detail": refused.message,
        "code": title.replace(" ", ""),
        "message": refused.message,
    }
    return _json_response(refused.status, problem, "application/problem+json")


def _json_response(
    status: int, document: Mapping[str, Any], media_type: str = "application/json"
) -> Response:
    body = json.dumps(document).encode() + b"\n"
    return Response(status, (("content-type", media_type), *_NO_PAGE), body)
