"""The History tab of an endpoint: its last calls, one of them again, two of them compared.

GET  /endpoints/{name}/history?before=ID     the latest calls, or those before one
GET  /endpoints/{name}/history?diff=A,B      the same page, and what B has otherwise than A
POST /endpoints/{name}/history/{id}/run      makes a call again, and compares
POST /endpoints/{name}/history/clear         forgets them
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.calls import Call
from sagelet.web.access.guard import checked_form
from sagelet.web.faults import Refused
from sagelet.web.pages.endpoint_frame import endpoint_page
from sagelet.web.results.difference import difference
from sagelet.web.runs import Payload, Run, run
from sagelet.web.site import Site

PAGE = 50
_SOURCES = {"aws": "AWS API", "web": "this page", "api": "JSON API", "public": "public page"}


class EndpointHistoryPages:
    """`/endpoints/{name}/history`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site
        self._history = site.backend.history

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/endpoints/{name}/history"
        return [
            Route(base, self._show, methods=["GET"]),
            Route(f"{base}/clear", self._clear, methods=["POST"]),
            Route(f"{base}/{{id}}/run", self._run, methods=["POST"]),
            Route(f"{base}/{{id}}/run", _back, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        asked = ",".join(request.query_params.getlist("diff"))
        chosen = [each for each in asked.split(",") if each]
        if not chosen:
            return await self._page(request, name)
        if len(chosen) != 2:
            problem = f"Two calls can be compared, not {len(chosen)}: choose two."
            return await self._page(request, name, 400, problem=problem)
        one, other = [await self._call(name, each) for each in sorted(chosen)]
        compared = await asyncio.to_thread(difference, one, other)
        return await self._page(request, name, difference=compared, one=one, other=other)

    async def _run(self, request: Request) -> Response:
        await checked_form(request)
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        call = await self._call(name, request.path_params["id"])
        if call.body is None or call.is_redacted:
            why = "was too large to be kept" if call.body is None else "had secrets in it"
            raise Refused(409, f"the payload of this call {why}: fill the form in and run that")
        payload = Payload(
            call.body, call.content_type, call.accept, call.target_variant, call.target_model
        )
        made = await run(self._site.backend, name, payload, source="web", is_traced=True)
        compared = await asyncio.to_thread(difference, call, made)
        return await self._page(request, name, difference=compared, one=call, other=made)

    async def _clear(self, request: Request) -> Response:
        await checked_form(request)
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        await asyncio.to_thread(self._history.clear, name)
        return RedirectResponse(f"/endpoints/{name}/history", status_code=303)

    async def _page(
        self,
        request: Request,
        name: str,
        status: int = 200,
        *,
        problem: str = "",
        difference: object | None = None,
        one: Call | None = None,
        other: Call | Run | None = None,
    ) -> Response:
        before = request.query_params.get("before")
        found = await asyncio.to_thread(self._history.recent, name, limit=PAGE + 1, before=before)
        context: dict[str, Any] = {"difference": difference, "one": one, "other": other}
        return await endpoint_page(
            self._site,
            request,
            "endpoint/history.html.j2",
            status,
            calls=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else "",
            is_first=before is None,
            is_on=self._history.is_on,
            kept=self._history.kept,
            sources=_SOURCES,
            problem=problem,
            **context,
        )

    async def _call(self, name: str, call_id: str) -> Call:
        call = await asyncio.to_thread(self._history.get, name, call_id)
        if call is None:
            raise Refused(404, f"there is no call {call_id[:40]} of {name} in the history any more")
        return call


async def _back(request: Request) -> Response:
    """Lead whoever reloads the result of a POST back: nothing runs without one."""
    return RedirectResponse(f"/endpoints/{request.path_params['name']}/history", status_code=303)
