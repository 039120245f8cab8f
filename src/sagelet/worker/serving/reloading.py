"""An edited module beside the running one: made, judged, and put in place between two requests.

    prepare   the files are read again; what the edit reaches is imported anew, out of sight
    commit    the new modules take their places, the new handlers serve
    discard   (or any failure) nothing has happened

The model is kept only where the edit provably leaves alone what made it: the statements that
model_fn (and pre_model_fn, model_warmup_fn) lead to, what the model object is made of, and the
modules that these import. Those statements are not run again: the new module gets the very objects
of the old one, so that `isinstance(model, Net)` and a cache that model_fn filled still hold.
Whatever is in doubt gets a fresh worker.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Union

from sagelet.worker.serving import import_graph, made_of, model_needs, time_limit
from sagelet.worker.serving.handlers import Defaults, bind, module_name
from sagelet.worker.serving.loading import LoadedModel
from sagelet.worker.serving.model_needs import Doubt, Entry
from sagelet.worker.serving.statements import Statement, imports_dynamically
from sagelet.worker.serving.tracebacks import Failure, describe, last_line
from sagelet.worker.serving.user_code import Plan, Source, UserCode


@dataclass(frozen=True)
class NeedsFresh:
    """The edit reaches the model, or may: only a new worker can tell."""

    why: str


@dataclass(frozen=True)
class Remade:
    """Modules made anew and not in place yet; `dropped` are those that nothing imports now."""

    modules: Mapping[str, ModuleType] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Prepared:
    """New handlers on the old model, ready to be committed."""

    loaded: LoadedModel
    remade: Remade
    ms: float


Outcome = Union[Prepared, NeedsFresh, Failure]


@dataclass(frozen=True)
class _Edit:
    """The user's modules before and after an edit."""

    sources: Mapping[str, Source]
    edited: Mapping[str, Source]

    @property
    def sources_after(self) -> dict[str, Source]:
        return {**self.sources, **self.edited}


