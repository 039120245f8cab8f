"""What `input_fn` does with a body, by its text: which keys it reads, and which types it compares.

These are guesses. They are the last thing to ask before a form is a free one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from sagelet.domain.media import CSV, JSON
from sagelet.web.forms.drafts import DIALECT, NPY, Draft, by_schema, file_draft, text_draft
from sagelet.web.forms.fields import Kind
from sagelet.web.forms.learning import Schema
from sagelet.web.forms.script import Function, Script, last_name, literal

INPUT_FN = "input_fn"
_TYPE_NAMES = {"JSON": JSON, "CSV": CSV, "NPY": NPY, "OCTET_STREAM": "application/octet-stream"}
_MOST_TYPES = 20


@dataclass(frozen=True, slots=True)
class Hints:
    """What was found: a draft (perhaps), and the content types that the handler knows."""

    draft: Draft | None
    content_types: tuple[str, ...]


def code_hints(script: Script) -> Hints:
    """Return what the script's input_fn tells of the body."""
    function = script.functions.get(INPUT_FN)
    if function is None:
        return Hints(None, ())
    types = tuple(dict.fromkeys(_content_types(function)))[:_MOST_TYPES]
    return Hints(_draft(function, types), types)


def _draft(function: Function, types: tuple[str, ...]) -> Draft | None:
    calls = {_dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    last = {call.rpartition(".")[2] for call in calls}
    if any(call.endswith("Image.open") or call.endswith("imdecode") for call in calls):
        return file_draft(_first(types, "image/", "image/png"))
    if calls & {"json.loads", "orjson.loads", "json.load"}:
        schema = _schema(function)
        return None if schema is None else by_schema({"$schema": DIALECT, **schema})
    if calls & {"np.load", "numpy.load"}:
        return file_draft(_first(types, NPY, NPY), accept=".npy")
    if last & {"read_csv", "genfromtxt", "loadtxt"} or "csv.reader" in calls:
        return text_draft(CSV, "", Kind.CSV)
    if calls & {"soundfile.read", "sf.read", "torchaudio.load", "librosa.load"}:
        return file_draft(_first(types, "audio/", "audio/wav"))
    return None


def _first(types: tuple[str, ...], begin: str, otherwise: str) -> str:
    return next((each for each in types if each.startswith(begin)), otherwise)


def _content_types(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Compare(comparators=comparators, left=left):
                for each in (left, *comparators):
                    yield from _types_in(each)
            case ast.MatchValue(value=value):
                yield from _types_in(value)
            case _:
                pass


def _types_in(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text.count("/") == 1 and " " not in text:
            yield text
        case ast.Attribute(attr=name) if name in _TYPE_NAMES or name.startswith("CONTENT_TYPE_"):
            found = _TYPE_NAMES.get(name.removeprefix("CONTENT_TYPE_"))
            if found is not None:
                yield found
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for each in parts:
                yield from _types_in(each)
        case _:
            return


def _schema(function: Function) -> Schema | None:
    """Return the schema of what json.loads gives, as far as keys are read from it."""
    loaded = _Loaded()
    loaded.visit(function)
    if loaded.keys:
        properties = {key: _property(default) for key, default in loaded.keys.items()}
        return {"type": "object", "properties": properties, "required": loaded.needed}
    if loaded.rows_of_one:
        return {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    return None


def _property(default: object) -> Schema:
    if isinstance(default, bool):
        return {"type": "boolean", "default": default}
    if isinstance(default, int | float):
        return {"type": "number", "default": default}
    return {"type": "string", "default": default if isinstance(default, str) else ""}


class _Loaded(ast.NodeVisitor):
    """Follows what json.loads returned through one function: its keys, and its items."""

    def __init__(self) -> None:
        self.keys: dict[str, object] = {}
        self.needed: list[str] = []
        self.rows_of_one = False
        self._bodies: set[str] = set()
        self._items: set[str] = set()

    def visit_Assign(self, node: ast.Assign) -> None:
        if self._is_body(node.value):
            self._bodies |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._iterate(node.target, node.iter)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        for each in node.generators:
            self._iterate(each.target, each.iter)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        key = literal(node.slice)
        if isinstance(key, str) and self._is_body(node.value):
            self.keys.setdefault(key, None)
            if key not in self.needed:
                self.needed.append(key)
        if key == 0 and isinstance(node.value, ast.Name) and node.value.id in self._items:
            self.rows_of_one = True
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[key, *rest]):
                name = literal(key)
                if isinstance(name, str) and self._is_body(value):
                    self.keys[name] = literal(rest[0]) if rest else None
            case _:
                pass
        self.generic_visit(node)

    def _iterate(self, target: ast.expr, over: ast.expr) -> None:
        if isinstance(target, ast.Name) and self._is_body(over):
            self._items.add(target.id)

    def _is_body(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self._bodies
            case ast.Call(func=func):
                return _dotted(func) in ("json.loads", "orjson.loads", "json.load")
            case _:
                return False


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}".lstrip(".")
        case _:
            return last_name(node)
