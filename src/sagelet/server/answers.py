"""What an operation has answered, as a response."""

from __future__ import annotations

from dataclasses import replace

from sagelet.control.documents.invocations import LOCAL_HEADERS
from sagelet.wire.documents import Document
from sagelet.wire.messages import Response
from sagelet.wire.routing import Route
from sagelet.wire.serializing import serialize


def shown_response(route: Route, document: Document, request_id: str) -> Response:
    """Serialize a document; headers that AWS does not have come after those that it has."""
    ours: dict[str, str] = document.pop(LOCAL_HEADERS, {})
    response = serialize(route, document, request_id=request_id)
    return replace(response, headers=(*response.headers, *ours.items()))
