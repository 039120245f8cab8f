"""The daemon's ASGI application: the gate, then health, then AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.server.aws import AwsFace
from sagelet.server.bodies import ClientGone, Receive
from sagelet.server.gate import Gate, Refused
from sagelet.wire.messages import Headers, RequestHead, Response, StreamedResponse

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App:
    """What uvicorn calls for each request."""

    def __init__(self, *, home: Home, gate: Gate, aws: AwsFace) -> None:
        """Keep the parts."""
        self._home = home
        self._gate = gate
        self._aws = aws

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        head = _head_of(scope)
        try:
            answer = await self._answer(head, receive)
            await _send(answer, send, bodiless=head.method == "HEAD")
        except ClientGone:
            return

    async def _answer(self, head: RequestHead, receive: Receive) -> Response | StreamedResponse:
        try:
            self._gate.check(head.headers)
        except Refused as refused:
            return _json(refused.status, {"message": refused.message})
        if head.method in ("GET", "HEAD") and head.raw_path == "/healthz":
            return _json(200, self._health())
        return await self._aws.answer(head, receive)

    def _health(self) -> dict[str, Any]:
        return {"version": __version__, "pid": os.getpid(), "home": str(self._home.root)}


def _head_of(scope: MutableMapping[str, Any]) -> RequestHead:
    return RequestHead(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=Headers(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        ),
    )


def _json(status: int, document: dict[str, Any]) -> Response:
    body = json.dumps(document).encode() + b"\n"
    return Response(status, (("content-type", "application/json"),), body)


async def _send(answer: Response | StreamedResponse, send: Send, *, bodiless: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    names = {name.lower() for name, _ in answer.headers}
    if isinstance(answer, Response) and "content-length" not in names:
        headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if bodiless:
        await send({"type": "http.response.body", "body": b""})
    elif isinstance(answer, Response):
        await send({"type": "http.response.body", "body": answer.body})
    else:
        async for part in answer.body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
