"""A module as a list of top-level statements: what each binds, what it reads, what it may change.

`closure_of` answers what a model depends on in the module that made it: the statements that some
names lead to, and those that may have changed what these names stand for.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sagelet.worker.serving.user_code import Source

STAR = "*"

_IMPORTS = (ast.Import, ast.ImportFrom)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DYNAMIC_NAMES = {"globals", "eval", "exec", "__import__"}
_DYNAMIC_IMPORTS = {"import_module", "run_path", "run_module", "spec_from_file_location"}


@dataclass(frozen=True)
class Statement:
    """One top-level statement. `eager` is what it reads while the module is being imported.

    `parts` are its node and all below it.
    """

    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    eager: frozenset[str]
    parts: Sequence[ast.AST] = field(repr=False, compare=False)

    @functools.cached_property
    def text(self) -> str:
        """What it says, whatever its layout and comments."""
        return ast.dump(self.node)

    @property
    def is_import(self) -> bool:
        """Whether it only imports."""
        return isinstance(self.node, _IMPORTS)

    @property
    def is_logger(self) -> bool:
        """Whether it is `log = logging.getLogger(…)`: one and the same object each time."""
        value = self.node.value if isinstance(self.node, ast.Assign) else None
        return isinstance(value, ast.Call) and ast.unparse(value.func).endswith("getLogger")

    @property
    def has_effect(self) -> bool:
        """Whether importing the module runs it for what it does and not for the names it binds."""
        node = self.node
        if isinstance(node, ast.Expr):
            return not isinstance(node.value, ast.Constant)
        if isinstance(node, ast.If):
            return not _is_never_taken(node)
        if isinstance(node, ast.Assign):
            return any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in node.targets)
        return not isinstance(node, (*_IMPORTS, *_DEFINITIONS, ast.AnnAssign, ast.Pass))

    @property
    def may_change_what_it_reads(self) -> bool:
        """Whether running it can alter a value that it reads: it calls, decorates or derives."""
        if isinstance(self.node, ast.If) and _is_never_taken(self.node):
            return False
        if self.has_effect:
            return True
        if isinstance(self.node, _DEFINITIONS):
            return bool(self.eager)
        return any(isinstance(part, ast.Call) for part in self.parts)


def statements_of(tree: ast.Module) -> list[Statement]:
    """Return a module's top-level statements, in order; an import of two names counts as two."""
    return [_statement(part) for node in tree.body for part in _parts(node)]


def closure_of(
    statements: list[Statement], roots: Collection[str], foreign: Collection[str]
) -> list[Statement]:
    """Return the statements that `roots` depend on, in order.

    `foreign` are names that libraries gave: reading one changes nothing of the user's.
    """
    names = {STAR, *roots}
    touched = [_touched(statement, statements).difference(foreign) for statement in statements]
    chosen: set[int] = set()
    grown = True
    while grown:
        grown = False
        for place, statement in enumerate(statements):
            if place not in chosen and (statement.binds | touched[place]) & names:
                chosen.add(place)
                names |= statement.binds | statement.reads
                grown = True
    return [statements[place] for place in sorted(chosen)]


def _touched(statement: Statement, statements: list[Statement]) -> set[str]:
    """Return the names whose values running a statement may change, through what it calls too."""
    if not statement.may_change_what_it_reads:
        return set()
    names: set[str] = set()
    waiting = set(statement.eager)
    while waiting:
        names |= waiting
        waiting = {
            read
            for other in statements
            if other.binds & waiting and not other.is_import
            for read in other.reads
        } - names
    return {name for name in names if not name.startswith("__")}


def is_dynamic(statements: Iterable[Statement]) -> bool:
    """Whether code reaches names in a way that reading it does not show."""
    parts = [part for statement in statements for part in statement.parts]
    for part in parts:
        if isinstance(part, ast.Name) and part.id in _DYNAMIC_NAMES:
            return True
        if isinstance(part, ast.Attribute) and part.attr == "modules" and _is_sys(part.value):
            return True
    return _import_dynamically(parts)


def _is_sys(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "sys"


@functools.lru_cache(maxsize=1024)
def imports_dynamically(source: Source) -> bool:
    """Whether a module imports others whose names reading it does not show."""
    return _import_dynamically(parts_of(source.tree()))


def _import_dynamically(parts: Iterable[ast.AST]) -> bool:
    for part in parts:
        name = getattr(part, "id", None) or getattr(part, "attr", None)
        if name in _DYNAMIC_IMPORTS or name == "__import__":
            return True
    return False


def globals_written(statements: Iterable[Statement]) -> set[str]:
    """Return the names that functions declare `global`."""
    found: set[str] = set()
    for statement in statements:
        for part in statement.parts:
            if isinstance(part, ast.Global):
                found.update(part.names)
    return found


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return a node and all below it: `ast.walk` without contexts, in a third of the time."""
    found = [node]
    for each in found:  # it grows meanwhile
        for name in each._fields:
            value = getattr(each, name, None)
            if isinstance(value, list):
                found.extend([part for part in value if isinstance(part, ast.AST)])
            elif isinstance(value, ast.AST) and name != "ctx":
                found.append(value)
    return found


def _parts(node: ast.stmt) -> list[ast.stmt]:
    if isinstance(node, ast.Import):
        return [ast.copy_location(ast.Import([alias]), node) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [
            ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
            for alias in node.names
        ]
    return [node]


def _statement(node: ast.stmt) -> Statement:
    parts = parts_of(node)
    return Statement(
        node=node,
        binds=frozenset(_bound(node)),
        reads=frozenset(part.id for part in parts if isinstance(part, ast.Name)),
        eager=frozenset(_eagerly_read(node)),
        parts=parts,
    )


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that running a statement binds in the module."""
    if isinstance(node, _DEFINITIONS):
        yield node.name
        return
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return
    if isinstance(node, _IMPORTS):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    # An except clause's, a capture pattern's and a mapping pattern's names are plain strings.
    for attribute in ("name", "rest"):
        name = getattr(node, attribute, None)
        if isinstance(name, str):
            yield name
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _eagerly_read(node: ast.AST) -> Iterator[str]:
    """Yield the names that are read while the module is imported: no function bodies."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, _SCOPES):
            continue
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _eagerly_read(child)


def _is_never_taken(node: ast.If) -> bool:
    """Whether this is `if __name__ == "__main__":` or `if TYPE_CHECKING:`, without an else."""
    test = ast.dump(node.test)
    return not node.orelse and ("__main__" in test or "TYPE_CHECKING" in test)
