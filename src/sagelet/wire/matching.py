"""Which operation of a REST service a request means: by method, path, query and headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, ServiceModel

from sagelet.wire.documents import Value
from sagelet.wire.faults import Fault, Unreadable
from sagelet.wire.messages import RequestHead
from sagelet.wire.models import description

_LABEL = re.compile(r"\{([A-Za-z0-9_]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What a request must look like to be one operation."""

    operation: str
    method: str
    path: re.Pattern[str]
    markers: frozenset[tuple[str, str]]
    query: frozenset[str]
    headers: frozenset[str]
    preference: tuple[int, bool, int]

    def fits(self, head: RequestHead, names: frozenset[str]) -> bool:
        """Say whether a request is this operation; its path and method are known to fit."""
        return (
            self.query <= names
            and all(_has_marker(head, name, value) for name, value in self.markers)
            and all(name in head.headers for name in self.headers)
        )


def match_rest(service_model: ServiceModel, head: RequestHead) -> OperationModel:
    """Return the operation that a request means, the most specific of those that fit.

    Raises:
        Fault: no operation fits.
    """
    service = service_model.service_name
    named = frozenset(name for name, _ in head.query)
    on_path = [one for one in _patterns(service) if one.path.fullmatch(head.raw_path)]
    fitting = [one for one in on_path if one.method == head.method and one.fits(head, named)]
    if fitting:
        best = max(fitting, key=lambda one: one.preference)
        return service_model.operation_model(best.operation)
    if service == "s3":
        raise Fault(
            "MethodNotAllowed",
            405,
            "The specified method is not allowed against this resource.",
            {"Method": head.method},
        )
    raise Fault(
        "UnknownOperationException",
        400,
        f"{service} has no operation for {head.method} {head.path}",
    )


def path_labels(operation: OperationModel, head: RequestHead) -> dict[str, str]:
    """Return the values in a path, by the names that the operation's template has for them.

    A value is cut out of the raw path and decoded once: a slash that a key holds stays the key's.

    Raises:
        Unreadable: a value is not UTF-8.
    """
    pattern = _path_pattern(operation.http.get("requestUri", "/"))
    found = pattern.fullmatch(head.raw_path)
    if found is None:
        return {}
    try:
        return {name: unquote(raw, errors="strict") for name, raw in found.groupdict().items()}
    except UnicodeDecodeError as error:
        raise Unreadable("the path is not UTF-8") from error


def _has_marker(head: RequestHead, name: str, value: str) -> bool:
    # `?list-type=2` must be just so; a bare marker may come with any value, or none.
    return any(key == name and value in ("", given) for key, given in head.query)


@cache
def _patterns(service: str) -> tuple[_Pattern, ...]:
    return tuple(_read_patterns(description(service)))


def _read_patterns(model: Mapping[str, Value]) -> Iterator[_Pattern]:
    shapes = model["shapes"]
    for name, operation in model["operations"].items():
        if operation.get("endpoint", {}).get("hostPrefix"):
            continue  # Served at a host of its own.
        uri = operation["http"]["requestUri"]
        markers = frozenset(parse_qsl(uri.partition("?")[2], keep_blank_values=True))
        given = shapes[operation["input"]["shape"]] if "input" in operation else {}
        query = _required(given, "querystring")
        # A marker says enough. Without one, x-amz-copy-source is all that tells a copy from a put.
        headers = frozenset() if markers else _required(given, "header")
        yield _Pattern(
            operation=name,
            method=operation["http"]["method"],
            path=_path_pattern(uri),
            markers=markers,
            query=query,
            headers=headers,
            preference=(
                len(markers) + len(query) + len(headers),
                not operation.get("deprecated", False),
                -len(operation.get("staticContextParams", {})),
            ),
        )


def _required(shape: Mapping[str, Value], location: str) -> frozenset[str]:
    members = (shape["members"][name] for name in shape.get("required", ()))
    return frozenset(one["locationName"] for one in members if one.get("location") == location)


@cache
def _path_pattern(uri: str) -> re.Pattern[str]:
    """Return the pattern of raw paths that a template means; `{Key+}` takes slashes as well."""
    template, _, _ = uri.partition("?")
    pieces, end = [], 0
    for label in _LABEL.finditer(template):
        pieces.append(re.escape(template[end : label.start()]))
        pieces.append(f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})")
        end = label.end()
    pieces.append(re.escape(template[end:]))
    slash = "/?" if template.endswith("}") and not template.endswith("+}") else ""
    return re.compile("".join(pieces) + slash, re.DOTALL)
