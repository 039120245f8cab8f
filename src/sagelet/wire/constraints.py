"""What a shape's metadata asks of a value, in AWS's words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from botocore.model import Shape, StringShape

from sagelet.wire.documents import Value
from sagelet.wire.models import description

_MATCHED_AT_MOST = 65_536
_REPEATED_GROUP = re.compile(r"\((\[[^\]]*\])[*+](\[[^\]]*\])\)[*+{]")
_MEASURED = frozenset({"string", "blob", "list", "map"})


@dataclass(frozen=True, slots=True)
class Constraint:
    """A sentence of AWS's, and whether it holds for a value."""

    sentence: str
    holds: Callable[[Value], bool]


@cache
def constraints_of(shape: Shape) -> tuple[Constraint, ...]:
    """Return a shape's own constraints, in the order in which AWS lists them."""
    metadata = shape.metadata
    found = []
    if isinstance(shape, StringShape) and shape.enum:
        found.append(_one_of(tuple(shape.enum)))
    measured = shape.type_name in _MEASURED
    if "max" in metadata:
        found.append(_at_most(metadata["max"], measured=measured))
    if "min" in metadata:
        found.append(_at_least(metadata["min"], measured=measured))
    pattern = java_pattern(metadata["pattern"]) if "pattern" in metadata else None
    if pattern is not None:
        found.append(_matching(metadata["pattern"], pattern))
    return tuple(found)


def _one_of(values: tuple[str, ...]) -> Constraint:
    known = frozenset(values)
    return Constraint(
        f"Member must satisfy enum value set: [{', '.join(values)}]", lambda value: value in known
    )


def _at_most(limit: float, *, measured: bool) -> Constraint:
    if measured:
        return Constraint(
            f"Member must have length less than or equal to {limit}",
            lambda value: len(value) <= limit,
        )
    return Constraint(
        f"Member must have value less than or equal to {limit}", lambda value: bool(value <= limit)
    )


def _at_least(limit: float, *, measured: bool) -> Constraint:
    if measured:
        return Constraint(
            f"Member must have length greater than or equal to {limit}",
            lambda value: len(value) >= limit,
        )
    return Constraint(
        f"Member must have value greater than or equal to {limit}",
        lambda value: bool(value >= limit),
    )


def _matching(text: str, pattern: re.Pattern[str]) -> Constraint:
    # A value beyond every limit of the models is not matched: its length alone refuses it.
    return Constraint(
        f"Member must satisfy regular expression pattern: {text}",
        lambda value: len(value) > _MATCHED_AT_MOST or pattern.fullmatch(value) is not None,
    )


@cache
def java_pattern(text: str) -> re.Pattern[str] | None:
    r"""Compile a pattern as Java reads it: classes such as \w are ASCII. It must match the whole.

    Nothing is returned for what Python's `re` does not know (\p{L}, ranges of surrogates), would
    read otherwise than Java (sets within sets), or could be made to take for ever.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(text, re.ASCII)
    except (re.error, FutureWarning, DeprecationWarning, OverflowError):
        return None
    return None if _is_explosive(text) else compiled


def _is_explosive(text: str) -> bool:
    """Say whether a repeated group repeats what it also ends with: `([-a]*[a]){0,39}`.

    Such a pattern can divide one value in exponentially many ways, and `re` tries them all.
    """
    return any(
        any(re.fullmatch(begin, sign) and re.fullmatch(end, sign) for sign in map(chr, range(128)))
        for begin, end in _REPEATED_GROUP.findall(text)
    )


def unmatched_patterns(service: str) -> frozenset[str]:
    """Return the patterns of a service's model that are not checked; see `java_pattern`."""
    model = description(service)["shapes"]
    patterns = {shape["pattern"] for shape in model.values() if "pattern" in shape}
    return frozenset(text for text in patterns if java_pattern(text) is None)
