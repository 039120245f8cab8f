"""From type hints to a JSON Schema, by the script's text alone.

What counts is what `input_fn` returns or, without a hint there, the first argument of `predict_fn`.
TypedDict, dataclasses, models of pydantic and msgspec read the same: a class whose body annotates
names. Constraints are those of annotated-types, pydantic's Field and msgspec's Meta.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from sagelet.web.forms.learning import Schema
from sagelet.web.forms.script import Function, Script, last_name, literal

_DEEPEST = 8
_SINGLE: Mapping[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "dict": {"type": "object"},
    "Mapping": {"type": "object"},
    "PositiveInt": {"type": "integer", "exclusiveMinimum": 0},
    "NonNegativeInt": {"type": "integer", "minimum": 0},
    "PositiveFloat": {"type": "number", "exclusiveMinimum": 0},
    "NonNegativeFloat": {"type": "number", "minimum": 0},
}
_LISTS = frozenset({"list", "List", "Sequence", "Iterable", "tuple", "Tuple", "set", "Collection"})
_WRAPPERS = frozenset({"Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "Awaitable"})
_KEYWORDS: Mapping[str, str] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
}
_PREDICATES: Mapping[str, str] = {
    "Ge": "minimum",
    "Gt": "exclusiveMinimum",
    "Le": "maximum",
    "Lt": "exclusiveMaximum",
    "MultipleOf": "multipleOf",
    "MinLen": "minLength",
    "MaxLen": "maxLength",
    "Doc": "description",
}
_META = frozenset({"Field", "Meta", "field", "Interval", "Query", "Body"})


def hinted_schema(script: Script) -> tuple[Schema, str] | None:
    """Return the schema that the handlers' hints tell, and whose hint it is; None if none does.

    Plain containers without a word of what is in them tell nothing.
    """
    for name, hint in _hints(script):
        schema = _Reader(script).schema(hint)
        if _tells(schema):
            return schema, name
    return None


def _hints(script: Script) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    reads = script.functions.get("input_fn")
    if reads is not None and reads.returns is not None:
        found.append(("input_fn", reads.returns))
    predicts = script.functions.get("predict_fn")
    hint = _first_hint(predicts) if predicts is not None else None
    if hint is not None:
        found.append(("predict_fn", hint))
    return found


def _first_hint(function: Function) -> ast.expr | None:
    arguments = [*function.args.posonlyargs, *function.args.args]
    return arguments[0].annotation if arguments else None


def _tells(schema: Schema) -> bool:
    """Tell whether a hint is about the body: a class is written for it, or a list of these.

    `list[str]` may as well be what input_fn has made of a body of another shape.
    """
    items = schema.get("items")
    if schema.get("type") == "array" and isinstance(items, dict):
        return bool(items.get("properties"))
    return bool(schema.get("properties"))


class _Reader:
    def __init__(self, script: Script) -> None:
        self._script = script
        self._open: list[str] = []

    def schema(self, hint: ast.expr | None, depth: int = 0) -> Schema:
        """Return what a hint says; nothing where it says nothing that we understand."""
        if depth > _DEEPEST:
            return {}
        match hint:
            case ast.Constant(value=str(text)):
                return self._quoted(text, depth)
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return _one_of([self.schema(left, depth + 1), self.schema(right, depth + 1)])
            case ast.Subscript(value=value, slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                return self._subscript(last_name(value), parts, depth)
            case ast.Name() | ast.Attribute():
                return self._named(last_name(hint), depth)
            case _:
                return {}

    def _named(self, name: str, depth: int) -> Schema:
        if name in self._script.classes:
            return self._class(self._script.classes[name], depth)
        if name in _LISTS:
            return {"type": "array"}
        if name in _SINGLE:
            return dict(_SINGLE[name])
        alias = self._script.values.get(name)
        return {} if alias is None else self.schema(alias, depth + 1)

    def _quoted(self, text: str, depth: int) -> Schema:
        try:
            return self.schema(ast.parse(text, mode="eval").body, depth + 1)
        except (SyntaxError, ValueError):
            return {}

    def _subscript(self, name: str, parts: Sequence[ast.expr], depth: int) -> Schema:
        if name == "Literal":
            return {"enum": [part.value for part in parts if isinstance(part, ast.Constant)]}
        if name == "Optional":
            return _one_of([self.schema(parts[0], depth + 1), {"type": "null"}])
        if name == "Union":
            return _one_of([self.schema(part, depth + 1) for part in parts])
        if name == "Annotated":
            return _constrained(self.schema(parts[0], depth + 1), parts[1:])
        if name in _WRAPPERS:
            return self.schema(parts[0], depth + 1)
        if name in ("dict", "Dict", "Mapping"):
            return {"type": "object"}
        if name in ("tuple", "Tuple"):
            return self._tuple(parts, depth)
        if name in _LISTS:
            return {"type": "array", "items": self.schema(parts[0], depth + 1)}
        return {}

    def _tuple(self, parts: Sequence[ast.expr], depth: int) -> Schema:
        if isinstance(parts[-1], ast.Constant) and parts[-1].value is ...:
            return {"type": "array", "items": self.schema(parts[0], depth + 1)}
        schemas = [self.schema(part, depth + 1) for part in parts]
        count = len(schemas)
        return {"type": "array", "prefixItems": schemas, "minItems": count, "maxItems": count}

    def _class(self, node: ast.ClassDef, depth: int) -> Schema:
        bases = [last_name(base) for base in node.bases]
        if "Enum" in bases or "StrEnum" in bases or "IntEnum" in bases:
            return _enum(node)
        if node.name in self._open:
            return {}  # it holds itself: where it does, JSON is typed
        self._open.append(node.name)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for base in bases:
            if base in self._script.classes:
                inherited = self._class(self._script.classes[base], depth + 1)
                properties |= inherited.get("properties", {})
                required += inherited.get("required", [])
        is_total = not any(
            word.arg == "total" and literal(word.value) is False for word in node.keywords
        )
        for name, hint, value in _members(node):
            properties[name], is_needed = self._member(hint, value, depth)
            if is_needed and (is_total or _wrapper(hint) == "Required"):
                required.append(name)
        self._open.pop()
        return {"type": "object", "properties": properties, "required": required}

    def _member(self, hint: ast.expr, value: ast.expr | None, depth: int) -> tuple[Schema, bool]:
        schema = self.schema(hint, depth + 1)
        if value is None:
            return schema, _wrapper(hint) != "NotRequired"
        if isinstance(value, ast.Call) and last_name(value.func) in _META:
            schema = _constrained(schema, [value])
            default = _default_in(value)
        else:
            default = value
        if default is None:
            return schema, True
        found = literal(default)
        is_json = isinstance(found, str | int | float | bool | list | dict)
        return {**schema, "default": found} if is_json else schema, False


def _members(node: ast.ClassDef) -> list[tuple[str, ast.expr, ast.expr | None]]:
    return [
        (statement.target.id, statement.annotation, statement.value)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith("_")
        and _wrapper(statement.annotation) != "ClassVar"
        and statement.target.id != "model_config"
    ]


def _wrapper(hint: ast.expr) -> str:
    return last_name(hint.value) if isinstance(hint, ast.Subscript) else ""


def _enum(node: ast.ClassDef) -> Schema:
    values = [
        literal(statement.value) for statement in node.body if isinstance(statement, ast.Assign)
    ]
    return {"enum": [value for value in values if isinstance(value, str | int | float)]}


def _one_of(schemas: Sequence[Schema]) -> Schema:
    some = [each for each in schemas if each.get("type") != "null"]
    if len(some) == 1 and len(some) < len(schemas):
        return {"anyOf": [some[0], {"type": "null"}]}
    kinds = {str(each.get("type")) for each in some}
    if kinds == {"integer", "number"}:
        return {"type": "number"}
    return some[0] if len(some) == 1 else {"anyOf": list(schemas)} if all(schemas) else {}


def _constrained(schema: Schema, extras: Sequence[ast.expr]) -> Schema:
    found = dict(schema)
    for extra in extras:
        if isinstance(extra, ast.Constant) and isinstance(extra.value, str):
            found["description"] = extra.value
        if not isinstance(extra, ast.Call):
            continue
        name = last_name(extra.func)
        if name in _PREDICATES and extra.args:
            _say(found, _PREDICATES[name], literal(extra.args[0]))
        for keyword in extra.keywords if name in _META else ():
            _say(found, _KEYWORDS.get(keyword.arg or "", ""), literal(keyword.value))
    return found


def _say(schema: Schema, key: str, value: object) -> None:
    check: Callable[[object], bool] = (
        (lambda each: isinstance(each, str))
        if key in ("title", "description", "pattern")
        else (lambda each: isinstance(each, int | float) and not isinstance(each, bool))
    )
    if key and check(value):
        schema[key] = value


def _default_in(call: ast.Call) -> ast.expr | None:
    """Return the default that pydantic's Field or dataclasses' field has; None if it has none."""
    for keyword in call.keywords:
        if keyword.arg == "default":
            return keyword.value
        if keyword.arg == "default_factory":
            empty = {"list": ast.List([], ast.Load()), "dict": ast.Dict([], [])}
            return empty.get(last_name(keyword.value), keyword.value)
    first = call.args[0] if call.args else None
    is_ellipsis = isinstance(first, ast.Constant) and first.value is ...
    return None if is_ellipsis else first
