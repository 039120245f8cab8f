"""Calls of the history as JSON, one a line: what `export` gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sagelet.domain.calls import CallHistory
from sagelet.web.api.documents import shown_call
from sagelet.web.json_answers import as_json

_PAGE = 50


async def call_lines(history: CallHistory, endpoint: str) -> AsyncIterator[bytes]:
    """Yield the calls of an endpoint with their bodies, the newest first."""
    before: str | None = None
    while page := await asyncio.to_thread(history.recent, endpoint, limit=_PAGE, before=before):
        for summary in page:
            call = await asyncio.to_thread(history.get, endpoint, summary.id)
            if call is not None:  # else it has just been cleared
                yield as_json(shown_call(call)) + b"\n"
        before = page[-1].id
