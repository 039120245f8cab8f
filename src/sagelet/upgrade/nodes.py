"""Questions that a node answers by itself."""

from __future__ import annotations

import libcst as cst

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def dotted(node: cst.CSTNode) -> str:
    """Return `a.b.c` as it is written; nothing for anything else."""
    match node:
        case cst.Name(value=value):
            return value
        case cst.Attribute(value=value, attr=attr):
            before = dotted(value)
            return f"{before}.{attr.value}" if before else ""
        case _:
            return ""


def argument(call: cst.Call, place: int | None, *keywords: str) -> cst.Arg | None:
    """Return a call's argument by its place or by one of its names."""
    for index, arg in enumerate(call.args):
        if arg.star:
            continue
        if arg.keyword is None and index == place:
            return arg
        if arg.keyword is not None and arg.keyword.value in keywords:
            return arg
    return None


def only(node: Statement) -> cst.BaseSmallStatement | None:
    """Return the one small statement of a line; None for more than one, and for blocks."""
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
        return node.body[0]
    return None


def string_value(node: cst.CSTNode) -> str | None:
    """Return the text of a plain string literal."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def imported_names(module: cst.Module) -> dict[str, str]:
    """Return the names that a module's imports bind at its own level, and what they stand for."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                found |= _names_of_import(small)
    return found


def _names_of_import(node: cst.BaseSmallStatement) -> dict[str, str]:
    """Return the names that an import statement binds, and what they stand for."""
    found = {}
    if isinstance(node, cst.Import):
        for alias in node.names:
            name = dotted(alias.name)
            found[alias.evaluated_alias or name.partition(".")[0]] = (
                name if alias.asname else name.partition(".")[0]
            )
    elif isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
        origin = "." * len(node.relative) + (dotted(node.module) if node.module else "")
        for alias in node.names:
            name = dotted(alias.name)
            found[alias.evaluated_alias or name] = f"{origin}.{name}"
    return found
