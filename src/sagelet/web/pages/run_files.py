"""The files of a run: its answer, its payload, a table of it as CSV, its numbers as an array.

GET /endpoints/{name}/runs/{id}/answer
GET /endpoints/{name}/runs/{id}/payload
GET /endpoints/{name}/runs/{id}/table.csv?at=POINTER
GET /endpoints/{name}/runs/{id}/numbers.npy?at=POINTER
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.calls import Call
from sagelet.domain.media import CSV, OCTETS, suffix_of
from sagelet.web.downloads import attachment
from sagelet.web.faults import Refused
from sagelet.web.results import npy
from sagelet.web.results.contents import read_document
from sagelet.web.results.matrix import flat, shape_of
from sagelet.web.results.shelf import RunShelf
from sagelet.web.results.table import csv_of
from sagelet.web.results.values import at_pointer
from sagelet.web.runs import Payload, Run
from sagelet.web.site import Site

_NPY = "application/x-npy"


class RunFiles:
    """Finds runs, on the shelf or in the history, and gives out what they are made of."""

    def __init__(self, site: Site, shelf: RunShelf) -> None:
        """Take the shelf that the pages put their runs on."""
        self._site = site
        self._shelf = shelf

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        base = "/endpoints/{name}/runs/{id}"
        return [
            Route(f"{base}/answer", self._answer, methods=["GET"]),
            Route(f"{base}/payload", self._payload, methods=["GET"]),
            Route(f"{base}/table.csv", self._table, methods=["GET"]),
            Route(f"{base}/numbers.npy", self._numbers, methods=["GET"]),
        ]

    async def find(self, request: Request) -> Run:
        """Return the run that an address names.

        Raises:
            Refused: 404 where there is none, or its bodies have not been kept.
        """
        endpoint, number = request.path_params["name"], request.path_params["id"]
        found = self._shelf.get(endpoint, number)
        if found is not None:
            return found
        call = await asyncio.to_thread(self._site.backend.history.get, endpoint, number)
        if call is None or call.body is None or call.answer_body is None:
            raise Refused(404, f"the run {number[:40]} of {endpoint} has not been kept")
        return run_of(call, call.body, call.answer_body)

    async def _answer(self, request: Request) -> Response:
        run = await self.find(request)
        suffix = ".txt" if run.is_error else suffix_of(run.content_type)
        return _file(run, suffix, run.body, run.content_type)

    async def _payload(self, request: Request) -> Response:
        run = await self.find(request)
        kind = run.payload.content_type
        return _file(run, f"-payload{suffix_of(kind)}", run.payload.body, kind)

    async def _table(self, request: Request) -> Response:
        run = await self.find(request)
        made = await self._made(run, request, csv_of)
        return _file(run, ".csv", made, f"{CSV}; charset=utf-8")

    async def _numbers(self, request: Request) -> Response:
        run = await self.find(request)
        return _file(run, ".npy", await self._made(run, request, _array), _NPY)

    async def _made(
        self, run: Run, request: Request, make: Callable[[object], bytes | None]
    ) -> bytes:
        made = await asyncio.to_thread(_part, run, request.query_params.get("at", ""), make)
        if made is None:
            raise Refused(404, "this part of the answer is not what it would have to be for that")
        return made


def run_of(call: Call, body: bytes, answer: bytes) -> Run:
    """Return a call of the history as a run, without the log lines that it had."""
    payload = Payload(body, call.content_type, call.accept, call.target_variant, call.target_model)
    return Run(
        id=call.id,
        endpoint=call.endpoint,
        at=call.at,
        payload=payload,
        status=call.status,
        body=answer,
        content_type=call.answer_content_type,
        timing=call.timing,
        generation=call.generation,
        variant=call.variant,
        handler=call.handler,
        where=call.where,
    )


def _part(run: Run, at: str, make: Callable[[object], bytes | None]) -> bytes | None:
    document = read_document(run.body, run.content_type)
    if document is None:
        return None
    try:
        return make(at_pointer(document.value, at))
    except KeyError:
        return None


def _array(value: object) -> bytes | None:
    shape = shape_of(value)
    return None if shape is None else npy.write(flat(value), shape)


def _file(run: Run, suffix: str, body: bytes, kind: str | None) -> Response:
    """Return bytes as a file to keep: what a model answers is never shown as a page of ours."""
    told = kind if kind and kind.isascii() and kind.isprintable() else OCTETS
    headers = {**attachment(f"{run.endpoint}-{run.id}{suffix}"), "content-type": told}
    return Response(body, headers=headers)
