"""What all tabs of an endpoint show: its name, its status, and an edit that is not served."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.errors import EndpointNotInService
from sagelet.web.results.failure import Frames, folded, parted
from sagelet.web.site import Site


async def endpoint_page(
    site: Site,
    request: Request,
    template: str,
    /,
    status: int = 200,
    **context: Any,  # noqa: ANN401  the template's
) -> HTMLResponse:
    """Render a tab of the endpoint that the address names; it extends `endpoint/_layout.html.j2`.

    The template gets `endpoint` (as DescribeEndpoint shows it), `facts` (or nothing, where the
    endpoint does not serve), `edit_problems`, and of one that failed `failure` (a message and the
    parts of a traceback) besides its own context.

    Raises:
        EndpointNotFound: there is none of that name.
    """
    name = request.path_params["name"]
    endpoint = await site.backend.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    facts = facts_of(site, endpoint["EndpointName"])
    message, traceback = parted(endpoint.get("FailureReason", ""))
    return site.rendering.page(
        request,
        template,
        status,
        endpoint=endpoint,
        facts=facts,
        edit_problems=edit_problems(facts),
        failure=(message, folded(traceback)),
        **context,
    )


def edit_problems(facts: EndpointFacts | None) -> list[tuple[VariantFacts, list[Frames]]]:
    """Return the variants whose last edit is not served, each with its traceback, folded."""
    variants = facts.variants if facts is not None else ()
    return [(v, folded(v.problem.traceback)) for v in variants if v.problem is not None]


def facts_of(site: Site, name: str) -> EndpointFacts | None:
    """Return what is known of an endpoint, if it serves."""
    try:
        return site.backend.host.facts(name)
    except EndpointNotInService:
        return None
