"""The Config tab of an endpoint: what it is made of, what happened to it, and who may ask it.

GET  /endpoints/{name}/config
POST /endpoints/{name}/sharing    makes it public on some terms, or private
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.publications import PER_MINUTE, Publication
from sagelet.errors import AlreadyExists, InvalidRequest, NotFound
from sagelet.hosting.redaction import is_secret
from sagelet.web.access.guard import checked_form
from sagelet.web.pages.endpoint_frame import endpoint_page
from sagelet.web.public.publishing import OFF, addresses, publish
from sagelet.web.site import Site

MASKED = "••••••••"
_NOTES = 100


@dataclass(frozen=True, slots=True)
class ModelShown:
    """A model as the tab shows it; `environment` has the values of secrets masked."""

    name: str
    containers: tuple[Mapping[str, Any], ...]
    environments: tuple[tuple[tuple[str, str], ...], ...]


class EndpointConfigPages:
    """`/endpoints/{name}/config` and `/endpoints/{name}/sharing`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/endpoints/{name}/config", self._show, methods=["GET"]),
            Route("/endpoints/{name}/sharing", self._share, methods=["POST"]),
            Route("/endpoints/{name}/sharing", _back, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        return await self._page(request, name, _sharing(self._site.sharing.of(name)))

    async def _share(self, request: Request) -> Response:
        form = await checked_form(request)
        name = await self._site.backend.endpoint_named(request.path_params["name"])
        asked = {key: str(form.get(key) or "").strip() for key in ("access", "slug", "per_minute")}
        try:
            rate = _number(asked["per_minute"])
            await publish(self._site, name, asked["access"], asked["slug"], rate)
        except (InvalidRequest, AlreadyExists) as error:
            return await self._page(request, name, asked, problem=str(error), status=400)
        return RedirectResponse(f"/endpoints/{name}/config#sharing", status_code=303)

    async def _page(
        self,
        request: Request,
        name: str,
        sharing: Mapping[str, str],
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        publication = self._site.sharing.of(name)
        config = await self._described(name)
        notes = self._site.backend.host.notes.after(endpoint=name)[-_NOTES:]
        return await endpoint_page(
            self._site,
            request,
            "endpoint/config.html.j2",
            status,
            config=config,
            models=await self._models(config),
            notes=tuple(reversed(notes)),
            publication=publication,
            sharing=sharing,
            share_problem=problem,
            addresses=addresses(self._site, publication),
            listening=self._site.public.listening,
            share_lines=_share_lines(name, publication),
            cli_lines=_cli_lines(name, config),
        )

    async def _described(self, name: str) -> Mapping[str, Any] | None:
        """Return the endpoint's configuration; None where it was deleted since."""
        shown = await self._site.backend.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        try:
            return await self._site.backend.call(
                "sagemaker",
                "DescribeEndpointConfig",
                EndpointConfigName=shown["EndpointConfigName"],
            )
        except (NotFound, InvalidRequest):
            return None

    async def _models(self, config: Mapping[str, Any] | None) -> Sequence[ModelShown]:
        variants = config["ProductionVariants"] if config is not None else ()
        names = dict.fromkeys(each["ModelName"] for each in variants if "ModelName" in each)
        found = []
        for name in names:
            try:
                shown = await self._site.backend.call("sagemaker", "DescribeModel", ModelName=name)
            except (NotFound, InvalidRequest):
                continue  # it may be deleted while the endpoint serves on
            found.append(_model(shown))
        return found


async def _back(request: Request) -> Response:
    """Lead whoever asks for the outcome of a POST back to the tab."""
    return RedirectResponse(f"/endpoints/{request.path_params['name']}/config", status_code=303)


def _model(shown: Mapping[str, Any]) -> ModelShown:
    one = shown.get("PrimaryContainer")
    containers = tuple([one] if one is not None else shown.get("Containers", ()))
    return ModelShown(
        shown["ModelName"],
        containers,
        tuple(_masked(each.get("Environment", {})) for each in containers),
    )


def _masked(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, MASKED if is_secret(name) and value else value)
        for name, value in sorted(environment.items())
    )


def _sharing(publication: Publication | None) -> Mapping[str, str]:
    if publication is None:
        return {"access": OFF, "slug": "", "per_minute": str(PER_MINUTE)}
    return {
        "access": publication.terms.value,
        "slug": publication.slug,
        "per_minute": str(publication.per_minute),
    }


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest(message=f"{text[:40]!r} is no number of requests a minute")
    return int(text)


def _share_lines(name: str, publication: Publication | None) -> str:
    now = publication.terms.value if publication is not None else "open"
    return "\n".join(
        [
            shlex.join(["sagelet", "ui", name, "--share", now]),
            "sagelet ui --public 127.0.0.1:8080",
        ]
    )


def _cli_lines(name: str, config: Mapping[str, Any] | None) -> str:
    lines = [["describe-endpoint", "--endpoint-name", name]]
    if config is not None:
        of_config = ["--endpoint-config-name", config["EndpointConfigName"]]
        lines.append(["describe-endpoint-config", *of_config])
        models = {each.get("ModelName", "") for each in config["ProductionVariants"]} - {""}
        lines += [["describe-model", "--model-name", each] for each in sorted(models)]
    return "\n".join(shlex.join(["aws", "sagemaker", *line]) for line in lines)
