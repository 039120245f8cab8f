"""The JSON API as one ASGI application: `/api/v1/…`, for the CLI, the pages' scripts and programs.

    EventsApi     what happens, as it happens             the owner
    EndpointsApi  what is known of endpoints              the owner
    JobsApi       training jobs                           the owner
    PredictApi    an endpoint's answer                    the owner, and who has a key for it
    …

An error is `application/problem+json`, with `message` beside `detail` for older clients. No page's
library is imported here: a daemon that only programs talk to stays small.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from sagelet.web.access.guard import Identified
from sagelet.web.access.keys_api import KeysApi
from sagelet.web.access.login_api import LoginApi
from sagelet.web.access.origins import OtherOrigins
from sagelet.web.api.endpoint_calls import EndpointCallsApi
from sagelet.web.api.endpoint_forms import EndpointFormsApi
from sagelet.web.api.endpoints import EndpointsApi
from sagelet.web.api.events import EventsApi
from sagelet.web.api.history import HistoryApi
from sagelet.web.api.jobs import JobsApi
from sagelet.web.api.logs import LogsApi
from sagelet.web.api.predict import REQUEST_ID, PredictApi
from sagelet.web.faults import MEDIA_TYPE, Refused, headers_of, problem_of
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.middleware import Answering, SecurityHeaders
from sagelet.web.public.publications_api import PublicationsApi
from sagelet.web.site import Site

PREFIX = "/api/"


class ApiApp:
    """Every call of the API; each module that has calls adds a line."""

    def __init__(self, site: Site) -> None:
        """Build them on the site's parts."""
        routes: list[BaseRoute] = [
            *EventsApi(site).routes(),
            *EndpointsApi(site).routes(),
            *EndpointCallsApi(site).routes(),
            *EndpointFormsApi(site).routes(),
            *HistoryApi(site).routes(),
            *JobsApi(site).routes(),
            *PredictApi(site).routes(),
            *LogsApi(site).routes(),
            *LoginApi(site).routes(),
            *KeysApi(site).routes(),
            *PublicationsApi(site).routes(),
        ]
        self._app = Starlette(
            routes=routes,
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(OtherOrigins, access=site.access),
                Middleware(Answering, answer=failed),
                Middleware(Identified, access=site.access),
            ],
            exception_handlers={HTTPException: failed},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, which has passed the gate."""
        await self._app(scope, receive, send)


async def failed(request: Request, error: Exception) -> Response:
    """Return an error as an answer."""
    headers = headers_of(error)
    if isinstance(error, HTTPException):
        error = Refused(error.status_code, _said(request, error))
    problem = problem_of(error)
    if problem.status == 401:
        headers.setdefault("www-authenticate", "Bearer")
    document = problem.document()
    known_as = request.scope.get("state", {}).get(REQUEST_ID)
    if known_as is not None:
        headers["x-request-id"] = document[REQUEST_ID] = known_as
    return JsonAnswer(document, problem.status, headers, MEDIA_TYPE)


def _said(request: Request, error: HTTPException) -> str:
    """Return what is wrong with a request that no route is for."""
    path = request.url.path
    if error.status_code == 404:
        return f"there is no {path}"
    if error.status_code == 405:
        allowed = sorted((error.headers or {}).get("Allow", "").replace(" ", "").split(","))
        return f"{path} is asked for with {' or '.join(m for m in allowed if m != 'HEAD')}"
    return error.detail
