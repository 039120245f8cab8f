"""What a loaded model is made of: the user's classes and functions that its parts belong to.

Reading model_fn does not show them all: unpickling, registries and configuration files name
classes too. So the object itself is walked.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

_ATOMS = (str, bytes, bytearray, int, float, complex, bool, type(None))
_PLAIN = (dict, list, tuple, set, frozenset)
"""Their very instances have no attributes; those of classes derived from them may."""
_LIMIT = 50_000
_SAMPLE = 1_000


def names_in(model: Any, modules: Collection[str]) -> set[tuple[str, str]] | None:
    """Return (module, top-level name) of all that a model is made of, of these modules.

    None: the model is too large to be walked, so nothing can be said.
    """
    found: set[tuple[str, str]] = set()
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _ATOMS) or id(value) in seen:
            continue
        seen.add(id(value))
        if len(seen) > _LIMIT:
            return None
        owner = _owner(value)
        if owner is not None and owner[0] in modules:
            found.add(owner)
        waiting.extend(_parts(value))
    return found


def _owner(value: Any) -> tuple[str, str] | None:
    """Return the module and the top-level name that define a value's class, or the value itself."""
    if isinstance(value, types.ModuleType):
        return value.__name__, "*"
    definition = value if isinstance(value, (type, types.FunctionType)) else type(value)
    module = getattr(definition, "__module__", None)
    return (module, definition.__qualname__.split(".")[0]) if isinstance(module, str) else None


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, types.ModuleType):
        return
    if isinstance(value, type):
        yield from value.__bases__
        return
    yield type(value)
    yield from _attributes(value)
    if isinstance(value, dict):
        yield from _sampled(list(value.keys()))
        yield from _sampled(list(value.values()))
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from _sampled(list(value))


def _attributes(value: Any) -> Iterator[Any]:
    if isinstance(value, types.FunctionType):
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        yield from _cells(value)
    elif isinstance(value, types.MethodType):
        yield value.__self__
        yield value.__func__
    elif isinstance(value, functools.partial):
        yield value.func
        yield value.args
        yield value.keywords
    namespace = getattr(value, "__dict__", None)
    if isinstance(namespace, dict):
        yield from _sampled(list(namespace.values()))
    if type(value) not in _PLAIN:
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for slot in (slots,) if isinstance(slots, str) else slots:
                yield getattr(value, slot, None)


def _cells(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a variable that was never assigned
            yield cell.cell_contents


def _sampled(items: list[Any]) -> list[Any]:
    """Return the items to look at: of a long list of plain values, none."""
    if len(items) > _SAMPLE and all(isinstance(item, _ATOMS) for item in items[:_SAMPLE]):
        return []
    return items
