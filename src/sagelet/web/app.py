"""The pages as one ASGI application; `api.app` has the API, and `front` stands before both.

security headers ── who asks ─┬─ /static, /login, /p/…   anybody
                              └─ pages                   the owner
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import Receive, Scope, Send

from sagelet.web.access.guard import Identified, OwnersOnly
from sagelet.web.faults import Refused, headers_of, problem_of
from sagelet.web.middleware import Answering, SecurityHeaders
from sagelet.web.pages.about import AboutPages
from sagelet.web.pages.dashboard import DashboardPages
from sagelet.web.pages.endpoint_api import EndpointApiPages
from sagelet.web.pages.endpoint_config import EndpointConfigPages
from sagelet.web.pages.endpoint_history import EndpointHistoryPages
from sagelet.web.pages.endpoint_logs import EndpointLogsPages
from sagelet.web.pages.endpoint_metrics import EndpointMetricsPages
from sagelet.web.pages.endpoint_predict import PredictPages
from sagelet.web.pages.job import JobPages
from sagelet.web.pages.jobs import JobsPages
from sagelet.web.pages.keys import KeysPages
from sagelet.web.pages.login import LoginPages
from sagelet.web.pages.models import ModelsPages
from sagelet.web.pages.settings import SettingsPages
from sagelet.web.public.pages import PublicPages
from sagelet.web.site import Site
from sagelet.web.static_files import StaticFiles


class WebApp:
    """The pages. The API's routes are listed in `api.app`."""

    def __init__(self, site: Site) -> None:
        """Build them on the site's parts."""
        self.site = site
        owners: list[BaseRoute] = [
            *DashboardPages(self.site).routes(),
            *AboutPages(self.site).routes(),
            *PredictPages(self.site).routes(),
            *KeysPages(self.site).routes(),
            *EndpointApiPages(self.site).routes(),
            *EndpointLogsPages(self.site).routes(),
            *JobsPages(self.site).routes(),
            *JobPages(self.site).routes(),
            *ModelsPages(self.site).routes(),
            *EndpointMetricsPages(self.site).routes(),
            *EndpointHistoryPages(self.site).routes(),
            *SettingsPages(self.site).routes(),
            *EndpointConfigPages(self.site).routes(),
        ]
        anybody: list[BaseRoute] = [
            Mount("/static", StaticFiles()),
            *LoginPages(self.site).routes(),
            *PublicPages(self.site).routes(),
        ]
        self._app = Starlette(
            routes=[*anybody, Mount("/", OwnersOnly(Router(owners, default=_no_page)))],
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(Answering, answer=self._failed),
                Middleware(Identified, access=self.site.access),
            ],
            exception_handlers={HTTPException: self._failed},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, which has passed the gate."""
        # Taken before anything is read: what a page shows is at least as new, and its script asks
        # for what happened after.
        scope.setdefault("state", {})["newest_event"] = self.site.events.number
        await self._app(scope, receive, send)

    async def _failed(self, request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        answer: Response = self.site.rendering.page(
            request, "error.html.j2", problem.status, problem=problem
        )
        answer.headers.update(headers_of(error))
        return answer


async def _no_page(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Refused(404, f"there is no page {scope['path']}")
