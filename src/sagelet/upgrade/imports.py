"""Imports that are added to a script, sorted into their places as isort would."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from sagelet.upgrade.nodes import Statement, dotted, imported_names, only
from sagelet.upgrade.snippets import leading, led_by, statement

_BLANK = cst.EmptyLine(indent=False)


class Place(NamedTuple):
    """Where an import belongs: its section, `import` before `from`, its name."""

    section: int
    style: int
    name: str


def add_imports(module: cst.Module, wanted: Sequence[str]) -> cst.Module:
    """Return a module with import statements that it lacks."""
    for each in sorted(set(wanted)):
        module = _with_import(module, statement(each))
    return module


def _with_import(module: cst.Module, line: Statement) -> cst.Module:
    imported = imported_names(module)
    small = only(line)
    if isinstance(small, cst.Import):
        name = dotted(small.names[0].name)
        alias = small.names[0].evaluated_alias or name
        return module if imported.get(alias) == name else _inserted(module, line)
    assert isinstance(small, cst.ImportFrom)
    assert small.module is not None
    assert not isinstance(small.names, cst.ImportStar)
    origin, name = dotted(small.module), dotted(small.names[0].name)
    if f"{origin}.{name}" in imported.values():
        return module
    for index, each in enumerate(module.body):
        if small.names[0].asname is None and (known := _from(each, origin)) is not None:
            body = list(module.body)
            body[index] = each.with_changes(body=[_with_name(known, small.names[0])])
            return module.with_changes(body=body)
    return _inserted(module, line)


def _from(node: Statement, origin: str) -> cst.ImportFrom | None:
    """Return the import of a line that imports names of a module, if it does."""
    small = only(node)
    if not isinstance(small, cst.ImportFrom) or small.relative or small.module is None:
        return None
    is_same = dotted(small.module) == origin and not isinstance(small.names, cst.ImportStar)
    return small if is_same else None


def _with_name(node: cst.ImportFrom, alias: cst.ImportAlias) -> cst.ImportFrom:
    """Return an import with one name more, in its place among the others."""
    assert not isinstance(node.names, cst.ImportStar)
    names = list(node.names)
    new = dotted(alias.name)
    comma = next((each.comma for each in names if isinstance(each.comma, cst.Comma)), None)
    comma = comma or cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    later = [i for i, each in enumerate(names) if _key(dotted(each.name)) > _key(new)]
    if later:
        names.insert(later[0], cst.ImportAlias(cst.Name(new), comma=comma))
    else:
        last = names[-1]
        names[-1] = last.with_changes(comma=comma)
        names.append(cst.ImportAlias(cst.Name(new), comma=last.comma))
    return node.with_changes(names=names)


def _key(name: str) -> tuple[int, str]:
    """Return isort's order of names: constants, then classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _inserted(module: cst.Module, line: Statement) -> cst.Module:
    body = list(module.body)
    own = _place(line)
    assert own is not None
    run = [(index, place) for index, each in enumerate(body) if (place := _place(each)) is not None]
    if not run:
        return _first(module, line)
    same = _beside_its_kind(body, [each for each in run if each[1].section == own.section], own)
    before = [index for index, place in same if place < own]
    behind = [index for index, place in same if place > own]
    if behind and not (before and max(before) > min(behind)):
        _put_before(body, min(behind), line)
    elif before:
        body.insert(max(before) + 1, line)
    elif earlier := [index for index, place in run if place.section < own.section]:
        body.insert(max(earlier) + 1, led_by(line, [_BLANK]))
    else:
        at = run[0][0]
        _put_before(body, at, line)
        body[at + 1] = led_by(body[at + 1], [_BLANK])
    return module.with_changes(body=body)


def _put_before(body: list[Statement], at: int, line: Statement) -> None:
    """Put a line before another, behind the comments and empty lines that stood before that."""
    lines = leading(body[at])
    body[at] = led_by(body[at], ())
    body.insert(at, led_by(line, lines))


def _beside_its_kind(
    body: Sequence[Statement], same: list[tuple[int, Place]], own: Place
) -> list[tuple[int, Place]]:
    """Keep of a section the lines that stand together with one of the same package."""
    top = own.name.partition(".")[0]
    anchors = [index for index, place in same if place.name.partition(".")[0] == top]
    if not anchors:
        return same
    start = end = anchors[0]
    indexes = {index for index, _ in same}
    while start - 1 in indexes and not leading(body[start]):
        start -= 1
    while end + 1 in indexes and not leading(body[end + 1]):
        end += 1
    return [(index, place) for index, place in same if start <= index <= end]


def _first(module: cst.Module, line: Statement) -> cst.Module:
    """Put the first import of a module below its docstring."""
    body = list(module.body)
    at = 0 if module.get_docstring() is None else 1
    if at < len(body) and not leading(body[at]):
        body[at] = led_by(body[at], [_BLANK])
    body.insert(at, led_by(line, [_BLANK]) if at else line)
    return module.with_changes(body=body)


def _place(node: Statement) -> Place | None:
    small = only(node)
    if isinstance(small, cst.Import):
        name = dotted(small.names[0].name)
        return Place(_section(name), 0, name)
    if isinstance(small, cst.ImportFrom):
        name = dotted(small.module) if small.module else ""
        return Place(3 if small.relative else _section(name), 1, name)
    return None


def _section(name: str) -> int:
    top = name.partition(".")[0]
    if top == "__future__":
        return 0
    return 1 if top in sys.stdlib_module_names else 2
