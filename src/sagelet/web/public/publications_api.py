"""`/api/v1/publications` and `/api/v1/public-listener`: what is public, for its owner.

GET     /api/v1/publications               {"publications": […], "listener": …}
GET     /api/v1/publications/{endpoint}    {"endpoint": …, "access": "off" | "open" | "key", …}
PUT     /api/v1/publications/{endpoint}    {"access": "open" | "key", "slug": …, "per_minute": …}
DELETE  /api/v1/publications/{endpoint}
GET     /api/v1/public-listener            {"is_open": true, "url": …, …}
POST    /api/v1/public-listener            {"address": "192.168.1.5:8080", …}    signed only
DELETE  /api/v1/public-listener                                                  signed only
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_owner, require_signature
from sagelet.web.faults import Refused
from sagelet.web.json_answers import JsonAnswer, json_object
from sagelet.web.public.door import wanted_of
from sagelet.web.public.publishing import OFF, addresses, publish
from sagelet.web.site import Site


class PublicationsApi:
    """What is public, and the listener."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        one, listener = "/api/v1/publications/{endpoint}", "/api/v1/public-listener"
        return [
            Route("/api/v1/publications", self._all, methods=["GET"]),
            Route(one, self._one, methods=["GET"]),
            Route(one, self._put, methods=["PUT"]),
            Route(one, self._withdraw, methods=["DELETE"]),
            Route(listener, self._listener, methods=["GET"]),
            Route(listener, self._open, methods=["POST"]),
            Route(listener, self._close, methods=["DELETE"]),
        ]

    async def _all(self, request: Request) -> Response:
        require_owner(request)
        found = [self._shown(each.endpoint) for each in self._site.sharing.all()]
        return JsonAnswer({"publications": found, "listener": self._listener_shown()})

    async def _one(self, request: Request) -> Response:
        require_owner(request)
        return JsonAnswer(self._shown(await self._endpoint(request)))

    async def _put(self, request: Request) -> Response:
        require_owner(request)
        endpoint, asked = await self._endpoint(request), json_object(await request.body())
        slug, per_minute = asked.get("slug", ""), asked.get("per_minute")
        if not isinstance(slug, str):
            raise Refused(400, "slug is text")
        if per_minute is not None and type(per_minute) is not int:
            raise Refused(400, "per_minute is a whole number")
        await publish(self._site, endpoint, str(asked.get("access", "")), slug, per_minute)
        return JsonAnswer(self._shown(endpoint))

    async def _withdraw(self, request: Request) -> Response:
        require_owner(request)
        self._site.sharing.withdraw(await self._endpoint(request))
        return Response(status_code=204)

    async def _listener(self, request: Request) -> Response:
        require_owner(request)
        return JsonAnswer(self._listener_shown())

    async def _open(self, request: Request) -> Response:
        require_signature(request)
        asked = json_object(await request.body())
        proxies = asked.get("trusted_proxies", [])
        if not isinstance(proxies, list) or not all(isinstance(each, str) for each in proxies):
            raise Refused(400, "trusted_proxies is a list of texts")
        wanted = wanted_of(
            str(asked.get("address", "")), tuple(proxies), str(asked.get("public_url") or "")
        )
        await self._site.public.open(wanted)
        return JsonAnswer(self._listener_shown(), 201)

    async def _close(self, request: Request) -> Response:
        require_signature(request)
        await self._site.public.close()
        return Response(status_code=204)

    async def _endpoint(self, request: Request) -> str:
        return await self._site.backend.endpoint_named(request.path_params["endpoint"])

    def _shown(self, endpoint: str) -> dict[str, Any]:
        found = self._site.sharing.of(endpoint)
        return {
            "endpoint": endpoint,
            "access": found.terms.value if found is not None else OFF,
            "slug": found.slug if found is not None else None,
            "per_minute": found.per_minute if found is not None else None,
            "addresses": addresses(self._site, found),
        }

    def _listener_shown(self) -> dict[str, Any]:
        found = self._site.public.listening
        if found is None:
            return {"is_open": False}
        return {
            "is_open": True,
            "address": found.host,
            "port": found.port,
            "url": found.base,
            "public_url": found.public_url or None,
            "trusted_proxies": list(found.proxies),
            "since": found.since.isoformat(),
            "publications": [each.endpoint for each in self._site.sharing.all()],
        }
