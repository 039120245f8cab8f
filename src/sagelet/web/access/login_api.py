"""`POST /api/v1/login-tokens?next=PATH`: what signs a browser in, for whoever has the home's key.

    {"token": "…", "url": "http://127.0.0.1:7543/login?next=/jobs#t=…", "expires_in_s": 60}

The token stands in the fragment, which no browser sends and no server writes down.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import require_signature
from sagelet.web.access.paths import login_path, own_path
from sagelet.web.access.sessions import ONE_TIME_S
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.site import Site


class LoginApi:
    """`/api/v1/login-tokens`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where it is."""
        return [Route("/api/v1/login-tokens", self._issue, methods=["POST"])]

    async def _issue(self, request: Request) -> Response:
        require_signature(request)
        token = self._site.access.one_time_tokens.issue()
        path = login_path(own_path(request.query_params.get("next", "/")))
        return JsonAnswer(
            {
                "token": token,
                "url": f"{self._site.backend.address}{path}#t={token}",
                "expires_in_s": ONE_TIME_S,
            }
        )
