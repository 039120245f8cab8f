"""What a document must satisfy beyond its types, told as AWS tells it, all errors at once.

    2 validation errors detected: Value 'a_b' at 'modelName' failed to satisfy constraint: Member
    must satisfy regular expression pattern: …; Value null at 'executionRoleArn' failed to satisfy
    constraint: Member must not be null

Not checked: the length of a body that is bytes (the server has a limit of its own), and the few
patterns that Python's `re` is no match for (`constraints.unmatched_patterns`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from sagelet.wire.constraints import Constraint, constraints_of
from sagelet.wire.documents import Value
from sagelet.wire.faults import Fault

_CODES = {
    "sagemaker-runtime": "ValidationError",
    "logs": "InvalidParameterException",
    "sts": "ValidationError",
    "iam": "ValidationError",
    "s3": "InvalidArgument",
}
_SHOWN_AT_MOST = 512
_LISTED_AT_MOST = 100

Trail = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A value that we accept where AWS would not.

    `path` names an operation and its members, without the numbers of lists or the keys of maps:
    `CreateEndpointConfig.ProductionVariants.InstanceType`.
    """

    service: str
    path: str
    accepts: re.Pattern[str]
    why: str


def validate(
    document: Mapping[str, Value], operation: OperationModel, deviations: Collection[Deviation] = ()
) -> None:
    """Check a document against the limits of its operation's model, widened by deviations.

    Raises:
        Fault: ValidationException, or the code that the service has for it, with every error.
    """
    shape = operation.input_shape
    if shape is None:
        return
    check = _Check(operation, deviations)
    check.members(shape, document, (), (operation.name,), skipped=_body_of(shape))
    if check.found:
        service = operation.service_model.service_name
        raise Fault(_CODES.get(service, "ValidationException"), 400, _sentence(check.found))


def _body_of(shape: StructureShape) -> str | None:
    payload: str | None = shape.serialization.get("payload")
    return payload if payload and shape.members[payload].type_name == "blob" else None


def _sentence(found: Sequence[str]) -> str:
    listed = "; ".join(found[:_LISTED_AT_MOST])
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {listed}"


class _Check:
    """One walk through a document. A trail is AWS's path; names are the model's."""

    def __init__(self, operation: OperationModel, deviations: Collection[Deviation]) -> None:
        service = operation.service_model.service_name
        self.found: list[str] = []
        self._widened: dict[str, list[re.Pattern[str]]] = {}
        for one in deviations:
            if one.service == service and one.path.startswith(f"{operation.name}."):
                self._widened.setdefault(one.path, []).append(one.accepts)

    def members(
        self,
        shape: StructureShape,
        value: Mapping[str, Value],
        trail: Trail,
        names: Trail,
        skipped: str | None = None,
    ) -> None:
        for name in shape.required_members:
            if value.get(name) is None:
                self._add("Value null", (*trail, _camel(name)), "Member must not be null")
        for name, member in shape.members.items():
            given = value.get(name)
            if given is not None and name != skipped:
                self._value(member, given, (*trail, _camel(name)), (*names, name))

    def _value(self, shape: Shape, value: Value, trail: Trail, names: Trail) -> None:
        for constraint in self._broken(shape, value, names):
            self._add(_shown(shape, value), trail, constraint.sentence)
        match shape:
            case StructureShape() if not shape.is_document_type:
                self.members(shape, value, trail, names)
            case ListShape():
                self._items(shape, value, trail, names)
            case MapShape():
                self._entries(shape, value, trail, names)
            case _:
                pass

    def _items(self, shape: ListShape, items: Sequence[Value], trail: Trail, names: Trail) -> None:
        if not _is_scalar(shape.member):
            for number, item in enumerate(items, start=1):
                self._value(shape.member, item, (*trail, str(number), "member"), names)
        elif any(self._broken(shape.member, item, names) for item in items):
            self._add(_shown(shape, items), trail, _all_of("Member", shape.member))

    def _entries(
        self, shape: MapShape, entries: Mapping[str, Value], trail: Trail, names: Trail
    ) -> None:
        if any(self._broken(shape.key, key, names) for key in entries):
            self._add(_shown(shape, entries), trail, _all_of("Map keys", shape.key))
        if not _is_scalar(shape.value):
            for key, item in entries.items():
                self._value(shape.value, item, (*trail, key, "member"), names)
        elif any(self._broken(shape.value, item, names) for item in entries.values()):
            self._add(_shown(shape, entries), trail, _all_of("Map value", shape.value))

    def _broken(self, shape: Shape, value: Value, names: Trail) -> list[Constraint]:
        broken = [one for one in constraints_of(shape) if not one.holds(value)]
        if broken and isinstance(value, str) and self._accepted(value, names):
            return []
        return broken

    def _accepted(self, value: str, names: Trail) -> bool:
        return any(one.fullmatch(value) for one in self._widened.get(".".join(names), ()))

    def _add(self, value: str, trail: Trail, sentence: str) -> None:
        path = ".".join(trail)
        self.found.append(f"{value} at '{path}' failed to satisfy constraint: {sentence}")


def _is_scalar(shape: Shape) -> bool:
    return not isinstance(shape, StructureShape | ListShape | MapShape)


def _all_of(what: str, shape: Shape) -> str:
    """Say what all items must satisfy: AWS lists every constraint, not only the broken one."""
    return (
        f"{what} must satisfy constraint: [{', '.join(c.sentence for c in constraints_of(shape))}]"
    )


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(shape: Shape, value: Value) -> str:
    """Show a value as AWS's Java does; a sensitive one not at all."""
    if _is_sensitive(shape):
        return "Value"
    text = _java(value)
    return f"Value '{text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + '…'}'"


def _is_sensitive(shape: Shape) -> bool:
    match shape:
        case ListShape():
            return bool(shape.metadata.get("sensitive")) or _is_sensitive(shape.member)
        case MapShape():
            return bool(shape.metadata.get("sensitive")) or _is_sensitive(shape.value)
        case _:
            return bool(shape.metadata.get("sensitive"))


def _java(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            size = len(value)
            return f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
        case Mapping():
            return "{" + _joined(f"{key}={_java(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + _joined(_java(item) for item in value) + "]"
        case _:
            return str(value)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
