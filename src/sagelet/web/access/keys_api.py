"""`/api/v1/keys`: the API keys of a home, for its owner. A key's text is in one answer only.

GET     /api/v1/keys        {"keys": [{"id": "ab12cd34", "prefix": "sgl_live_ab12cd34", …}]}
POST    /api/v1/keys        {"name": …} makes one: the same, with "key": the whole text
DELETE  /api/v1/keys/{id}   revokes one, at once
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.api_keys import ApiKey
from sagelet.errors import ApiKeyNotFound
from sagelet.web.access.guard import require_owner
from sagelet.web.access.issuing import issue
from sagelet.web.access.new_keys import new_key
from sagelet.web.json_answers import JsonAnswer, json_object
from sagelet.web.site import Site


class KeysApi:
    """`/api/v1/keys`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/api/v1/keys", self._list, methods=["GET"]),
            Route("/api/v1/keys", self._create, methods=["POST"]),
            Route("/api/v1/keys/{id}", self._revoke, methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        require_owner(request)
        return JsonAnswer({"keys": [shown(key) for key in self._site.access.keys.all()]})

    async def _create(self, request: Request) -> Response:
        require_owner(request)
        key, text = await issue(self._site, new_key(json_object(await request.body())))
        return JsonAnswer(shown(key) | {"key": text}, 201)

    async def _revoke(self, request: Request) -> Response:
        require_owner(request)
        key_id = request.path_params["id"]
        if not self._site.access.keys.revoke(key_id):
            raise ApiKeyNotFound(key_id)
        return Response(status_code=204)


def shown(key: ApiKey) -> dict[str, Any]:
    """Return what may be told of a key."""
    return {
        "id": key.id,
        "prefix": key.shown,
        "name": key.name,
        "endpoints": list(key.endpoints),
        "origins": list(key.origins),
        "per_minute": key.per_minute,
        "created_at": key.created_at.isoformat(),
        "expires_at": _time(key.expires_at),
        "last_used_at": _time(key.last_used_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
