"""The user's own modules: found under their folders, compiled from source, and remembered.

Compiled files (.pyc) are neither read nor written for them: Python decides by the second and the
size whether one is stale, and an edit can be quicker than that. What each module was made of is
kept, byte for byte; `reloading` compares it with what the files hold now.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from sagelet.worker.serving.tracebacks import SOURCE_NAME


@dataclass(frozen=True)
class Source:
    """What a module was made of."""

    path: str
    data: bytes
    is_package: bool = False

    @functools.lru_cache(maxsize=8)  # noqa: B019 - sources are values, and eight are few
    def tree(self) -> ast.Module:
        """Return the source as a syntax tree, which nobody alters."""
        # Not ast.parse: its own frame would stand in the traceback of a syntax error.
        tree = compile(self.data, self.path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module)
        return tree


@dataclass(frozen=True)
class Plan:
    """How a module is to be made: from `tree`, in a namespace that has `values` already."""

    source: Source
    tree: ast.Module
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class UserCode:
    """A finder for what lies under the user's folders, placed before Python's own."""

    folders: Sequence[str]
    sources: dict[str, Source] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    _roots: tuple[str, ...] = ()
    _entries: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know the folders by their given and by their real names."""
        names = {str(Path(folder).absolute()) for folder in self.folders}
        self._roots = tuple(sorted(names | {os.path.realpath(name) for name in names}))

    def install(self) -> None:
        """Put the folders first on sys.path, and this finder before Python's own."""
        for folder in reversed(list(self.folders)):
            if folder in sys.path:
                sys.path.remove(folder)
            sys.path.insert(0, folder)
        place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(place, self)

    def remove(self) -> None:
        """Undo `install`."""
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        sys.path[:] = [folder for folder in sys.path if folder not in self.folders]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of the user's, or None for any other (PEP 451)."""
        own = [entry for entry in (sys.path if path is None else path) if self._owns_entry(entry)]
        spec = PathFinder.find_spec(name, own, target) if own else None
        if spec is None or type(spec.loader) is not SourceFileLoader or not spec.origin:
            return None
        if path is None and not self._comes_first(name, spec.origin):
            return None
        spec.loader = UserLoader(name, spec.origin, self)
        return spec

    def owns(self, path: str) -> bool:
        """Whether a path is the user's: under their folders, and not installed there."""
        path = str(Path(path).absolute())
        if not any(path == root or path.startswith(root + os.sep) for root in self._roots):
            return False
        if "site-packages" in Path(path).parts:
            return False
        return not path.startswith((sys.prefix + os.sep, sys.base_prefix + os.sep))

    def _owns_entry(self, entry: str) -> bool:
        """Whether an entry of a module path is the user's; asked for each import, so remembered."""
        if entry not in self._entries:
            self._entries[entry] = self.owns(entry)
        return self._entries[entry]

    def module_name(self, path: str) -> str | None:
        """Return the dotted name that a file of the user's would be imported by."""
        for folder in self.folders:
            relative = os.path.relpath(path, os.path.realpath(folder))
            if not relative.startswith(os.pardir) and relative.endswith(".py"):
                parts = Path(relative[: -len(".py")]).parts
                return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return None

    def _comes_first(self, name: str, origin: str) -> bool:
        """Whether sys.path as a whole leads to the same file: nothing stands before it."""
        first = PathFinder.find_spec(name)
        return first is not None and first.origin == origin


class UserLoader(SourceFileLoader):
    """Compiles a module of the user's from its source, or as a plan has it."""

    def __init__(self, name: str, path: str, code: UserCode) -> None:
        """Report to `code` what was read."""
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source: the file's, or a plan's."""
        plan = self._code.plans.get(fullname)
        if plan is not None:
            self._code.sources[fullname] = plan.source
            return compile(plan.tree, plan.source.path, "exec", dont_inherit=True)
        path = self.get_filename(fullname)
        source = Source(path, self.get_data(path), self.is_package(fullname))
        self._code.sources[fullname] = source
        return compile(source.data, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's body; what a plan keeps is there before."""
        name = module.__name__
        code = self.get_code(name)
        if name in self._code.plans:
            module.__dict__.update(self._code.plans[name].values)
        module.__dict__[SOURCE_NAME] = self._code.sources[name].data
        exec(code, module.__dict__)  # noqa: S102 - this is what importing is
