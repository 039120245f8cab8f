"""Frozen values of the domain as JSON, and back: driven by their type hints, so that none is named.

A field that was added later takes its default when an older row is read; a field that is gone is
passed over.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")
_Decoder = Callable[[Any], Any]


def to_text(raw: object) -> str:
    """Return plain JSON data as ASCII: text that is not quite Unicode is kept, too."""
    return json.dumps(raw, separators=(",", ":"))


def encode(value: object, *, leave_out: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401  JSON has no type
    """Return a value as plain JSON data, without the named fields of its outermost level."""
    if is_dataclass(value):
        names = (field.name for field in fields(value) if field.name not in leave_out)
        return {name: encode(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Return the value that `encode` made this data of."""
    hint: Any = kind
    return cast("T", _decoder_of(hint)(raw))


@cache
def _decoder_of(hint: Any) -> _Decoder:  # noqa: ANN401  a type hint has no type of its own
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(hint)
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if origin is not None and issubclass(origin, Mapping):
        of_value = _decoder_of(typing.get_args(hint)[1])
        return lambda raw: {key: of_value(item) for key, item in raw.items()}
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    return lambda raw: raw


def _union(hint: Any) -> _Decoder:  # noqa: ANN401  a type hint has no type of its own
    """Decode what may be None, or one of several dataclasses: the one whose fields are there."""
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    decoders = [_decoder_of(part) for part in parts]
    if len(parts) == 1:
        return lambda raw: None if raw is None else decoders[0](raw)
    needed = [_needed(part) for part in parts]

    def decode_one(raw: Any) -> object:  # noqa: ANN401  JSON has no type
        if raw is None:
            return None
        fitting = (
            decoder for names, decoder in zip(needed, decoders, strict=True) if names <= raw.keys()
        )
        return next(fitting)(raw)

    return decode_one


def _needed(kind: type[Any]) -> frozenset[str]:
    """The names of the fields that have no default."""
    return frozenset(
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    )


def _tuple(parts: tuple[Any, ...]) -> _Decoder:
    if len(parts) == 2 and parts[1] is Ellipsis:
        each = _decoder_of(parts[0])
        return lambda raw: tuple(each(item) for item in raw)
    decoders = [_decoder_of(part) for part in parts]
    return lambda raw: tuple(decoder(item) for decoder, item in zip(decoders, raw, strict=True))


def _dataclass(kind: type[Any]) -> _Decoder:
    hints = typing.get_type_hints(kind)
    decoders = {field.name: _decoder_of(hints[field.name]) for field in fields(kind)}

    def build(raw: Mapping[str, Any]) -> object:
        known = raw.keys() & decoders.keys()
        return kind(**{name: decoders[name](raw[name]) for name in known})

    return build
