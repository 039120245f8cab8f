"""An endpoint's first tab: the form of its model, Run, and what came of it.

GET  /endpoints/{name}              the form; `?ex=NAME` and `?call=ID` fill it, and nothing runs
POST /endpoints/{name}/run          runs once; the page again, with the result (or that block alone)
GET  /endpoints/{name}/runs/{id}    a run that was made: its payload in the form, its result
POST /endpoints/{name}/examples     writes what is filled in as an example into the project
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.media import suffix_of
from sagelet.errors import EndpointNotInService, SageletError
from sagelet.web.access.guard import checked_form
from sagelet.web.api.sse import unless_gone
from sagelet.web.faults import Problem, Refused, problem_of
from sagelet.web.forms import BadInput, Form, about, form_of, submitted, values_of
from sagelet.web.pages.endpoint_frame import endpoint_page, facts_of
from sagelet.web.pages.endpoint_models import is_multi_model
from sagelet.web.pages.filled import (
    Filled,
    Values,
    filled_by_call,
    filled_by_example,
    filled_with,
    mistakes_of,
    payload_of,
)
from sagelet.web.pages.run_files import RunFiles
from sagelet.web.results.output import AS_IT_COMES, output_of
from sagelet.web.results.result import Result, result_of
from sagelet.web.results.shelf import RunShelf
from sagelet.web.runs import Run, run
from sagelet.web.saving import ExamplesFolder, examples_folder, save_example
from sagelet.web.site import Site

PREVIOUS = "previous"
NAME = "example.name"
LARGE_BYTES = 6 * 10**6
"""Above this, some of SageMaker's ways to be invoked refuse a payload."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a POST: of a run, a result or why there is none; of an example, its file."""

    result: Result | None = None
    problem: Problem | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    saved: str = ""
    not_saved: Problem | None = None

    @property
    def status(self) -> int:
        """The page's own status: a model's error is no error of the page."""
        problem = self.problem or self.not_saved
        return problem.status if problem is not None else 200


