"""The history of calls as a whole: what it holds, whether it goes on, and how it is forgotten.

GET    /api/v1/history                           {"is_on", "kept", "calls", "body_bytes", "dropped"}
POST   /api/v1/history                           {"is_on": false}
DELETE /api/v1/history                           {"calls": N} that there were
DELETE /api/v1/endpoints/{name}/history          the same, of one endpoint
GET    /api/v1/endpoints/{name}/history.jsonl    its calls with their bodies, a line each
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner
from sagelet.web.call_lines import call_lines
from sagelet.web.downloads import attachment
from sagelet.web.faults import Refused
from sagelet.web.json_answers import JsonAnswer, json_object
from sagelet.web.site import Site


class HistoryApi:
    """`/api/v1/history`, and what is done to an endpoint's."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._history = site.backend.history
        self._backend = site.backend

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        of_one = "/api/v1/endpoints/{name}/history"
        return [
            Route("/api/v1/history", self._facts, methods=["GET"]),
            Route("/api/v1/history", self._turn, methods=["POST"]),
            Route("/api/v1/history", self._clear_all, methods=["DELETE"]),
            Route(of_one, self._clear, methods=["DELETE"]),
            Route(f"{of_one}.jsonl", self._export, methods=["GET"]),
        ]

    async def _facts(self, request: Request) -> Response:
        require_owner(request)
        return await self._shown()

    async def _turn(self, request: Request) -> Response:
        require_owner(request)
        wanted = json_object(await request.body()).get("is_on")
        if not isinstance(wanted, bool):
            raise Refused(400, 'the body is {"is_on": true} or {"is_on": false}')
        await asyncio.to_thread(self._history.turn, on=wanted)
        return await self._shown()

    async def _clear_all(self, request: Request) -> Response:
        require_owner(request)
        return JsonAnswer({"calls": await asyncio.to_thread(self._history.clear)})

    async def _clear(self, request: Request) -> Response:
        require_owner(request)
        name = await self._name(request)
        return JsonAnswer({"calls": await asyncio.to_thread(self._history.clear, name)})

    async def _export(self, request: Request) -> Response:
        require_owner(request)
        name = await self._name(request)
        lines, headers = call_lines(self._history, name), attachment(f"{name}-calls.jsonl")
        return StreamingResponse(lines, media_type="application/jsonl", headers=headers)

    async def _shown(self) -> Response:
        facts = await asyncio.to_thread(self._history.facts)
        return JsonAnswer(
            {
                "is_on": self._history.is_on,
                "kept": self._history.kept,
                "calls": facts.calls,
                "body_bytes": facts.body_bytes,
                "dropped": facts.dropped,
            }
        )

    async def _name(self, request: Request) -> str:
        return await self._backend.endpoint_named(request.path_params["name"])
