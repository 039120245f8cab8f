"""The form of an endpoint: the sources, one after the other, until one has an answer.

1 `ui:`  2 schema, type hints  3 examples  4 calls that were answered  5 input_fn's text  6 free

What lies with the model is read again when one of its files has changed, or another generation of
them serves. Calls are asked for every time: they are what is newest.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache

from sagelet.domain.calls import Call
from sagelet.domain.media import JSON
from sagelet.web.backend import Backend
from sagelet.web.forms.drafts import Draft, by_payloads
from sagelet.web.forms.ejecting import ejected
from sagelet.web.forms.folder import ModelFolder, stamp
from sagelet.web.forms.form import Encoding, Example, Form, SourceKind
from sagelet.web.forms.model_facts import ModelFacts, model_facts
from sagelet.web.forms.shapes import Constant
from sagelet.web.forms.sources import Found, Lookup, files_of, look

_CALLS = 12
_COMMON = (JSON, "text/csv", "text/plain", "application/x-npy", "application/octet-stream")
_FREE = Draft((), Constant(""), Encoding.TEXT, JSON)
_FREE_TEXT = "a free one: nothing says what the model takes"

_Stamp = tuple[str, int, int]


async def form_of(backend: Backend, endpoint: str, *, with_calls: bool = True) -> Form:
    """Return the form of an endpoint, from the first source that knows what its model takes.

    Without calls it tells strangers nothing of what others have sent.

    Raises:
        EndpointNotFound: there is no endpoint of that name.
    """
    facts = await model_facts(backend, endpoint)
    lookup = await asyncio.to_thread(_lookup, facts)
    calls: tuple[Call, ...] = ()
    if lookup.sure is None and with_calls:
        calls = await asyncio.to_thread(backend.history.good_payloads, endpoint, _CALLS)
    return await asyncio.to_thread(assembled, endpoint, lookup, _seen(calls))


def _lookup(facts: ModelFacts) -> Lookup:
    if facts.folder is None:
        return Lookup(problems=["the endpoint does not serve: its files are not looked at"])
    stamps = tuple(stamp(path) for path in files_of(facts.folder, facts.program))
    return _remembered(facts.folder, facts.program, facts.generation, stamps)


@lru_cache(maxsize=4)  # each may hold megabytes of examples
def _remembered(
    folder: ModelFolder,
    program: str,
    _generation: int,
    _stamps: tuple[_Stamp, ...],
) -> Lookup:
    return look(folder, program)


def assembled(endpoint: str, lookup: Lookup, calls: tuple[Example, ...]) -> Form:
    """Return the form of what was looked up and of calls that were answered."""
    found = lookup.sure or _from_calls(calls) or lookup.guess
    found = found or Found(_FREE, SourceKind.FREE, _FREE_TEXT)
    draft, ui = found.draft, lookup.ui
    examples = calls if found.kind is SourceKind.TRAFFIC else lookup.examples
    content_type = ui.content_type or draft.content_type
    types = (content_type, *lookup.content_types, *(each.content_type for each in examples))
    form = Form(
        endpoint,
        draft.fields,
        draft.shape,
        draft.encoding,
        content_type,
        ui.accept or JSON,
        lookup.source(found.kind, found.text),
        examples,
        content_types=tuple(dict.fromkeys((*types, *_COMMON))),
        schema=draft.schema,
        title=ui.title,
        output=ui.output.model_dump(mode="json", exclude_defaults=True),
        dtype=draft.dtype,
        is_ascii=draft.is_ascii,
        before=draft.before,
        after=draft.after,
    )
    return form if found.kind in _AS_WRITTEN else replace(form, ejected=ejected(form))


_AS_WRITTEN = frozenset({SourceKind.UI, SourceKind.FREE})


def _from_calls(calls: tuple[Example, ...]) -> Found | None:
    draft, _ = by_payloads(calls)
    if draft is None:
        return None
    count = "one recent call" if len(calls) == 1 else f"{len(calls)} recent calls"
    return Found(draft, SourceKind.TRAFFIC, f"inferred from {count}")


def _seen(calls: tuple[Call, ...]) -> tuple[Example, ...]:
    return tuple(
        Example(call.id, f"call of {call.at:%H:%M:%S}", call.body, call.content_type or JSON)
        for call in calls
        if call.body and not call.is_redacted
    )
