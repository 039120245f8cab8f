"""The daemon's ASGI application: the gate, then health, our own API and pages, then AWS."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import Any

from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.server.asgi import Send, head_of, send_response
from sagelet.server.aws import AwsFace
from sagelet.server.bodies import ClientGone, Receive
from sagelet.server.gate import Gate, Refused
from sagelet.server.local_api import LocalApi, is_local, json_response
from sagelet.server.web_door import WebDoor, is_for_the_web
from sagelet.wire.messages import RequestHead, Response, StreamedResponse


class App:
    """What uvicorn calls for each request."""

    def __init__(
        self, *, home: Home, gate: Gate, aws: AwsFace, local_api: LocalApi, web: WebDoor
    ) -> None:
        """Keep the parts."""
        self._local_api = local_api
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
            self._gate.check(head.headers)
        except Refused as refused:
            return json_response(refused.status, {"message": refused.message})
        return None

    async def _answer(self, head: RequestHead, receive: Receive) -> Response | StreamedResponse:
        if head.method in ("GET", "HEAD") and head.raw_path == "/healthz":
            return json_response(200, self._health())
        if is_local(head):
            return await self._local_api.answer(head, receive)
        return await self._aws.answer(head, receive)

    def _health(self) -> dict[str, Any]:
        return {"version": __version__, "pid": os.getpid(), "home": str(self._home.root)}
