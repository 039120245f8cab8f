"""A script's text as a tree: what is defined at its top. It is read, never run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

INPUT_SCHEMA = "INPUT_SCHEMA"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Script:
    """The functions, classes and values at the top of a script, by name."""

    functions: Mapping[str, Function]
    classes: Mapping[str, ast.ClassDef]
    values: Mapping[str, ast.expr]

    def input_schema(self) -> dict[str, object] | None:
        """Return `INPUT_SCHEMA = {…}`, if that is a literal."""
        value = self.values.get(INPUT_SCHEMA)
        found = None if value is None else literal(value)
        return found if isinstance(found, dict) else None


def read_script(text: str) -> Script | None:
    """Return what a script defines; None if it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own invalid escapes are not ours to tell of
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions: dict[str, Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    values: dict[str, ast.expr] = {}
    for statement in tree.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions[statement.name] = statement
            case ast.ClassDef():
                classes[statement.name] = statement
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case _:
                pass
    return Script(functions, classes, values)


def literal(node: ast.expr) -> object:
    """Return the value of an expression that is one, else None."""
    try:
        found: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return found


def last_name(node: ast.expr | None) -> str:
    """Return a name, without the modules that it is reached through."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
