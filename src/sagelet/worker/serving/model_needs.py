"""Whether a loaded model outlives an edit: what it depends on, compared before and after.

The entry module is judged statement by statement, every other module as a whole.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sagelet.worker.serving import import_graph
from sagelet.worker.serving.statements import (
    Statement,
    closure_of,
    globals_written,
    is_dynamic,
    statements_of,
)
from sagelet.worker.serving.user_code import Source

ROOTS = ("model_fn", "pre_model_fn", "model_warmup_fn")
_CLASS_HOOKS = (b"__init_subclass__", b"metaclass")


class Doubt(Exception):
    """It cannot be shown that the model outlives the edit. The text says why."""


@dataclass(frozen=True)
class Entry:
    """The entry module's statements, and which names in it libraries and user modules gave."""

    name: str
    source: Source
    tree: ast.Module
    statements: list[Statement]
    foreign: frozenset[str]
    imported: frozenset[str]

    @classmethod
    @functools.lru_cache(maxsize=16)
    def of(cls, name: str, source: Source, known: frozenset[str]) -> Entry:
        """Read a module; `known` are the user's modules."""
        tree = source.tree()
        statements = statements_of(tree)
        foreign: set[str] = set()
        own: set[str] = set()
        imported: set[str] = set()
        for statement in statements:
            if statement.is_logger:
                foreign |= statement.binds
            elif not statement.is_import:
                own |= statement.binds
            elif import_graph.imported(statement.parts, name, source, known):
                imported |= statement.binds
            else:
                foreign |= statement.binds
        foreign -= own | imported
        return cls(name, source, tree, statements, frozenset(foreign), frozenset(imported))

    def closure(self, roots: Collection[str]) -> list[Statement]:
        """Return the statements that `roots` depend on."""
        return closure_of(self.statements, roots, self.foreign)


def kept_statements(before: Entry, after: Entry, made: Collection[str]) -> list[Statement]:
    """Return the statements (of `after`) that the model depends on, all of them unchanged.

    `made` are the top-level names of this module that the model object is made of.

    Raises:
        Doubt: they did change, or may have effects that cannot be followed.
    """
    roots = {*ROOTS, *made}
    old, new = before.closure(roots), after.closure(roots)
    if [s.text for s in old] != [s.text for s in new]:
        raise Doubt(f"{_first_change(old, new)}, which the model depends on, changed")
    if _effects(before) != _effects(after):
        raise Doubt(f"what importing {before.name} does changed")
    if is_dynamic(new):
        raise Doubt("what the model depends on is decided at run time")
    names = {name for s in new for name in (s.binds | s.reads)}
    written = globals_written([*before.statements, *after.statements])
    if names & written:
        raise Doubt(f"{min(names & written)} is a global variable that a function sets")
    chosen = {id(statement.node) for statement in new}
    refuse_registration(after, [s for s in after.statements if id(s.node) not in chosen], [])
    return new


def modules_needed(kept: list[Statement], entry: Entry, known: Collection[str]) -> set[str]:
    """Return the user's modules that the kept statements import."""
    parts = [part for statement in kept for part in statement.parts]
    return import_graph.imported(parts, entry.name, entry.source, known)


def refuse_registration(
    entry: Entry, again: list[Statement], bystanders: Collection[Source]
) -> None:
    """Doubt if running statements again may leave something twice in a module that stays.

    `bystanders` are the modules that stay; classes count only where one of them has class hooks.

    Raises:
        Doubt: a decorator, or a bare call, of another module of the user's.
    """
    hooks = any(hook in source.data for source in bystanders for hook in _CLASS_HOOKS)
    for statement in again:
        node = statement.node
        touched = statement.eager & entry.imported
        decorated = bool(getattr(node, "decorator_list", []))
        derived = hooks and isinstance(node, ast.ClassDef)
        if touched and (statement.has_effect or decorated or derived):
            raise Doubt(f"{entry.name} may register itself in {min(touched)}")


def entries(names: Collection[str], sources: Mapping[str, Source]) -> list[Entry]:
    """Read several modules."""
    return [Entry.of(name, sources[name], frozenset(sources)) for name in sorted(names)]


def _effects(entry: Entry) -> list[str]:
    return [statement.text for statement in entry.statements if statement.has_effect]


def _first_change(old: list[Statement], new: list[Statement]) -> str:
    same = {statement.text for statement in old} & {statement.text for statement in new}
    for statement in [*new, *old]:
        if statement.text not in same:
            return min(statement.binds, default="a statement")
    return "the order of statements"
