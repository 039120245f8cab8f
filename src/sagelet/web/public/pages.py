"""The public page of an endpoint: what it is, a form, its answer, and how programs ask it.

GET  /p/{slug}        the form; `?ex=NAME` fills it, and nothing runs
POST /p/{slug}/run    runs once; the page again, with the result (or that block alone)

Whoever looks has no session, and nothing but a prediction can come of it; so the form has no token.
It is on the daemon's own port, too: there its owner sees what others will.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.domain.publications import Publication, Terms
from sagelet.errors import EndpointNotInService, NotFound, SageletError
from sagelet.web.access.origins import other_origin
from sagelet.web.access.principals import Visitor
from sagelet.web.api.sse import unless_gone
from sagelet.web.faults import Problem, Refused
from sagelet.web.forms import BadInput, Form, about, form_of, submitted, values_of
from sagelet.web.forms.about import About
from sagelet.web.pages.filled import Values, filled_with, mistakes_of, payload_of
from sagelet.web.public.admission import Guest
from sagelet.web.public.answers import problem_for_strangers, said_to_strangers
from sagelet.web.public.identity import BASE
from sagelet.web.results.result import Result, result_of
from sagelet.web.runs import Payload, Run, run
from sagelet.web.site import Site
from sagelet.web.snippets import Called, Snippet, snippets_of

KEY = "api.key"
LARGEST_BYTES = 6 * 2**20
_WAYS = frozenset({"curl", "requests", "fetch"})
_OWN_SITES = ("same-origin", "none")
_NO_SUCH_EXAMPLE = "There is no such example: the form is filled in as usual."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a POST: a result, why the model gave none, or why it was not asked."""

    result: Result | None = None
    failed: Run | None = None
    said: str = ""
    problem: Problem | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The page's own status: a model's error is no error of the page."""
        return self.problem.status if self.problem is not None else 200


class PublicPages:
    """`/p/{slug}`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/p/{slug}", self._show, methods=["GET"]),
            Route("/p/{slug}/run", self._run, methods=["POST"]),
            Route("/p/{slug}/run", self._back, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        publication = self._publication(request)
        form, note = await self._form(publication), ""
        values: Values = {}
        wanted = request.query_params.get("ex")
        if form is not None:
            example = form.example(wanted) if wanted is not None else None
            note = _NO_SUCH_EXAMPLE if wanted is not None and example is None else ""
            values = values_of(form)
            if example is not None:
                values = filled_with(form, example.body, example.content_type)
        return await self._page(request, publication, form, values, Outcome(), note=note)

    async def _back(self, request: Request) -> Response:
        return RedirectResponse(f"/p/{self._publication(request).slug}", status_code=303)

    async def _run(self, request: Request) -> Response:
        _require_own_page(request)
        publication = self._publication(request)
        data = await request.form(max_part_size=2 * LARGEST_BYTES)
        values = await _values(data)
        form = await self._form(publication)
        asked = self._outcome(request, publication, form, values)
        outcome = await unless_gone(request, asked)
        # A key that was good stays in the form, for a browser without scripts.
        key = "" if outcome.status in (401, 403) else _key(values)
        return await self._page(request, publication, form, values, outcome, key=key)

    def _publication(self, request: Request) -> Publication:
        publication = self._site.sharing.by_slug(request.path_params["slug"])
        if publication is None:
            raise Refused(404, "there is no such page")
        return publication

    async def _form(self, publication: Publication) -> Form | None:
        """Return the model's form, without what others have sent; None where it does not serve."""
        try:
            self._site.backend.host.facts(publication.endpoint)
            return await form_of(self._site.backend, publication.endpoint, with_calls=False)
        except (EndpointNotInService, NotFound):
            return None

    async def _outcome(
        self, request: Request, publication: Publication, form: Form | None, values: Values
    ) -> Outcome:
        try:
            guest = self._guest(request, publication, values)
            self._site.public.admission.admit(publication, guest)
            if form is None:
                raise Refused(503, "the model is not served right now: try again later")
            payload = _payload(form, values)
            made = await run(self._site.backend, publication.endpoint, payload, source="public")
        except BadInput as error:
            problem = problem_for_strangers(Refused(422, error.message))
            return Outcome(problem=problem, errors=error.errors)
        except SageletError as error:
            headers = error.headers if isinstance(error, Refused) else {}
            return Outcome(problem=problem_for_strangers(error), headers=headers)
        if made.is_error:
            return Outcome(failed=made, said=said_to_strangers(made))
        return Outcome(result=await asyncio.to_thread(result_of, made))

    def _guest(self, request: Request, publication: Publication, values: Values) -> Guest:
        key = _key(values) if publication.terms is Terms.KEY else ""
        if key:
            return self._site.access.holder_of(key)
        return Visitor(request.client.host if request.client else "")

    async def _page(
        self,
        request: Request,
        publication: Publication,
        form: Form | None,
        values: Values,
        outcome: Outcome,
        *,
        note: str = "",
        key: str = "",
    ) -> Response:
        known = About("", Markup())
        if form is not None:
            known = await about(self._site.backend, publication.endpoint)
        base, asked_for = self._place(request, publication)
        called = Called(base, asked_for, b"", "", needs_key=publication.terms is Terms.KEY)
        answer = self._site.rendering.page(
            request,
            "public/page.html.j2",
            outcome.status,
            publication=publication,
            title=known.title or (form.title if form else "") or publication.slug,
            description=known.description_html,
            form=form,
            values=values,
            errors=outcome.errors,
            mistakes=mistakes_of(form, outcome.errors),
            example=request.query_params.get("ex", ""),
            note=note,
            outcome=outcome,
            needs_key=publication.terms is Terms.KEY,
            key=key,
            is_public=True,
            limit=LARGEST_BYTES,
            predict_url=f"{base}/api/v1/predict/{asked_for}",
            snippets=_snippets(called, form, values) if form is not None else (),
        )
        answer.headers.update(outcome.headers)
        return answer

    def _place(self, request: Request, publication: Publication) -> tuple[str, str]:
        """Return the address that programs ask at, and by which name they do."""
        told: str | None = getattr(request.state, BASE, None)
        listening = self._site.public.listening
        if told is None and listening is None:
            # The owner looks, and there is nothing yet but the daemon's own port.
            return self._site.backend.address, publication.endpoint
        return told or (listening.base if listening is not None else ""), publication.slug


async def _values(data: FormData) -> Values:
    try:
        return await asyncio.to_thread(submitted, data)
    finally:
        await data.close()


def _require_own_page(request: Request) -> None:
    """Let only our own page's form pass.

    Raises:
        Refused: 403 for any other site's.
    """
    origin = other_origin(request)
    site = request.headers.get("sec-fetch-site", "none")
    if origin is not None or site not in _OWN_SITES:
        raise Refused(403, "a request from another site")


def _key(values: Values) -> str:
    held = (values.get(KEY) or [""])[0]
    return held.strip() if isinstance(held, str) else ""


def _payload(form: Form, values: Values) -> Payload:
    """Return what is sent; a variant, and a model of several, are for the owner to choose."""
    payload = replace(payload_of(form, values), target_variant=None, target_model=None)
    if len(payload.body) > LARGEST_BYTES:
        raise Refused(413, f"the input is larger than {LARGEST_BYTES:,} bytes")
    return payload


def _snippets(called: Called, form: Form, values: Values) -> Sequence[Snippet]:
    """Return the call that the form makes or, as long as it makes none, its first example's."""
    try:
        payload = payload_of(form, values)
        body, content_type, accept = payload.body, payload.content_type, payload.accept
    except BadInput:
        body, content_type, accept = b"", form.content_type, form.accept
        if form.examples:
            body, content_type = form.examples[0].body, form.examples[0].content_type
    made = replace(called, body=body, content_type=content_type or "", accept=accept or "")
    return [each for each in snippets_of(made) if each.key in _WAYS]
