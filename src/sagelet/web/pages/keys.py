"""API keys, as a page: what there is, a new one that is shown once, and how one is revoked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.api_keys import ApiKey
from sagelet.errors import ApiKeyNotFound
from sagelet.web.access.guard import checked_form
from sagelet.web.access.issuing import issue
from sagelet.web.access.new_keys import DAYS, PER_MINUTE, BadKey, new_key
from sagelet.web.site import Site

LIFETIMES = ((7, "7 days"), (30, "30 days"), (DAYS, "90 days"), (365, "1 year"), (0, "Never"))
_BLANK: Mapping[str, Any] = {
    "name": "",
    "endpoints": [],
    "origins": "",
    "per_minute": str(PER_MINUTE),
    "expires_in_days": str(DAYS),
}


class KeysPages:
    """`/keys`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/keys", self._show, methods=["GET"]),
            Route("/keys", self._create, methods=["POST"]),
            Route("/keys/sign-out", self._sign_out, methods=["POST"]),
            Route("/keys/{id}/revoke", self._ask, methods=["GET"]),
            Route("/keys/{id}/revoke", self._revoke, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        return await self._page(request)

    async def _create(self, request: Request) -> Response:
        form = await checked_form(request)
        try:
            made = await issue(self._site, new_key(_document(form)))
        except BadKey as error:
            errors = {error.member: f"This {error.problem}."}
            return await self._page(request, 400, values=_values(form), errors=errors)
        return await self._page(request, 201, made=made)

    async def _ask(self, request: Request) -> Response:
        return self._site.rendering.page(request, "revoke_key.html.j2", key=self._key(request))

    async def _revoke(self, request: Request) -> Response:
        await checked_form(request)
        self._site.access.keys.revoke(self._key(request).id)
        return RedirectResponse("/keys", status_code=303)

    async def _sign_out(self, request: Request) -> Response:
        await checked_form(request)
        self._site.access.sessions.end_all()
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(self._site.access.cookie, httponly=True, samesite="strict")
        return answer

    def _key(self, request: Request) -> ApiKey:
        key_id = request.path_params["id"]
        for key in self._site.access.keys.all():
            if key.id == key_id:
                return key
        raise ApiKeyNotFound(key_id)

    async def _endpoints(self) -> Sequence[str]:
        """Return the names of all endpoints, in order."""
        names: list[str] = []
        asked: dict[str, Any] = {"MaxResults": 100}
        while True:
            page = await self._site.backend.call("sagemaker", "ListEndpoints", **asked)
            names += [each["EndpointName"] for each in page["Endpoints"]]
            if "NextToken" not in page:
                return sorted(names)
            asked["NextToken"] = page["NextToken"]

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        made: tuple[ApiKey, str] | None = None,
        values: Mapping[str, Any] = _BLANK,
        errors: Mapping[str, str] | None = None,
    ) -> Response:
        keys, now = self._site.access.keys.all(), self._site.backend.clock.now()
        return self._site.rendering.page(
            request,
            "keys.html.j2",
            status,
            keys=[(key, "Active" if key.is_good_at(now) else "Expired") for key in keys],
            endpoints=await self._endpoints(),
            lifetimes=LIFETIMES,
            made=made,
            values=values,
            errors=errors or {},
            address=self._site.backend.address,
        )


def _document(form: FormData) -> Mapping[str, Any]:
    """Return a form as the API's document has it; what is no number is left to be refused."""
    values = _values(form)
    days = _number(values["expires_in_days"])
    return {
        "name": values["name"],
        "endpoints": values["endpoints"],
        "origins": values["origins"].split(),
        "per_minute": _number(values["per_minute"]),
        "expires_in_days": None if days == 0 else days,
    }


def _values(form: FormData) -> dict[str, Any]:
    """Return what was filled in, to be shown again."""
    texts = {name: [str(value) for value in form.getlist(name)] for name in _BLANK}
    single = {name: values[0] if values else "" for name, values in texts.items()}
    return single | {"endpoints": texts["endpoints"]}


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