class PredictPages:
    """`/endpoints/{name}`, and what is run from there."""

    def __init__(self, site: Site) -> None:
        """Begin with no run."""
        self._site = site
        self._shelf = RunShelf()
        self._files = RunFiles(site, self._shelf)

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/endpoints/{name}", self._show, methods=["GET"]),
            Route("/endpoints/{name}/run", self._run, methods=["POST"]),
            Route("/endpoints/{name}/run", _back, methods=["GET"]),
            Route("/endpoints/{name}/runs/{id}", self._show_run, methods=["GET"]),
            *self._files.routes(),
            Route("/endpoints/{name}/examples", self._save, methods=["POST"]),
            Route("/endpoints/{name}/examples", _back, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        asked = request.path_params["name"]
        name = await self._site.backend.endpoint_named(asked)
        if name != asked:
            return RedirectResponse(f"/endpoints/{name}?{request.url.query}", status_code=308)
        form = await self._form(request)
        filled = await self._filled(request, form) if form is not None else None
        return await self._page(request, form, filled, Outcome())

    async def _show_run(self, request: Request) -> Response:
        made = await self._files.find(request)
        form = await self._form(request)
        if form is None:
            return await self._page(request, None, None, await _seen(made))
        payload = made.payload
        values = filled_with(
            form,
            payload.body,
            payload.content_type,
            payload.accept,
            payload.target_variant,
            payload.target_model,
        )
        return await self._page(request, form, Filled(values), await _seen(made, form))

    async def _run(self, request: Request) -> Response:
        values = await self._submitted(request)
        form = await self._form(request)
        if form is None:
            raise await self._not_now(request)
        outcome = await unless_gone(request, self._outcome(request, form, values))
        return await self._page(request, form, Filled(values), outcome)

    async def _submitted(self, request: Request) -> Values:
        # A payload of the largest size may be quoted in a form, and the door has bounded the whole.
        data = await checked_form(request, max_field_bytes=2 * self._site.backend.max_body_bytes)
        try:
            return await asyncio.to_thread(submitted, data)
        finally:
            await data.close()

    async def _outcome(self, request: Request, form: Form, values: Values) -> Outcome:
        backend, name = self._site.backend, str(request.path_params["name"])
        try:
            payload = payload_of(form, values)
            if len(payload.body) > backend.max_body_bytes:
                raise Refused(413, f"the payload is larger than {backend.max_body_bytes:,} bytes")
            made = await run(backend, name, payload, source="web", is_traced=True)
        except BadInput as error:
            return Outcome(problem=problem_of(Refused(422, error.message)), errors=error.errors)
        except SageletError as error:
            return Outcome(problem=problem_of(error))
        self._shelf.put(made)
        previous = self._shelf.get(name, str((values.get(PREVIOUS) or [""])[0]))
        return await _seen(made, form, previous)

    async def _save(self, request: Request) -> Response:
        backend, name = self._site.backend, str(request.path_params["name"])
        values = await self._submitted(request)
        form = await self._form(request)
        if form is None:
            raise await self._not_now(request)
        folder = await asyncio.to_thread(examples_folder, backend, name)
        if folder is None:
            raise Refused(409, "the endpoint is not served from a folder of yours")
        outcome = await self._saved(form, folder, values)
        return await self._page(request, form, Filled(values), outcome)

    async def _saved(self, form: Form, folder: ExamplesFolder, values: Values) -> Outcome:
        called = str((values.get(NAME) or [""])[0])
        try:
            payload = payload_of(form, values)
            kind = payload.content_type or ""
            file = await asyncio.to_thread(save_example, folder, called, payload.body, kind)
        except BadInput as error:
            problem = problem_of(Refused(422, error.message))
            return Outcome(not_saved=problem, errors=error.errors)
        except Refused as error:
            return Outcome(not_saved=problem_of(error))
        except OSError as error:
            refused = Refused(409, f"it cannot be written: {error.strerror}")
            return Outcome(not_saved=problem_of(refused))
        return Outcome(saved=folder.shown(file))

    async def _form(self, request: Request) -> Form | None:
        """Return the endpoint's form; None where it does not serve."""
        name = request.path_params["name"]
        if facts_of(self._site, name) is None:
            return None
        try:
            return await form_of(self._site.backend, name)
        except EndpointNotInService:
            return None

    async def _not_now(self, request: Request) -> Refused:
        """Return why an endpoint that does not serve cannot be run.

        Raises:
            EndpointNotFound: it has been deleted.
        """
        name = request.path_params["name"]
        shown = await self._site.backend.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        return Refused(409, f"{name} cannot be run now: it is {shown['EndpointStatus']}")

    async def _filled(self, request: Request, form: Form) -> Filled:
        wanted, call_id = request.query_params.get("ex"), request.query_params.get("call")
        if wanted is not None:
            return filled_by_example(form, wanted)
        if call_id is None:
            return Filled(values_of(form))
        history = self._site.backend.history
        return filled_by_call(form, await asyncio.to_thread(history.get, form.endpoint, call_id))

    async def _page(
        self, request: Request, form: Form | None, filled: Filled | None, outcome: Outcome
    ) -> Response:
        backend, name = self._site.backend, str(request.path_params["name"])
        facts = facts_of(self._site, name)
        return await endpoint_page(
            self._site,
            request,
            "endpoint/predict.html.j2",
            outcome.status,
            about=await about(backend, name) if form is not None else None,
            form=form,
            values=filled.values if filled is not None else {},
            note=filled.note if filled is not None else "",
            example=request.query_params.get("ex", ""),
            errors=outcome.errors,
            mistakes=mistakes_of(form, outcome.errors),
            outcome=outcome,
            result=outcome.result,
            variants=[each.variant for each in facts.variants] if facts is not None else [],
            has_models=await is_multi_model(backend, name),
            limit=backend.max_body_bytes,
            large=LARGE_BYTES,
            folder=await asyncio.to_thread(examples_folder, backend, name),
            cli_line=_cli_line(form) if form is not None else "",
            logs=f"/endpoints/{name}/logs",
        )


async def _seen(made: Run, form: Form | None = None, previous: Run | None = None) -> Outcome:
    # Large answers take their time to look at, and the daemon has more to do.
    result = await asyncio.to_thread(
        result_of,
        made,
        previous=previous,
        address=f"/endpoints/{made.endpoint}/runs/{made.id}",
        output=output_of(form.output) if form is not None else AS_IT_COMES,
    )
    return Outcome(result)


async def _back(request: Request) -> Response:
    """Lead whoever asks for the result of a POST back to the form: nothing runs without one."""
    return RedirectResponse(f"/endpoints/{request.path_params['name']}", status_code=303)


def _cli_line(form: Form) -> str:
    """Return the command that sends a file as this form would."""
    parts = ["sagelet", "invoke", form.endpoint, "-f", f"payload{suffix_of(form.content_type)}"]
    if form.content_type:
        parts += ["--content-type", form.content_type]
    if form.accept:
        parts += ["--accept", form.accept]
    return shlex.join(parts)