class Reloader:
    """Prepares and commits edits of the user's modules in this process."""

    def __init__(
        self, program: str, code: UserCode, defaults: Defaults, *, import_s: float = 1.0
    ) -> None:
        """Watch over the modules that `code` has found.

        An import that takes longer than `import_s` is for a fresh worker: this one has requests.
        """
        self._import_s = import_s
        self._entry = module_name(program)
        self._code = code
        self._defaults = defaults

    def prepare(self, loaded: LoadedModel, generation: int, changed: Sequence[str]) -> Outcome:
        """Make what an edit changed, or say why that takes a new worker, or what is wrong with it.

        `changed` are paths; of Python files only those that nothing has imported matter here.
        """
        begun = perf_counter()
        try:
            self._refuse_files(changed)
            edit = self._edit()
            remade = self._remade(loaded, edit) if edit.edited else Remade()
        except Doubt as doubt:
            return NeedsFresh(str(doubt))
        except SyntaxError as error:
            return describe(error)
        module = remade.modules.get(self._entry, loaded.handlers.module)
        try:
            handlers = bind(module, self._defaults)
        except (ValueError, TypeError) as error:
            return describe(error, otherwise=getattr(module, "__file__", None) or "")
        fresh = LoadedModel(handlers=handlers, model=loaded.model, generation=generation)
        return Prepared(fresh, remade, round((perf_counter() - begun) * 1000, 3))

    def commit(self, prepared: Prepared) -> LoadedModel:
        """Put the new modules in place, and return what serves from now on."""
        for name in prepared.remade.dropped:
            sys.modules.pop(name, None)
            self._code.sources.pop(name, None)
        _put(prepared.remade.modules)
        self._code.sources.update(prepared.remade.sources)
        return prepared.loaded

    @contextmanager
    def tried(self, prepared: Prepared) -> Iterator[None]:
        """Have new modules in place for a moment: what handlers import when called finds them."""
        modules = prepared.remade.modules
        old = {name: sys.modules[name] for name in modules if name in sys.modules}
        _put(modules)
        try:
            yield
        finally:
            _take_out(modules)
            _put(old)

    def _refuse_files(self, changed: Sequence[str]) -> None:
        """Doubt for weights and other data, and for a file that takes a loaded module's place."""
        own = {os.path.realpath(source.path) for source in self._code.sources.values()}
        for path in changed:
            shown = Path(path).name
            if not path.endswith(".py"):
                raise Doubt(f"{shown} changed")
            name = self._code.module_name(os.path.realpath(path))
            if os.path.realpath(path) in own or name is None:
                continue
            if name == self._entry or name in sys.modules:
                raise Doubt(f"{shown} takes the place of another module")

    def _edit(self) -> _Edit:
        """Read the files again.

        Raises:
            Doubt: one is gone.
            SyntaxError: one does not parse.
        """
        sources = dict(self._code.sources)
        edited = {}
        for name, source in sources.items():
            try:
                data = Path(source.path).read_bytes()
            except OSError as error:
                raise Doubt(f"{Path(source.path).name} is gone") from error
            if data != source.data:
                edited[name] = replace(source, data=data)
                edited[name].tree()
        return _Edit(sources, edited)

    def _remade(self, loaded: LoadedModel, edit: _Edit) -> Remade:
        """Import anew what the edit reaches.

        Raises:
            Doubt: the model may depend on it.
        """
        old = loaded.handlers.module
        if old is None or self._entry not in edit.sources:
            raise Doubt(f"there was no module {self._entry}")
        for name, source in edit.sources_after.items():
            if imports_dynamically(source):
                raise Doubt(f"{name} imports what reading it does not show")
        graph = import_graph.graph_of(edit.sources)
        affected = import_graph.dependents_of(edit.edited, graph)
        if self._entry not in affected:
            raise Doubt(f"{min(affected)} is imported in a way that was not seen")
        known = frozenset(edit.sources)
        before = Entry.of(self._entry, edit.sources[self._entry], known)
        after = Entry.of(self._entry, edit.sources_after[self._entry], known)
        kept = self._kept(loaded, edit, before, after, affected, graph)
        shared = [statement for statement in kept if not statement.is_import]
        values = {
            name: old.__dict__[name]
            for statement in shared
            for name in statement.binds
            if name in old.__dict__
        }
        return self._import(edit, affected, self._plans(edit, after, shared, values))

    def _kept(
        self,
        loaded: LoadedModel,
        edit: _Edit,
        before: Entry,
        after: Entry,
        affected: Collection[str],
        graph: import_graph.Graph,
    ) -> list[Statement]:
        """Return what of the entry module the model depends on; doubt if the edit reaches that."""
        made = made_of.names_in(loaded.model, edit.sources)
        if made is None:
            raise Doubt("the model is too large to be looked into")
        own = {name for module, name in made if module == self._entry}
        kept = model_needs.kept_statements(before, after, own)
        needed = model_needs.modules_needed(kept, after, edit.sources)
        needed |= {module for module, _ in made if module != self._entry}
        reached = import_graph.needed_by(needed, graph).intersection(affected)
        if reached:
            raise Doubt(f"{min(reached)}, which the model depends on, changed")
        stay = [source for name, source in edit.sources.items() if name not in affected]
        others = set(affected) - {self._entry}
        for entry in model_needs.entries(others, edit.sources_after):
            model_needs.refuse_registration(entry, entry.statements, stay)
        return kept

    def _plans(
        self,
        edit: _Edit,
        after: Entry,
        shared: list[Statement],
        values: Mapping[str, object],
    ) -> dict[str, Plan]:
        plans = {
            name: Plan(source=source, tree=source.tree())
            for name, source in edit.edited.items()
            if name != self._entry
        }
        keep_out = {id(statement.node) for statement in shared}
        body = [node for node in after.tree.body if id(node) not in keep_out]
        plans[self._entry] = Plan(
            source=after.source, tree=ast.Module(body=body, type_ignores=[]), values=values
        )
        return plans

    def _import(self, edit: _Edit, affected: Collection[str], plans: Mapping[str, Plan]) -> Remade:
        """Import the entry module as planned, and leave sys.modules as it was."""
        old = {name: sys.modules[name] for name in affected if name in sys.modules}
        self._code.sources, self._code.plans = {}, dict(plans)
        for name in old:
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            with time_limit.seconds(self._import_s):
                importlib.import_module(self._entry)
        except BaseException as error:
            raise Doubt(f"importing it again raised {last_line(error)}") from error
        finally:
            made = self._code.sources
            modules = {name: sys.modules[name] for name in made if name in sys.modules}
            self._code.sources, self._code.plans = dict(edit.sources), {}
            _take_out(modules)
            _put(old)
        return Remade(modules, made, frozenset(affected).difference(modules))


def _put(modules: Mapping[str, ModuleType]) -> None:
    """Enter modules into sys.modules and into their packages."""
    for name, module in modules.items():
        sys.modules[name] = module
        package, _, child = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], child, module)


def _take_out(modules: Mapping[str, ModuleType]) -> None:
    for name, module in modules.items():
        sys.modules.pop(name, None)
        package, _, child = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is not None and getattr(parent, child, None) is module:
            delattr(parent, child)
